import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createCollector, openStore } from '@hotspan/collector'
import { encodeTraces } from '@hotspan/otlp'
import { describe, expect, onTestFinished, test } from 'vitest'

const deploy = fileURLToPath(new URL('../../deploy/', import.meta.url))
const otel = (name: string) => join(deploy, 'opentelemetry', name)

/** The Collector that `npm run tools` builds; it lacks Kafka, AWS and Google parts. */
function stockCollector(): string | null {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hotspan')
  const builds = (existsSync(cache) ? readdirSync(cache) : []).filter((name) => name.startsWith('otelcol-v'))
  const paths = builds.map((name) => join(cache, name, 'otelcol-hotspan')).filter((path) => existsSync(path))
  return paths.sort().at(-1) ?? null
}

const binary = stockCollector()
const missing =
  binary === null ? 'no OpenTelemetry Collector here; npm run tools builds one (needs Go)' : null

function validate(...files: string[]): void {
  const args = files.flatMap((file) => ['--config', file])
  execFileSync(binary!, ['validate', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, GOOGLE_CLOUD_PROJECT: 'p' },
  })
}

describe('files under deploy/', () => {
  test('images have a version, and what is mounted or listed is there', () => {
    const folders = ['compose', 'kubernetes']
    for (const folder of folders) {
      for (const name of readdirSync(join(deploy, folder)).filter((file) => file.endsWith('.yaml'))) {
        const text = readFileSync(join(deploy, folder, name), 'utf8')
        for (const [, image] of text.matchAll(/^\s*image: (\S+)/gm))
          expect(image, name).toMatch(/:v?\d+\.\d+/)
        for (const [, path = ''] of text.matchAll(/^\s*- (\.\.?\/[^:\s]+)(?::\S+)?$/gm)) {
          // Written by `hotspan dashboards` before the start.
          if (path.startsWith('./grafana/')) continue
          expect(existsSync(join(deploy, folder, path)), `${path} in ${folder}/${name}`).toBe(true)
        }
      }
    }
    const kustomization = readFileSync(join(deploy, 'kubernetes', 'kustomization.yaml'), 'utf8')
    const listed = [...kustomization.matchAll(/^\s+- ([\w./-]+\.(?:yaml|xml))$/gm)].map(
      ([, path = '']) => path,
    )
    expect(listed).toContain('sampler.yaml')
    for (const path of listed) expect(existsSync(join(deploy, 'kubernetes', path)), path).toBe(true)
  })

  test.skipIf(missing !== null)(
    `the real Collector accepts the configurations${missing ? ` (skipped: ${missing})` : ''}`,
    () => {
      validate(otel('gateway.yaml'), otel('resolver-static.yaml'))
      validate(otel('gateway.yaml'), otel('resolver-kubernetes.yaml'))
      validate(otel('sampler.yaml'))
    },
  )

  /** Kafka, AWS and Google parts are not in the Collector that can be built here: each is replaced by a plain one, the rest is checked. */
  test.skipIf(missing !== null)(
    `the rest of the configurations with parts of the contrib distribution is right${missing ? ` (skipped: ${missing})` : ''}`,
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'hotspan-deploy-'))
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
      const without = (name: string, kind: 'receivers' | 'exporters', part: string) => {
        const plain = kind === 'exporters' ? 'debug' : 'otlp/kafka'
        const block =
          kind === 'exporters'
            ? 'debug: {}'
            : 'otlp/kafka: { protocols: { http: { endpoint: "127.0.0.1:4319" } } }'
        const text = readFileSync(otel(name), 'utf8')
        const replaced = text
          .replace(new RegExp(`(^${kind}:\\n)  ${part}:\\n(?:    .*\\n)+`, 'm'), `$1  ${block}\n`)
          .replace(new RegExp(`(?<=[[, ])${part}(?=[\\],])`, 'g'), plain)
        expect(replaced).not.toContain(`\n  ${part}:`)
        const file = join(folder, name)
        writeFileSync(file, replaced)
        return file
      }
      validate(without('kafka-in.yaml', 'exporters', 'kafka'))
      validate(otel('sampler.yaml'), without('kafka-out.yaml', 'receivers', 'kafka'))
      validate(otel('sampler.yaml'), without('aws-x-ray.yaml', 'exporters', 'awsxray'))
      validate(otel('sampler.yaml'), without('google-cloud-trace.yaml', 'exporters', 'googlecloud'))
    },
  )
})

const freePort = (): Promise<number> =>
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

