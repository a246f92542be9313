import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Sink, startSink } from '../testing/sink.ts'
import { startApp, type TestApp } from '../testing/test-app.ts'

let sink: Sink
let app: TestApp | undefined

beforeEach(async () => {
  sink = await startSink()
})
afterEach(async () => {
  await app?.end('SIGKILL')
  app = undefined
  await sink.close()
})

type Headers = Record<string, string>

const id = '0af7651916cd43dd8448eb211c80319c'
const parent = 'b7ad6b7169203331'
const asDecimal = (spanId: string): string => BigInt(`0x${spanId}`).toString()

const cases: { names: string; incoming: Headers; outgoing: (spanId: string) => Headers }[] = [
  {
    names: 'tracecontext',
    incoming: { traceparent: `00-${id}-${parent}-01` },
    outgoing: (span) => ({ traceparent: `00-${id}-${span}-01` }),
  },
  {
    names: 'b3',
    incoming: { b3: `${id}-${parent}-1` },
    outgoing: (span) => ({ b3: `${id}-${span}-1` }),
  },
  {
    names: 'b3multi',
    incoming: { 'X-B3-TraceId': id, 'X-B3-SpanId': parent, 'X-B3-Sampled': '1' },
    outgoing: (span) => ({ 'x-b3-traceid': id, 'x-b3-spanid': span, 'x-b3-sampled': '1' }),
  },
  {
    names: 'xray',
    incoming: { 'X-Amzn-Trace-Id': `Root=1-${id.slice(0, 8)}-${id.slice(8)};Parent=${parent};Sampled=1` },
    outgoing: (span) => ({
      'x-amzn-trace-id': `Root=1-${id.slice(0, 8)}-${id.slice(8)};Parent=${span};Sampled=1`,
    }),
  },
  {
    names: 'jaeger',
    incoming: { 'uber-trace-id': `${id}:${parent}:0:1`, 'uberctx-tenant': 'a%20b' },
    outgoing: (span) => ({ 'uber-trace-id': `${id}:${span}:0:01`, 'uberctx-tenant': 'a%20b' }),
  },
  {
    names: 'gcp',
    incoming: { 'X-Cloud-Trace-Context': `${id}/${asDecimal(parent)};o=1` },
    outgoing: (span) => ({ 'x-cloud-trace-context': `${id}/${asDecimal(span)};o=1` }),
  },
  {
    names: 'cloudtrace,tracecontext,baggage',
    incoming: { 'X-Cloud-Trace-Context': `${id}/${asDecimal(parent)};o=1`, baggage: 'k=v' },
    outgoing: (span) => ({
      'x-cloud-trace-context': `${id}/${asDecimal(span)};o=1`,
      traceparent: `00-${id}-${span}-01`,
      baggage: 'k=v',
    }),
  },
]

const OF_A_FORMAT = /^(traceparent|tracestate|baggage|b3|x-b3-.*|x-amzn-.*|x-cloud-.*|uber.*)$/

test.each(cases)('$names: continued, and sent by http, fetch and the API', async (format) => {
  const { names, incoming, outgoing } = format
  app = await startApp('propagation-app.mjs', {
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_PROPAGATORS: names,
  })
  const ask = async (path: string): Promise<Record<string, unknown>> =>
    (await fetch(app!.url + path, { headers: incoming })).json() as Promise<Record<string, unknown>>
  const sent = [await ask('/'), await ask('/?by=fetch')]
  const { headers } = (await ask('/api')) as { headers: Headers }
  await app.end()

  const continued = sink.spans.filter(({ parentSpanId }) => parentSpanId === parent)
  expect(continued).toHaveLength(3)
  for (const span of continued) expect(span).toMatchObject({ traceId: id, kind: 2, flags: 0x301 })
  const clients = sink.spans.filter(({ kind }) => kind === 3)
  expect(clients).toHaveLength(2)
  // The servers of those requests stand below their clients: three processes' worth of one trace.
  for (const client of clients) {
    expect(sink.spans.filter(({ parentSpanId }) => parentSpanId === client.spanId)).toHaveLength(1)
  }
  const own = (all: Record<string, unknown>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(all).filter(([name]) => OF_A_FORMAT.test(name)))
  const expected = clients.map(({ spanId }) => outgoing(spanId))
  for (const got of sent) expect(expected).toContainEqual(own(got))
  expect(continued.map(({ spanId }) => outgoing(spanId))).toContainEqual(headers)
})

test('none: nothing is read, nothing is sent', async () => {
  app = await startApp('propagation-app.mjs', {
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_PROPAGATORS: 'none',
  })
  const answer = await fetch(`${app.url}/`, { headers: { traceparent: `00-${id}-${parent}-01` } })
  const got = (await answer.json()) as Headers
  expect(Object.keys(got).filter((name) => OF_A_FORMAT.test(name))).toEqual([])
  await app.end()
  expect(sink.spans.filter(({ traceId }) => traceId === id)).toHaveLength(0)
})
