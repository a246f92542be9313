import type { Run } from '@hotspan/loadtests'
import { expect, test } from 'vitest'
import { judgeBudgets, minValues } from './budgets.ts'

const run = (metrics: Run['metrics'], voidReason = ''): Run => ({
  schemaVersion: 1,
  id: 'run-1',
  kind: 'load',
  driver: 'hotspan',
  driverVersion: '0.1.0',
  model: 'open',
  scenario: 'mix',
  url: 'http://localhost',
  startedAtUnixMs: 0,
  warmUpMs: 0,
  measuredMs: 10_000,
  arrivals: 'constant',
  arrivalsPerSec: 60,
  seed: 1,
  commit: '',
  branch: '',
  dirty: false,
  machineKey: '',
  configHash: '',
  health: { sent: 600, failed: 0, refused: 0, lateShareRatio: 0, generatorCpuMs: 1, voidReason },
  metrics,
  command: [],
})
const p95 = 'latency.p95/GET /products'

test('a figure within its bounds passes, beyond them fails, and the line says by how much', () => {
  const runs = [run({ [p95]: { value: 240, unit: 'ms', n: 600 } })]
  expect(judgeBudgets(runs, { [p95]: { max: 250 } }).verdict).toBe('pass')
  const failed = judgeBudgets(runs, { [p95]: { max: 200 }, 'error.ratio': { max: 0 } })
  expect(failed.verdict).toBe('fail')
  expect(failed.lines[0]).toMatchObject({
    verdict: 'fail',
    value: 240,
    reason: '240 ms is above 200 ms',
    runIds: ['run-1'],
  })
  expect(judgeBudgets(runs, { [p95]: { min: 300 } }).verdict).toBe('fail')
})

test.each([
  [499, 'inconclusive'],
  [500, 'pass'],
] as const)('p95 of %i values is %s', (n, verdict) => {
  expect(judgeBudgets([run({ [p95]: { value: 1, unit: 'ms', n } })], { [p95]: { max: 2 } }).verdict).toBe(
    verdict,
  )
})

test('values that each quantile needs', () => {
  expect(
    [
      'latency.p50',
      'latency.p10',
      'latency.p90/x',
      p95,
      'latency.p99',
      'latency.p999/p',
      'latency.mean',
      'largest-contentful-paint',
    ].map(minValues),
  ).toEqual([50, 250, 250, 500, 2500, 25_000, 1, 1])
})

test('a missing figure, a void run and no budget are inconclusive; a budget without a bound is refused', () => {
  const good = run({ 'latency.mean': { value: 5, unit: 'ms', n: 600 } })
  const missing = judgeBudgets([good], { lcp: { max: 1 } })
  expect(missing).toMatchObject({ verdict: 'inconclusive' })
  expect(missing.lines[0]!.reason).toContain('latency.mean')
  expect(
    judgeBudgets([run(good.metrics, 'generator overloaded')], { 'latency.mean': { max: 1 } }).lines[0]!
      .reason,
  ).toContain('generator overloaded')
  expect(judgeBudgets([good], {}).verdict).toBe('inconclusive')
  expect(() => judgeBudgets([good], { 'latency.mean': {} })).toThrow('no bound')
  expect(() => judgeBudgets([good], { 'latency.mean': { min: 2, max: 1 } })).toThrow('min 2 above max 1')
})

test('several runs are judged by their median', () => {
  const runs = [9, 1, 2].map((value) => run({ lcp: { value, unit: 'ms', n: 1 } }))
  expect(judgeBudgets(runs, { lcp: { max: 2 } })).toMatchObject({
    verdict: 'pass',
    lines: [{ value: 2, n: 3 }],
  })
})
