import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { decodeExportResponse, decodeRpcStatus, encodeLogs, encodeMetrics, encodeTraces } from '@hotspan/otlp'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createToken, limitProject } from '../access/token-file.ts'
import { type Collector, createCollector } from '../collector.ts'
import { traceById } from '../queries/trace-by-id.ts'
import { oneLog } from '../test-support/made-logs.ts'
import { everyKindOfMetric, metricsOf } from '../test-support/made-metrics.ts'
import { hex, madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { missingStockCollector, startStockCollector } from '../test-support/stock-collector.ts'

const exportTraces = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const exportMetrics = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'
let nextTrace = 1
const patient = { timeout: 30_000 }

function oneTrace(spans = 3) {
  const traceId = hex(nextTrace++, 32)
  const list = Array.from({ length: spans }, (_, i) =>
    madeSpan(Date.now(), { traceId, spanId: hex(i + 1, 16), name: randomBytes(20).toString('hex') }),
  )
  return { traceId, body: encodeTraces(tracesOf('grpc', list)) }
}

const noStockCollector = missingStockCollector()

describe.skipIf(missingEngine() !== null)('OTLP over gRPC', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  let collector: Collector
  let address: string
  let client: Client

  beforeAll(async () => {
    collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      otlpGrpcPort: 0,
      pagePort: 0,
      maxBodyBytes: 4 * 1024 * 1024,
    })
    address = new URL(collector.grpcUrl!).host
    client = new Client(address, credentials.createInsecure(), { 'grpc.max_send_message_length': -1 })
  }, 60_000)

  afterAll(async () => {
    client.close()
    await collector.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  interface Answer {
    readonly error: ServiceError | null
    readonly body: Buffer | undefined
  }
  const call = (path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> =>
    new Promise((resolve) => {
      const metadata = new Metadata()
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
      const same = (bytes: Buffer) => bytes
      client.makeUnaryRequest(path, same, same, Buffer.from(body), metadata, (error, answer) =>
        resolve({ error, body: answer }),
      )
    })
  const detailsOf = (error: ServiceError): Buffer =>
    error.metadata.get('grpc-status-details-bin')[0] as Buffer

  /** One call by hand, for what a well-behaved client does not send. */
  const raw = async (
    body: Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Record<string, unknown>> => {
    const session = connect(`http://${address}`)
    onTestFinished(() => session.destroy())
    const stream = session.request({
      ':method': 'POST',
      ':path': exportTraces,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    return await new Promise((resolve, reject) => {
      let first: Record<string, unknown> = {}
      stream.once('error', reject)
      stream.once('response', (response) => {
        first = response
      })
      stream.once('trailers', (trailers) => Object.assign(first, trailers))
      stream.once('close', () => resolve(first))
      stream.resume()
      stream.end(Buffer.from(body))
    })
  }
  const framed = (message: Uint8Array, compressed = 0, length = message.length): Buffer => {
    const frame = Buffer.alloc(5 + message.length)
    frame[0] = compressed
    frame.writeUInt32BE(length, 1)
    frame.set(message, 5)
    return frame
  }

  test.each(['none', 'gzip'])(
    'spans of the OpenTelemetry JS exporter arrive, compression %s',
    async (compression) => {
      const exporter = new OTLPTraceExporter({
        url: `http://${address}`,
        compression: compression as never,
      })
      const provider = new TracerProvider({
        resource: resourceFromAttributes({ 'service.name': 'js' }),
        spanProcessors: [new SimpleSpanProcessor({ exporter })],
      })
      const span = provider.getTracer('t').startSpan('checkout', { attributes: { 'shop.items': 3 } })
      span.end()
      await provider.forceFlush()
      await provider.shutdown()
      await collector.flush()
      expect(await traceById(collector.store, span.spanContext().traceId)).toMatchObject([
        { name: 'checkout', service: 'js', attributes: { 'shop.items': '3' } },
      ])
    },
  )

  test(`spans, logs and metrics of the real Collector arrive`, { timeout: 60_000 }, async ({ skip }) => {
    skip(noStockCollector !== null, noStockCollector ?? undefined)
    // Its load-balancing exporter sends with the Collector's own gRPC exporter, gzip as it comes.
    const go = await startStockCollector(`  load_balancing:
    routing_key: service
    protocol: { otlp: { tls: { insecure: true } } }
    resolver: { static: { hostnames: ["${address}"] } }`)
    const { traceId, body } = oneTrace(7)
    const sent: [string, Uint8Array][] = [
      ['traces', body],
      ['logs', encodeLogs(oneLog('go-logs', 'hello'))],
      ['metrics', encodeMetrics(metricsOf('go-metrics', everyKindOfMetric(Date.now())))],
    ]
    for (const [signal, bytes] of sent) {
      const answer = await fetch(`${go.otlpUrl}/v1/${signal}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: Buffer.from(bytes),
      })
      expect(answer.status, go.output()).toBe(200)
    }
    const count = async (table: string, service: string): Promise<number> => {
      await collector.flush()
      const answer = await collector.store.client.query({
        query: `SELECT count() AS n FROM ${table} WHERE ServiceName = {service:String}`,
        query_params: { service },
        format: 'JSONEachRow',
      })
      return Number((await answer.json<{ n: string }>())[0]!.n)
    }
    await expect.poll(() => count('otel_logs', 'go-logs'), patient).toBe(1)
    await expect.poll(() => count('otel_metrics_gauge', 'go-metrics'), patient).toBe(3)
    await expect.poll(() => count('otel_metrics_summary', 'go-metrics'), patient).toBe(1)
    await expect.poll(async () => (await traceById(collector.store, traceId)).length, patient).toBe(7)
  })

  test('success is an empty message; what was not kept is a partial success', {
    timeout: 60_000,
  }, async () => {
    const { traceId, body } = oneTrace()
    const full = await call(exportTraces, body)
    expect(full.error).toBeNull()
    expect(full.body).toHaveLength(0)
    expect((await call(exportTraces, new Uint8Array(0))).error).toBeNull()
    await collector.flush()
    expect(await traceById(collector.store, traceId)).toHaveLength(3)

    const late = metricsOf('late', [
      {
        ...everyKindOfMetric(Date.now())[0]!,
        data: {
          kind: 'gauge',
          points: [
            {
              attributes: [],
              startTimeUnixNano: 0n,
              timeUnixNano: 2n ** 63n,
              flags: 0,
              value: 1,
              exemplars: [],
            },
          ],
        },
      },
    ])
    const partial = await call(exportMetrics, encodeMetrics(late))
    expect(partial.error).toBeNull()
    expect(decodeExportResponse(partial.body!)).toMatchObject({
      rejected: 1,
      errorMessage: expect.stringContaining('a day ahead'),
    })
  })

  test('status codes: bad data, too large, no such method', { timeout: 60_000 }, async () => {
    const bad = (await call(exportTraces, Buffer.from('\n\u0005abc'))).error!
    expect(bad.code).toBe(status.INVALID_ARGUMENT)
    expect(decodeRpcStatus(detailsOf(bad))).toMatchObject({ code: 3, fieldViolations: [{ field: 'traces' }] })

    const large = (await call(exportTraces, Buffer.alloc(5 * 1024 * 1024))).error!
    expect(large.code).toBe(status.RESOURCE_EXHAUSTED)
    // Without a time to retry senders drop the message, as they should.
    expect(detailsOf(large).includes('RetryInfo')).toBe(false)

    expect(
      (await call('/opentelemetry.proto.collector.trace.v1.TraceService/Import', Buffer.alloc(0))).error!
        .code,
    ).toBe(status.UNIMPLEMENTED)
    const older = '/opentelemetry.proto.collector.profiles.v1experimental.ProfilesService/Export'
    expect((await call(older, Buffer.alloc(0))).error).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringContaining('profiles.v1development'),
    })
  })

  test('frames: gzip and zstd are undone, a bomb is refused, damage and unknown codings are named', {
    timeout: 60_000,
  }, async () => {
    for (const [name, compress] of [
      ['gzip', gzipSync],
      ['zstd', zstdCompressSync],
    ] as const) {
      const { traceId, body } = oneTrace(500)
      expect(await raw(framed(compress(body), 1), { 'grpc-encoding': name })).toMatchObject({
        'grpc-status': '0',
      })
      await collector.flush()
      expect(await traceById(collector.store, traceId)).toHaveLength(500)
    }
    const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024))
    expect(await raw(framed(bomb, 1), { 'grpc-encoding': 'gzip' })).toMatchObject({ 'grpc-status': '8' })
    expect(await raw(framed(Buffer.from('x'), 1), { 'grpc-encoding': 'gzip' })).toMatchObject({
      'grpc-status': '3',
    })
    expect(await raw(framed(Buffer.from('x'), 1), { 'grpc-encoding': 'snappy' })).toMatchObject({
      'grpc-status': '12',
      'grpc-accept-encoding': expect.stringContaining('gzip'),
    })
    for (const broken of [
      Buffer.alloc(0),
      Buffer.alloc(3),
      framed(Buffer.from('x'), 1),
      framed(Buffer.from('x'), 7),
      framed(Buffer.from('abc'), 0, 2),
      framed(Buffer.from('abc'), 0, 9),
      Buffer.concat([framed(Buffer.alloc(0)), framed(Buffer.alloc(0))]),
    ]) {
      expect(await raw(broken)).toMatchObject({ 'grpc-status': '3' })
    }
    expect(await raw(framed(Buffer.alloc(0)), { 'content-type': 'application/json' })).toMatchObject({
      ':status': 415,
    })
    expect(await raw(framed(Buffer.alloc(0)), { ':method': 'PUT' })).toMatchObject({ ':status': 405 })
    expect(await raw(framed(oneTrace().body))).toMatchObject({ 'grpc-status': '0' })
  })

  test('a wrong token is UNAUTHENTICATED; over its limit a project is told when to come again', {
    timeout: 60_000,
  }, async () => {
    const { token } = createToken(dataDir, { kind: 'write', project: 'metered' })
    const reader = createToken(dataDir, { kind: 'read', project: 'metered' })
    limitProject(dataDir, 'metered', { bytesPerSec: 1 })
    const bearer = (value: string) => ({ authorization: `Bearer ${value}` })
    await expect
      .poll(
        async () => (await call(exportTraces, new Uint8Array(0), bearer(token))).error?.code ?? 0,
        patient,
      )
      .toBe(status.OK)
    expect((await call(exportTraces, oneTrace().body, bearer('hsw_wrong'))).error!.code).toBe(
      status.UNAUTHENTICATED,
    )
    expect((await call(exportTraces, oneTrace().body, bearer(reader.token))).error!.code).toBe(
      status.PERMISSION_DENIED,
    )
    expect((await call(exportTraces, oneTrace().body, bearer(token))).error).toBeNull()
    const limited = (await call(exportTraces, oneTrace().body, bearer(token))).error!
    expect(limited.code).toBe(status.RESOURCE_EXHAUSTED)
    const details = detailsOf(limited)
    expect(details.includes('type.googleapis.com/google.rpc.RetryInfo')).toBe(true)
    expect(decodeRpcStatus(details)).toMatchObject({ code: 8 })
  })
})
