import { channel } from 'node:diagnostics_channel'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fault, faultCount, faultCounts, reportFaultsTo } from './faults.ts'
import { installHttpServer } from './instrumentations/http-server.ts'
import { createLog } from './log.ts'
import { attributesOf, byHand, only, type Sink, startSink } from './testing/sink.ts'
import { startApp } from './testing/test-app.ts'

let sink: Sink
beforeEach(async () => {
  sink = await startSink()
})
afterEach(() => sink.close())

test('start, stats, instrument and stop, without --import', async () => {
  const app = await startApp(
    'start-app.mjs',
    { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, HOTSPAN_DISABLED_INSTRUMENTATIONS: 'redis' },
    { agent: false },
  )
  const told = await app.printed(() => true)
  expect(await app.ended).toEqual({ code: 0, signal: null })
  expect(told).toMatchObject({
    started: true,
    again: true,
    early: false,
    known: true,
    unknown: false,
    off: false,
    before: { running: true, spans: { made: 1, sent: 0, failed: 0, dropped: 0, queued: 1 }, faults: {} },
    after: { running: false },
  })
  expect(byHand(sink.spans).map(({ name }) => name)).toEqual(['one'])
  expect(attributesOf(only(sink.spans, 'one').resource)).toMatchObject({
    'service.name': 'started',
    'service.version': '2.0',
    team: 'a',
  })
})

test('a fault of ours is counted, never thrown; ten switch the instrumentation off', () => {
  const lines: string[] = []
  reportFaultsTo((line) => lines.push(line))
  const stop = installHttpServer()
  const started = channel('http.server.request.start')
  // No request and no response in it: our hook fails on each of these.
  for (let i = 0; i < 15; i++) started.publish({})
  stop()
  expect(faultCount('http-server')).toMatchObject({ faults: 10, off: true })
  expect(faultCounts()['http-server']?.last).not.toBe('')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('http-server is switched off after 10 faults')
})

test('a fault that is no Error is counted too', () => {
  fault('odd', 'text')
  expect(faultCounts().odd).toEqual({ faults: 1, off: false, last: 'text' })
})

test('the log writes once a minute and says what it held back', () => {
  const written: string[] = []
  const log = createLog((text) => written.push(text))
  for (let i = 0; i < 5; i++) log(`line ${i}`)
  expect(written).toEqual(['[hotspan] line 0\n'])
})
