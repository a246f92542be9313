import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { SpanKind } from '@opentelemetry/api'
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Collector, createCollector } from '../collector.ts'
import { traceById } from '../queries/trace-by-id.ts'
import { missingEngine } from '../test-support/require-engine.ts'

const slow = { timeout: 60_000 }

describe.skipIf(missingEngine() !== null)('Zipkin v2 JSON', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  let collector: Collector

  beforeAll(async () => {
    collector = await createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0 })
  }, 60_000)

  afterAll(async () => {
    await collector.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(`${collector.otlpUrl}/api/v2/spans`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    })
  const stored = async (traceId: string) => {
    await collector.flush()
    return await traceById(collector.store, traceId)
  }

  test('spans of the OpenTelemetry Zipkin exporter arrive', slow, async () => {
    const exporter = new ZipkinExporter({ url: `${collector.otlpUrl}/api/v2/spans` })
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'cart' }),
      spanProcessors: [new SimpleSpanProcessor({ exporter })],
    })
    const span = provider
      .getTracer('z')
      .startSpan('charge', { kind: SpanKind.CLIENT, attributes: { 'shop.items': 3 } })
    span.addEvent('asked')
    span.setStatus({ code: 2, message: 'declined' })
    span.end()
    await provider.forceFlush()
    await provider.shutdown()
    expect(await stored(span.spanContext().traceId)).toMatchObject([
      {
        name: 'charge',
        service: 'cart',
        kind: 'client',
        statusCode: 'error',
        attributes: { 'shop.items': '3' },
        events: [{ name: 'asked' }],
      },
    ])
  })

  test('a shared span id becomes two spans, its own children stay below the server half', slow, async () => {
    const startUs = Date.now() * 1000
    const common = { traceId: 'A1B2C3D4E5F60718', duration: 5000 }
    const answer = await post(
      gzipSync(
        JSON.stringify([
          {
            ...common,
            id: '00000000000000aa',
            kind: 'CLIENT',
            name: 'get',
            timestamp: startUs,
            localEndpoint: { serviceName: 'web' },
            remoteEndpoint: { serviceName: 'api', ipv4: '10.0.0.7', port: 8080 },
          },
          {
            ...common,
            id: '00000000000000aa',
            shared: true,
            kind: 'SERVER',
            name: 'get /items',
            timestamp: startUs + 1000,
            localEndpoint: { serviceName: 'api' },
            tags: { error: 'boom', 'http.route': '/items' },
          },
          {
            ...common,
            id: 'bb',
            parentId: '00000000000000aa',
            name: 'render',
            timestamp: startUs + 2000,
            localEndpoint: { serviceName: 'api' },
          },
        ]),
      ),
      { 'content-encoding': 'gzip' },
    )
    expect(answer.status).toBe(202)
    const spans = await stored('0000000000000000a1b2c3d4e5f60718')
    const [client, server, child] = ['get', 'get /items', 'render'].map(
      (name) => spans.find((span) => span.name === name)!,
    )
    expect(client).toMatchObject({
      spanId: '00000000000000aa',
      parentSpanId: '',
      durationNs: 5_000_000,
      attributes: { 'peer.service': 'api', 'network.peer.address': '10.0.0.7', 'network.peer.port': '8080' },
    })
    expect(server).toMatchObject({ parentSpanId: client!.spanId, kind: 'server', statusCode: 'error' })
    expect(server!.spanId).not.toBe(client!.spanId)
    expect(child).toMatchObject({
      spanId: '00000000000000bb',
      parentSpanId: server!.spanId,
      kind: 'internal',
    })
  })

  test('an empty list is a success; what is no such list is 400, other codings are 415', slow, async () => {
    expect((await post('[]')).status).toBe(202)
    for (const wrong of [
      '{}',
      'x',
      '[7]',
      '[{"traceId":"zz","id":"1"}]',
      '[{"traceId":"1","id":"11111111111111111"}]',
      '[{"traceId":"1","id":"1","timestamp":-5}]',
      `${'['.repeat(100_000)}`,
    ]) {
      expect((await post(wrong)).status, wrong.slice(0, 60)).toBe(400)
    }
    expect((await post('x', { 'content-type': 'application/x-protobuf' })).status).toBe(415)
    expect((await post('x', { 'content-type': 'application/x-thrift' })).status).toBe(415)
    expect((await fetch(`${collector.otlpUrl}/api/v2/spans`)).status).toBe(405)
  })
})
