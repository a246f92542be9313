import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { reluModel } from '../testing/relu-model.ts'
import { attributesOf, named, only, type ReceivedSpan, type Sink, startSink } from '../testing/sink.ts'
import { startApp, type TestApp } from '../testing/test-app.ts'

let sink: Sink
let app: TestApp
let folder: string

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hotspan-model-'))
  writeFileSync(join(folder, 'relu.onnx'), reluModel())
  sink = await startSink()
})
afterEach(async () => {
  await app?.end('SIGKILL')
  await sink.close()
  rmSync(folder, { recursive: true, force: true })
})

const start = async (env: Record<string, string>): Promise<void> => {
  app = await startApp('blocking.mjs', {
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    MODEL_FILE: join(folder, 'relu.onnx'),
    ...env,
  })
}

/** Stalls behind the app's own start. */
const stallsOf = (server: ReceivedSpan): ReceivedSpan[] =>
  named(sink.spans, 'event_loop.stall').filter(({ traceId }) => traceId === server.traceId)

test('a stall names the request that blocked and the function, after an await, while others wait', async () => {
  await start({ HOTSPAN_PROFILE: '1' })
  const answers = [fetch(`${app.url}/report?rounds=200`)]
  for (let i = 0; i < 5; i++) answers.push(fetch(`${app.url}/quick`))
  await Promise.all(answers)
  // A flush at the end reports what waits for its samples.
  await app.end()
  const server = only(sink.spans, 'GET /report')
  // A busy machine may add stalls of its own in which our thread was not scheduled: they have no function.
  const [stall] = stallsOf(server).filter((span) => 'code.function.name' in attributesOf(span))
  expect(stall).toMatchObject({ name: 'event_loop.stall', kind: 1, parentSpanId: server.spanId })
  const attributes = attributesOf(stall!)
  expect(attributes).toMatchObject({
    'code.function.name': 'sortManyTimes',
    'code.file.path': 'test-apps/blocking.mjs',
    'code.line.number': 7,
    'code.stacktrace': expect.stringContaining('at sortManyTimes ('),
  })
  const durationMs = attributes['hotspan.event_loop.stall.duration'] as number
  expect(durationMs).toBeGreaterThanOrEqual(50)
  expect(attributes['hotspan.event_loop.stall.samples']).toBeGreaterThan(0)
  expect(attributes['hotspan.event_loop.stall.cpu_time']).toBeGreaterThan(0)
  expect(attributes['hotspan.event_loop.utilization']).toBeGreaterThan(0)
  expect(Number(stall!.endTimeUnixNano - stall!.startTimeUnixNano) / 1e6).toBeCloseTo(durationMs, 3)
  const ofQuick = named(sink.spans, 'GET /quick').flatMap((quick) => stallsOf(quick).map(attributesOf))
  expect(ofQuick.map((one) => one['code.function.name'])).not.toContain('sortManyTimes')
})

test('reading the samples is not reported as a stall', async () => {
  await start({ HOTSPAN_PROFILE: '1' })
  await fetch(`${app.url}/report`)
  // One second after the stall the samples are read, which blocks the loop for a moment; the stall's span comes from it.
  await sink.until((all) =>
    all.some(({ name, parentSpanId }) => name === 'event_loop.stall' && parentSpanId !== ''),
  )
  await fetch(`${app.url}/quick`)
  await app.end()
  const server = only(sink.spans, 'GET /report')
  // Reading takes CPU time; a thread that is not scheduled on a busy machine takes none.
  const later = named(sink.spans, 'event_loop.stall').filter(
    (span) =>
      span.startTimeUnixNano > server.endTimeUnixNano + 50_000_000n &&
      (attributesOf(span)['hotspan.event_loop.stall.cpu_time'] as number) > 20,
  )
  expect(later).toEqual([])
})

test('without the profiler the stall is still there, without a function', async () => {
  await start({})
  await fetch(`${app.url}/report?rounds=200`)
  await app.end()
  const server = only(sink.spans, 'GET /report')
  const stalls = named(sink.spans, 'event_loop.stall').filter(
    ({ endTimeUnixNano }) => endTimeUnixNano > server.startTimeUnixNano + 50_000_000n,
  )
  expect(stalls.length).toBeGreaterThanOrEqual(1)
  for (const stall of stalls) expect(attributesOf(stall)).not.toHaveProperty('code.function.name')
})

test('model load and run are spans of the request', async () => {
  await start({ HOTSPAN_CALL_SITES: '1' })
  const answer = await fetch(`${app.url}/predict`)
  expect(await answer.json()).toEqual({ y: [1, 2, 3, 4, 5, 6] })
  await fetch(`${app.url}/predict`)
  await app.end()
  const servers = named(sink.spans, 'GET /predict')
  const load = only(sink.spans, 'inference.load relu.onnx')
  const forwards = named(sink.spans, 'inference.forward relu.onnx')
  expect(load.parentSpanId).toBe(servers[0]!.spanId)
  expect(forwards.map(({ parentSpanId }) => parentSpanId)).toEqual(servers.map(({ spanId }) => spanId))
  expect(attributesOf(load)).toMatchObject({
    'hotspan.inference.model.name': 'relu.onnx',
    'hotspan.inference.phase': 'load',
    'hotspan.inference.thread': 'main',
    'code.file.path': 'test-apps/blocking.mjs',
  })
  expect(attributesOf(forwards[0]!)).toMatchObject({
    'hotspan.inference.model.name': 'relu.onnx',
    'hotspan.inference.phase': 'forward',
    'hotspan.inference.batch.size': 2,
    'hotspan.inference.input.shapes': 'x:[2,3]',
    'hotspan.inference.thread': 'main',
  })
})
