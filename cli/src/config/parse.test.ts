import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'
import { parseDurationMs, parseInstantMs } from './parse.ts'
import { parseBudget } from './parse-budget.ts'

test.each([
  ['500ms', 500],
  ['1.5s', 1500],
  ['15m', 900_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
  ['15', undefined],
  ['-5m', undefined],
  ['0s', undefined],
  ['1h30m', undefined],
  ['401d', undefined],
])('duration %s is %s ms', (text, ms) => expect(parseDurationMs(text)).toBe(ms))

test.each([
  ['2026-05-04T10:00:00Z', Date.UTC(2026, 4, 4, 10)],
  ['2026-05-04T10:00', Date.UTC(2026, 4, 4, 10)],
  ['2026-05-04T12:00:00+02:00', Date.UTC(2026, 4, 4, 10)],
  ['2026-05-04', Date.UTC(2026, 4, 4)],
  ['1777888800000', 1_777_888_800_000],
  ['10:00', undefined],
  ['2026-13-40', undefined],
  ['1', undefined],
])('instant %s is %s', (text, ms) => expect(parseInstantMs(text)).toBe(ms))

test.each([
  ['p95<=250ms', 'latency.p95', 'at-most', 250, 'ms'],
  ['GET /products p99 <= 0.4s', 'latency.p99/GET /products', 'at-most', 400, 'ms'],
  ['error_rate<=1%', 'error.ratio', 'at-most', 0.01, '1'],
  ['score>=0.9', 'performance.score', 'at-least', 0.9, '1'],
  ['cls<=0.1', 'cumulative-layout-shift', 'at-most', 0.1, '1'],
  ['bytes<=500kB', 'total-byte-weight', 'at-most', 500_000, 'By'],
  ['transfer-size/script<=170kB', 'transfer-size/script', 'at-most', 170_000, 'By'],
])('budget %s is understood', (text, metric, direction, limit, unit) => {
  expect(parseBudget(text)).toEqual({ text, metric, direction, limit, unit })
})

test.each([
  'p95=250ms',
  'p95<250ms',
  'p95<=',
  'p95<=250',
  'cls<=3ms',
  'score>=90ms',
  '<=3',
  'p95<=250 bananas',
  '',
])('budget %j is refused', (text) => expect(parseBudget(text)).toBeUndefined())

test('the nearest name is offered for a slip, and none for another word', () => {
  const known = ['text', 'json', 'markdown', 'html']
  expect(nearest('jsno', known)).toBe('json')
  expect(nearest('markdwon', known)).toBe('markdown')
  expect(nearest('HTML', known)).toBe('html')
  expect(nearest('protobuf', known)).toBeUndefined()
})
