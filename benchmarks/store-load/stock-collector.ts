import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { onCore } from '../contract/processes.ts'

/** The OpenTelemetry Collector that `npm run tools` builds; null when it was not built. */
export function findStockCollector(): string | null {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hotspan')
  if (!existsSync(cache)) return null
  const folders = readdirSync(cache).filter((name) => /^otelcol-v[\d.]+$/.test(name))
  const paths = folders.map((name) => join(cache, name, 'otelcol-hotspan')).filter((path) => existsSync(path))
  return paths.sort().at(-1) ?? null
}

export interface StockCollector {
  readonly child: ChildProcess
  readonly url: string
  stop(): Promise<void>
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** Runs it with otlp/http in and the given exporter out; `PORT` in the text of the exporters is not replaced. */
export async function startStockCollector(
  path: string,
  options: { exporters: string; exporter: string; core?: number; env?: NodeJS.ProcessEnv },
): Promise<StockCollector> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-otelcol-'))
  const config = join(folder, 'config.yaml')
  writeFileSync(
    config,
    `receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${port}
exporters:
${options.exporters}
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [${options.exporter}]
`,
  )
  const [command, ...args] = [
    ...(options.core === undefined ? [] : onCore(options.core)),
    path,
    '--config',
    config,
  ]
  const child = spawn(command!, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000)
  })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const until = Date.now() + 30_000
  while (!(await accepts(port))) {
    if (child.exitCode !== null || Date.now() > until)
      throw new Error(`the Collector did not start: ${errors}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    child,
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM')
      const hard = setTimeout(() => child.kill('SIGKILL'), 10_000)
      await gone
      clearTimeout(hard)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
