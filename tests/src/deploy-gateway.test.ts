import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { createCollector, openStore } from '@hotspan/collector'
import { expect, onTestFinished, test } from 'vitest'
import {
  freePort,
  missing,
  note,
  otel,
  run,
  send,
  sumOf,
  temporaryFolder,
  traces,
} from './deploy-collector.ts'

const gateway = [otel('gateway.yaml'), otel('resolver-static.yaml')]
const shop = 'https://shop.example'
const asked = 'authorization,content-encoding,content-type'

const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? null : 'no openssl command'

const preflight = (origin: string) => ({
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': asked,
  },
})

test.skipIf(missing !== null)(
  `pages of the origins that are named may send to the gateway, others may not${note}`,
  { timeout: 120_000 },
  async () => {
    const [grpc, http, grpc2, http2] = await Promise.all(Array.from({ length: 4 }, freePort))
    const ask = (port: number, origin: string) =>
      fetch(`http://127.0.0.1:${port}/v1/traces`, preflight(origin))
    const ports = (a: number, b: number) => ({ OTLP_GRPC_PORT: String(a), OTLP_HTTP_PORT: String(b) })
    await run(gateway, [grpc!, http!], {
      ...ports(grpc!, http!),
      CORS_ORIGINS: `${shop},https://*.shop.example`,
    })
    for (const origin of [shop, 'https://www.shop.example']) {
      const answer = await ask(http!, origin)
      expect(answer.status).toBe(204)
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
      expect(answer.headers.get('access-control-allow-headers')?.split(/, */).sort()).toEqual(
        asked.split(','),
      )
    }
    const other = await ask(http!, 'https://other.example')
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
    const sent = await fetch(`http://127.0.0.1:${http}/v1/traces`, {
      method: 'POST',
      headers: { origin: shop, 'content-type': 'application/json' },
      body: '{}',
    })
    expect(sent.status).toBe(200)
    expect(sent.headers.get('access-control-allow-origin')).toBe(shop)

    await run(gateway, [grpc2!, http2!], ports(grpc2!, http2!))
    expect((await ask(http2!, shop)).status).toBe(405)
  },
)

test.skipIf(missing !== null || noOpenssl !== null)(
  `with tls.yaml and tokens.yaml the gateway takes nothing without a token, and a preflight needs none${note || (noOpenssl === null ? '' : ` (skipped: ${noOpenssl})`)}`,
  { timeout: 120_000 },
  async () => {
    const folder = temporaryFolder()
    const [key, certificate, tokens] = ['key.pem', 'cert.pem', 'tokens'].map((name) => join(folder, name))
    const form = [
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
    execFileSync('openssl', ['req', ...form, ...subject, '-keyout', key!, '-out', certificate!], {
      stdio: 'ignore',
    })
    writeFileSync(tokens!, 'of-the-agents for services\nof-the-pages everybody reads this one\n')
    const [grpc, http] = await Promise.all([freePort(), freePort()])
    await run([...gateway, otel('tls.yaml'), otel('tokens.yaml')], [grpc, http], {
      OTLP_GRPC_PORT: String(grpc),
      OTLP_HTTP_PORT: String(http),
      TLS_CERT: certificate,
      TLS_KEY: key,
      TOKENS_FILE: tokens,
      CORS_ORIGINS: shop,
    })
    const status = (method: string, headers: Record<string, string>, body = '') =>
      new Promise<number | undefined>((resolve, reject) => {
        const url = `https://127.0.0.1:${http}/v1/traces`
        const going = request(url, { method, headers, ca: readFileSync(certificate!) }, (answer) => {
          answer.resume()
          resolve(answer.statusCode)
        })
        going.once('error', reject)
        going.end(body)
      })
    const post = (authorization?: string) =>
      status('POST', { 'content-type': 'application/json', ...(authorization && { authorization }) }, '{}')
    expect(await post()).toBe(401)
    expect(await post('Bearer wrong')).toBe(401)
    expect(await post('Bearer of-the-agents')).toBe(200)
    expect(await post('Bearer of-the-pages')).toBe(200)
    expect(await status('OPTIONS', preflight(shop).headers)).toBe(204)
  },
)

test.skipIf(missing !== null)(
  `what gateway and sampler acknowledged is stored after both were killed while nothing behind them answered${note}`,
  { timeout: 180_000 },
  async () => {
    const queues = temporaryFolder()
    const [grpc, http, samplerGrpc, samplerHttp, prometheus, dead] = await Promise.all(
      Array.from({ length: 6 }, freePort),
    )
    const startGateway = () =>
      run(gateway, [grpc!, http!], {
        OTLP_GRPC_PORT: String(grpc),
        OTLP_HTTP_PORT: String(http),
        SAMPLER_1: `127.0.0.1:${samplerGrpc}`,
        SAMPLER_2: `127.0.0.1:${samplerGrpc}`,
        QUEUE_DIR: join(queues, 'gateway'),
      })
    const startSampler = (clickHouseUrl: string) =>
      run([otel('sampler.yaml'), otel('keep-all.yaml')], [samplerGrpc!, samplerHttp!, prometheus!], {
        OTLP_GRPC_PORT: String(samplerGrpc),
        OTLP_HTTP_PORT: String(samplerHttp),
        PROMETHEUS_PORT: String(prometheus),
        CLICKHOUSE_ENDPOINT: `${clickHouseUrl}?compress=none`,
        CLICKHOUSE_COMPRESS: 'none',
        METRICS_FLUSH: '500ms',
        BATCH_WAIT: '500ms',
        MEMORY_LIMIT_MIB: '500',
        MEMORY_SPIKE_MIB: '100',
        QUEUE_DIR: join(queues, 'sampler'),
      })
    // There is no sampler: the gateway holds what it answered with 200, and dies.
    const first = await startGateway()
    await send(http!, 'server', Date.now())
    await first.kill()

    // There is no server: the sampler holds what the next gateway brings, and dies.
    const sampler = await startSampler(`http://127.0.0.1:${dead}`)
    const second = await startGateway()
    const calls = () => sumOf([prometheus!], /^traces_span_metrics_calls_total\{.*service_name="orders"/)
    await expect.poll(calls, { timeout: 60_000 }).toBe(traces)
    await sampler.kill()
    await second.kill()

    const dataDir = temporaryFolder()
    const collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      pagePort: 0,
      clickHousePort: 0,
      clickHouseInserts: true,
      onEvent: () => undefined,
    })
    onTestFinished(() => collector.close())
    await startSampler(collector.clickHouseUrl!)
    await startGateway()
    const store = await openStore({ dataDir })
    onTestFinished(() => store.close())
    const stored = async () => {
      const answer = await store.client.query({
        query: 'SELECT uniqExact(TraceId) AS n FROM otel_traces',
        format: 'JSONEachRow',
      })
      const [row] = await answer.json<{ n: string }>()
      return Number(row!.n)
    }
    await expect.poll(stored, { timeout: 60_000 }).toBe(traces)
  },
)