async function run(
  files: readonly string[],
  ports: readonly number[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const child: ChildProcess = spawn(
    binary!,
    files.flatMap((file) => ['--config', file]),
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, LISTEN: '127.0.0.1', TELEMETRY_LEVEL: 'none', ...env },
    },
  )
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-2000)
  })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await gone
  })
  await expect
    .poll(
      async () => {
        if (child.exitCode !== null) throw new Error(errors)
        return (await Promise.all(ports.map(accepts))).every((up) => up)
      },
      { timeout: 60_000 },
    )
    .toBe(true)
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
const traces = 40

/** Half of a trace: the gateway gets the server's span and the client's in different bodies. Trace 7 failed, trace 9 is slow. */
function half(part: 'client' | 'server', nowMs: number): Buffer {
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

test.skipIf(missing !== null)(
  `gateway and samplers as they are deployed: failed and slow traces arrive whole, figures count all${missing ? ` (skipped: ${missing})` : ''}`,
  { timeout: 180_000 },
  async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-deploy-'))
    const collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      pagePort: 0,
      clickHousePort: 0,
      clickHouseInserts: true,
      onEvent: () => undefined,
    })
    onTestFinished(async () => {
      await collector.close()
      rmSync(dataDir, { recursive: true, force: true })
    })
    const [grpc1, http1, prometheus1, grpc2, http2, prometheus2, gatewayGrpc, gatewayHttp] =
      await Promise.all(Array.from({ length: 8 }, freePort))
    const sampler = (grpc: number, http: number, prometheus: number) =>
      run([otel('sampler.yaml')], [grpc, http, prometheus], {
        OTLP_GRPC_PORT: String(grpc),
        OTLP_HTTP_PORT: String(http),
        PROMETHEUS_PORT: String(prometheus),
        CLICKHOUSE_ENDPOINT: `${collector.clickHouseUrl}?compress=none`,
        CLICKHOUSE_COMPRESS: 'none',
        DECISION_WAIT: '2s',
        METRICS_FLUSH: '1s',
        BATCH_WAIT: '500ms',
        SAMPLE_PERCENT: '0',
        MEMORY_LIMIT_MIB: '500',
        MEMORY_SPIKE_MIB: '100',
      })
    await sampler(grpc1!, http1!, prometheus1!)
    await sampler(grpc2!, http2!, prometheus2!)
    await run([otel('gateway.yaml'), otel('resolver-static.yaml')], [gatewayGrpc!, gatewayHttp!], {
      OTLP_GRPC_PORT: String(gatewayGrpc),
      OTLP_HTTP_PORT: String(gatewayHttp),
      SAMPLER_1: `127.0.0.1:${grpc1}`,
      SAMPLER_2: `127.0.0.1:${grpc2}`,
      SAMPLER_HTTP: `http://127.0.0.1:${http1}`,
    })
    const nowMs = Date.now()
    for (const part of ['client', 'server'] as const) {
      const answer = await fetch(`http://127.0.0.1:${gatewayHttp}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: new Uint8Array(half(part, nowMs)),
      })
      expect(answer.status).toBe(200)
    }
    const store = await openStore({ dataDir })
    onTestFinished(() => store.close())
    const kept = async () => {
      const answer = await store.client.query({
        query:
          'SELECT TraceId AS id, arraySort(groupArray(ServiceName)) AS services FROM otel_traces GROUP BY id ORDER BY id',
        format: 'JSONEachRow',
      })
      return answer.json()
    }
    const whole = [7, 9].map((n) => ({ id: hex(n, 32), services: ['orders', 'web'] }))
    await expect.poll(kept, { timeout: 60_000 }).toEqual(whole)
    const metrics = async () => {
      const pages = await Promise.all(
        [prometheus1, prometheus2].map(async (port) =>
          (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
        ),
      )
      const sum = (line: RegExp) =>
        pages
          .flatMap((page) => page.split('\n').filter((text) => line.test(text)))
          .reduce((total, text) => total + Number(text.split(' ').at(-1)), 0)
      return {
        calls: sum(/^traces_span_metrics_calls_total\{.*service_name="orders"/),
        edges: sum(/^traces_service_graph_request_total\{.*client="web".*server="orders"/),
        // Both samplers took part: a trace goes to one of them.
        samplers: pages.filter((page) => page.includes('service_name="orders"')).length,
      }
    }
    await expect.poll(metrics, { timeout: 60_000 }).toEqual({ calls: traces, edges: traces, samplers: 2 })
  },
)
