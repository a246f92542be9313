import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { decodeTraces, decodeTracesJson, type Span, type TracesData } from '@hotspan/otlp'
import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  HotspanContextManager,
  type HotspanInstrumentation,
  HotspanSpanExporter,
  HotspanSpanProcessor,
} from '../sdk-node.ts'
import { attributesOf } from '../testing/sink.ts'
import { startApp, type TestApp } from '../testing/test-app.ts'

type Received = Span & { service: unknown; scope: string }

let spans: Received[]
let types: Set<string>
let close: () => void
let url: string
let app: TestApp | undefined

/** An endpoint for both encodings: the stock exporter speaks JSON, ours protobuf. */
beforeEach(async () => {
  spans = []
  types = new Set()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const whole = Buffer.concat(parts)
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole
      const type = request.headers['content-type']!
      types.add(type)
      const data: TracesData =
        type === 'application/json' ? decodeTracesJson(body.toString()) : decodeTraces(body)
      for (const { resource, scopeSpans } of data.resourceSpans)
        for (const { scope, spans: received } of scopeSpans)
          for (const span of received)
            spans.push({ ...span, service: attributesOf(resource)['service.name'], scope: scope.name })
      response.writeHead(200, { 'content-type': type }).end(type === 'application/json' ? '{}' : undefined)
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  close = () => {
    server.close()
    server.closeAllConnections()
  }
})
afterEach(async () => {
  await app?.end('SIGKILL')
  close()
})

test.each([
  ['stock', 'application/json'],
  ['exporter', 'application/x-protobuf'],
  ['processor', 'application/x-protobuf'],
])('our instrumentations under the stock NodeSDK, sent by %s', async (parts, type) => {
  app = await startApp(
    'sdk-node-app.mjs',
    { OTEL_EXPORTER_OTLP_ENDPOINT: url, PARTS: parts },
    { agent: false },
  )
  const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`
  const answer = await fetch(`${app.url}/items/7`, { headers: { traceparent } })
  const inside = (await answer.json()) as { traceparent: string }
  app.child.kill('SIGUSR2')
  const last = await app.printed((line) => 'shutdown' in line)
  expect([...types]).toEqual([type])
  const traced = spans.filter(({ traceId }) => traceId === 'ab'.repeat(16))
  const named = (name: string, kind: number): Received => {
    const found = traced.filter((span) => span.name === name && span.kind === kind)
    expect(found, `${name} in ${traced.map((span) => span.name)}`).toHaveLength(1)
    return found[0]!
  }
  const server = named('GET /items/:id', 2)
  const byHand = named('by hand', 1)
  const client = named('GET', 3)
  const inner = named('GET', 2)
  expect(traced).toHaveLength(4)
  // One tree over spans of both kinds.
  expect(server.parentSpanId).toBe('cd'.repeat(8))
  expect(byHand.parentSpanId).toBe(server.spanId)
  expect(client.parentSpanId).toBe(byHand.spanId)
  expect(inner.parentSpanId).toBe(client.spanId)
  expect(inside.traceparent).toBe(`00-${'ab'.repeat(16)}-${client.spanId}-01`)
  expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(['test-app']))
  expect(attributesOf(server)).toMatchObject({
    'http.request.method': 'GET',
    'http.route': '/items/:id',
    'http.response.status_code': 200,
  })
  expect(server.scope).toBe('@hotspan/agent')
  expect(byHand.scope).toBe('by-hand')
  expect(attributesOf(byHand)).toMatchObject({ id: '7', list: ['a', 'b'], ratio: 0.5 })
  expect(byHand.events).toMatchObject([{ name: 'asked' }, { name: 'exception' }])
  expect(byHand.links).toMatchObject([{ traceId: '1'.repeat(32), spanId: '2'.repeat(16) }])
  for (const span of traced) {
    expect(span.startTimeUnixNano).toBeGreaterThanOrEqual(server.startTimeUnixNano)
    expect(span.endTimeUnixNano).toBeGreaterThanOrEqual(span.startTimeUnixNano)
    expect(span.traceId).toBe('ab'.repeat(16))
  }
  if (parts === 'processor') {
    expect(last.counts).toMatchObject({
      made: spans.length,
      sent: spans.length,
      failed: 0,
      dropped: 0,
      queued: 0,
    })
  }
})

test('the parts fit the types of NodeSDK', () => {
  const processor = new HotspanSpanProcessor()
  const configuration: Partial<NodeSDKConfiguration> = {
    contextManager: new HotspanContextManager(),
    spanProcessors: [processor],
    traceExporter: new HotspanSpanExporter(),
  }
  // Not constructed: it would watch the test's own process.
  const parts: (typeof HotspanInstrumentation extends new (...args: never[]) => infer T ? T : never)[] = []
  configuration.instrumentations = parts
  expect(configuration.spanProcessors).toHaveLength(1)
})
