import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeTraces } from '@hotspan/otlp'
import { expect, onTestFinished } from 'vitest'

export const deploy = fileURLToPath(new URL('../../deploy/', import.meta.url))
export const otel = (name: string) => join(deploy, 'opentelemetry', name)

/** The Collector that `npm run tools` builds; it lacks Kafka, AWS and Google parts. An older build lacks more. */
function stockCollector(): { binary: string; missing: string | null } {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hotspan')
  const builds = (existsSync(cache) ? readdirSync(cache) : []).filter((name) =>
    /^otelcol-v[\d.]+$/.test(name),
  )
  const paths = builds.sort().map((name) => join(cache, name, 'otelcol-hotspan'))
  const binary = paths.findLast((path) => existsSync(path))
  const build = 'npm run tools -- collector builds one (needs Go)'
  if (binary === undefined) return { binary: '', missing: `no OpenTelemetry Collector here; ${build}` }
  const parts = execFileSync(binary, ['components'], { encoding: 'utf8' })
  const lacks = ['bearertokenauth', 'file_storage', 'health_check'].filter(
    (part) => !parts.includes(`: ${part}`),
  )
  if (lacks.length === 0) return { binary, missing: null }
  return { binary, missing: `the OpenTelemetry Collector here has no ${lacks.join(', ')}; ${build}` }
}

export const { binary, missing } = stockCollector()
if (missing !== null && (process.env.HOTSPAN_REQUIRE ?? '').split(',').includes('otelcol'))
  throw new Error(missing)
export const note = missing === null ? '' : ` (skipped: ${missing})`

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-deploy-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })

export interface Running {
  /** As a crash does it; returns when the process is gone. */
  kill(): Promise<void>
}

/** Runs the Collector with these files until the end of the test; returns when it is healthy and listens. Its queue is in a folder of its own unless QUEUE_DIR is given. */
export async function run(
  files: readonly string[],
  ports: readonly number[],
  env: NodeJS.ProcessEnv,
): Promise<Running> {
  const health = await freePort()
  const child: ChildProcess = spawn(
    binary,
    files.flatMap((file) => ['--config', file]),
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        LISTEN: '127.0.0.1',
        TELEMETRY_LEVEL: 'none',
        HEALTH_PORT: String(health),
        QUEUE_DIR: env.QUEUE_DIR ?? temporaryFolder(),
        ...env,
      },
    },
  )
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000)
  })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const kill = async () => {
    child.kill('SIGKILL')
    await gone
  }
  onTestFinished(kill)
  const healthy = () =>
    fetch(`http://127.0.0.1:${health}/`).then(
      ({ ok }) => ok,
      () => false,
    )
  await expect
    .poll(
      async () => {
        if (child.exitCode !== null) throw new Error(errors)
        return (await healthy()) && (await Promise.all(ports.map(accepts))).every((up) => up)
      },
      { timeout: 60_000 },
    )
    .toBe(true)
  return { kill }
}

export const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
export const traces = 40

/** Half of each trace: the server's span or the client's. Trace 7 failed, trace 9 is slow. */
export function half(part: 'client' | 'server', nowMs: number): Buffer {
  const spans = Array.from({ length: traces }, (_, i) => {
    const server = part === 'server'
    const startNs = BigInt(nowMs) * 1_000_000n
    return {
      traceId: hex(i + 1, 32),
      spanId: hex(server ? 2 : 1, 16),
      parentSpanId: server ? hex(1, 16) : '',
      traceState: '',
      flags: 1,
      name: server ? 'GET /orders/:id' : 'GET',
      kind: (server ? 2 : 3) as 2 | 3,
      startTimeUnixNano: startNs,
      endTimeUnixNano: startNs + (i + 1 === 9 ? 900_000_000n : 20_000_000n),
      attributes: server ? [{ key: 'http.route', value: '/orders/:id' }] : [],
      droppedAttributesCount: 0,
      events: [],
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: { code: (i + 1 === 7 && server ? 2 : 0) as 0 | 2, message: '' },
    }
  })
  const service = part === 'server' ? 'orders' : 'web'
  const resource = { attributes: [{ key: 'service.name', value: service }], droppedAttributesCount: 0 }
  const scope = { name: 's', version: '', attributes: [], droppedAttributesCount: 0 }
  const resourceSpans = [{ resource, schemaUrl: '', scopeSpans: [{ scope, schemaUrl: '', spans }] }]
  return Buffer.from(encodeTraces({ resourceSpans }))
}

export async function send(port: number, part: 'client' | 'server', nowMs: number): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(half(part, nowMs)),
  })
  expect(answer.status).toBe(200)
}

/** Sum of the samples of a Prometheus page whose line matches. */
export async function sumOf(ports: readonly number[], line: RegExp): Promise<number> {
  const pages = await Promise.all(
    ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
  )
  return pages
    .flatMap((page) => page.split('\n').filter((text) => line.test(text)))
    .reduce((total, text) => total + Number(text.split(' ').at(-1)), 0)
}
