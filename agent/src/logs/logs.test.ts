import { afterEach, beforeEach, expect, test } from 'vitest'
import { type SignalSink, startSignalSink } from '../testing/signal-sink.ts'
import { attributesOf } from '../testing/sink.ts'
import { startApp, type TestApp } from '../testing/test-app.ts'

type Line = Record<string, unknown>
interface Answer {
  lines: Line[]
  stats: { logs: Record<string, number>; faults: object }
}

let sink: SignalSink
let app: TestApp | undefined
beforeEach(async () => {
  sink = await startSignalSink()
})
afterEach(async () => {
  await app?.end('SIGKILL')
  await sink.close()
})

const start = async (env: Record<string, string> = {}): Promise<void> => {
  app = await startApp('log-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env })
}

const ask = async (path: string): Promise<Answer> =>
  (await fetch(`${app!.url}${path}`).then((answer) => answer.json())) as Answer

/** The server span of the only request. */
const serverSpan = async () =>
  (await sink.until(({ spans }) => spans.some(({ kind }) => kind === 2))).spans.find(
    ({ kind }) => kind === 2,
  )!

const recordsOf = (scope: string) => sink.logs.filter(({ scopeName }) => scopeName === scope)

test("pino's lines carry the ids of the request's span, and only inside one; none are sent unasked", async () => {
  await start()
  const { lines } = await ask('/pino')
  const { traceId, spanId } = await serverSpan()
  const ids = { trace_id: traceId, span_id: spanId, trace_flags: '01' }
  expect(lines).toHaveLength(4)
  expect(lines[0]).toMatchObject({ msg: 'hello you', items: 3, mixed: 1, password: '[Redacted]', ...ids })
  expect(lines[1]).toMatchObject({ msg: 'child', tenant: 'acme', ...ids })
  expect(lines[2]).toMatchObject({ msg: 'broken', err: { type: 'TypeError' }, ...ids })
  expect(lines[3]).toMatchObject({ msg: 'own field', trace_id: 'mine' })
  expect((await app!.printed(() => true)).first).not.toHaveProperty('trace_id')
  expect(sink.logs).toEqual([])
})

test("pino's lines as OTLP records, after redaction", async () => {
  await start({ OTEL_LOGS_EXPORTER: 'otlp' })
  await ask('/pino')
  const { traceId, spanId } = await serverSpan()
  await sink.until(({ logs }) => logs.length === 5)
  const [outside, hello, child, broken] = recordsOf('pino')
  expect(outside).toMatchObject({ body: 'outside', traceId: '', spanId: '', severityNumber: 9 })
  expect(hello).toMatchObject({
    body: 'hello you',
    severityNumber: 9,
    severityText: 'info',
    traceId,
    spanId,
    flags: 1,
  })
  expect(attributesOf(hello!)).toEqual({
    items: 3,
    mixed: 1,
    password: '[Redacted]',
    ratio: 0.5,
    list: [1n, 'a'],
    deep: { kvlist: [{ key: 'on', value: true }] },
  })
  expect(hello!.timeUnixNano).toBeGreaterThan(1_600_000_000_000_000_000n)
  expect(child).toMatchObject({ body: 'child', severityNumber: 13, severityText: 'warn', traceId })
  expect(attributesOf(child!)).toMatchObject({ tenant: 'acme' })
  expect(broken).toMatchObject({ body: 'broken', severityNumber: 17 })
  expect(attributesOf(broken!)).toMatchObject({
    'exception.type': 'TypeError',
    'exception.message': 'broken',
    'exception.stacktrace': expect.stringContaining('log-app.mjs'),
  })
  expect(attributesOf(hello!.resource)).toMatchObject({ 'service.name': 'test-app' })
})

test("winston's records carry the ids and go out formatted, those below the level do not", async () => {
  await start({ OTEL_LOGS_EXPORTER: 'otlp' })
  const { lines } = await ask('/winston')
  const { traceId, spanId } = await serverSpan()
  const ids = { trace_id: traceId, span_id: spanId, trace_flags: '01' }
  expect(lines).toMatchObject([
    { message: 'hello', items: 3, ...ids },
    { message: 'child', tenant: 'acme', ...ids },
    { message: 'broken', ...ids },
    { message: 'frozen', ...ids },
  ])
  await sink.until(() => recordsOf('winston').length === 4)
  const [hello, child, broken] = recordsOf('winston')
  expect(hello).toMatchObject({
    body: 'hello',
    severityNumber: 9,
    severityText: 'info',
    traceId,
    spanId,
    flags: 1,
  })
  expect(attributesOf(hello!)).toEqual({ items: 3 })
  expect(child).toMatchObject({ body: 'child', severityNumber: 13 })
  expect(broken).toMatchObject({ body: 'broken', severityNumber: 17 })
  expect(attributesOf(broken!)).toMatchObject({
    'exception.type': 'TypeError',
    'exception.message': 'inside',
  })
})

test('the queue is bounded and what does not fit is counted: sent + dropped = made', async () => {
  await start({
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_BLRP_MAX_QUEUE_SIZE: '100',
    OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: '50',
  })
  await sink.until(({ logs }) => logs.length === 1)
  const { stats } = await ask('/many')
  expect(stats.logs).toMatchObject({ made: 1001, dropped: 900, queued: 100, sent: 1, failed: 0 })
  expect(stats.faults).toEqual({})
  await app!.end()
  expect(sink.logs).toHaveLength(101)
})

test('an instrumentation of a logger can be left out', async () => {
  await start({ HOTSPAN_DISABLED_INSTRUMENTATIONS: 'pino' })
  const { lines } = await ask('/pino')
  expect(lines[0]).not.toHaveProperty('trace_id')
})
