import { expect, test } from 'vitest'
import { findingOf, hostile, hostileReport, nPlusOneTrace, reportOf, spanOf } from '../testing/reports.ts'
import { buildWaterfall } from '../trace/waterfall.ts'
import { renderFindingText, renderText } from './text.ts'
import { renderWaterfallText } from './waterfall-text.ts'

test('a finding has the three lines of a list, the most useful fact first', () => {
  const lines = renderFindingText(findingOf({ fix: 'load all reviews with one IN list' }), {
    brief: true,
  }).split('\n')
  expect(lines[0]).toBe('HIGH   N+1 query  GET /products   saves 182 ms (165-198), 76 % of the time')
  expect(lines[1]).toBe('      api/src/products.ts:48   calls per request: 47 calls (45-49), n 211')
  expect(lines[2]).toBe('      fix: load all reviews with one IN list')
  expect(lines[3]).toMatch(/^ {6}hotspan trace 7+1$/)
})

test('where no command can open a trace, three ids are listed', () => {
  const traceIds = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(32))
  const lines = renderFindingText(findingOf({ traceIds }), { brief: true, traceCommand: '' }).split('\n')
  expect(lines.filter((line) => /[a-d]{32}/.test(line))).toEqual([
    `      traces: ${traceIds[0]}`,
    `              ${traceIds[1]}`,
    `              ${traceIds[2]}`,
  ])
})

test('lines keep to the width, except for ids and code that must be copied whole', () => {
  for (const width of [60, 80, 120]) {
    for (const line of renderText(reportOf(), { width }).split('\n')) {
      const copied = /[0-9a-f]{32}|SELECT/.test(line)
      if (!copied) expect(line.length, line).toBeLessThanOrEqual(width)
    }
  }
})

test('colour is a carrier beside words, never the only one', () => {
  const colored = renderText(reportOf(), { color: true })
  expect(colored).toContain('\u001b[')
  expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(renderText(reportOf(), { color: false }))
})

test('nothing from outside reaches the terminal as a command', () => {
  for (const text of Object.values(hostile)) {
    expect(renderText(hostileReport(text), { possible: true })).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/,
    )
    const span = spanOf({
      spanId: 'a',
      name: text,
      service: text,
      traceId: text,
      attributes: { 'db.query.text': text, 'code.file.path': text },
    })
    expect(renderWaterfallText(buildWaterfall([span]))).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/,
    )
  }
  expect(renderText(hostileReport(hostile.terminal))).toContain('\\x1b[2J')
})

test('a waterfall folds equal siblings, marks critical path and errors, and fits 80 columns', () => {
  const spans = nPlusOneTrace(47)
  const waterfall = buildWaterfall(spans, { criticalSpanIds: new Set(['root', 'call0', 'call46']) })
  const text = renderWaterfallText(waterfall)
  expect(text).toContain('45 more x SELECT reviews')
  expect(text).toMatch(/^\* {2}GET \/products .*240 ms \|#+$/m)
  expect(text).toMatch(/^ ! {2}GET .*30 ms \| +=+$/m)
  expect(text).toContain('api/src/products.ts:48  SELECT * FROM reviews')
  expect(text).toContain('49 spans of shop-api, 1 error')
  for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
})
