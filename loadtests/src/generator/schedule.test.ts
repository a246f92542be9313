import { expect, test } from 'vitest'
import type { Scenario } from './scenario.ts'
import { planRequests, type ScheduleOptions } from './schedule.ts'

const scenario: Scenario = {
  name: 'shop',
  endpoints: [
    { name: 'GET /products/:id', path: (random) => `/products/${random.integer(1, 500)}`, weight: 3 },
    { name: 'GET /', path: '/' },
    {
      name: 'POST /cart',
      method: 'POST',
      path: '/cart',
      body: (random) => `{"id":${random.integer(1, 9)}}`,
      weight: 0,
    },
  ],
}
const base: ScheduleOptions = {
  scenario,
  arrivals: 'poisson',
  arrivalsPerSec: 200,
  lengthMs: 100_000,
  seed: 7,
  maxRequests: 1_000_000,
}

test('one seed gives one schedule, another seed another', () => {
  const digest = (options: ScheduleOptions) =>
    [...planRequests(options)].map((r) => `${r.dueMs} ${r.path} ${r.body}`)
  expect(digest(base)).toEqual(digest(base))
  expect(digest({ ...base, seed: 8 })).not.toEqual(digest(base))
  expect(digest({ ...base, seed: 7 + 2 ** 32 })).not.toEqual(digest(base))
})

test('arrivals do not depend on the endpoints', () => {
  const due = (s: Scenario) => [...planRequests({ ...base, scenario: s })].map((r) => r.dueMs)
  expect(due({ name: 'one', endpoints: [{ name: 'GET /', path: '/' }] })).toEqual(due(scenario))
})

test('Poisson arrivals have the mean, the spread and the independence of a Poisson process', () => {
  const due = [...planRequests(base)].map((r) => r.dueMs)
  // 20,000 expected; five standard deviations of a Poisson count.
  expect(Math.abs(due.length - 20_000)).toBeLessThan(5 * Math.sqrt(20_000))
  const gaps = due.slice(1).map((ms, i) => ms - due[i]!)
  const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length
  const variance = gaps.reduce((a, b) => a + (b - mean) ** 2, 0) / gaps.length
  // Exponential: the coefficient of variation is 1 (its standard error here is 0.01), and 1 - 1/e of the gaps are below the mean.
  expect(Math.abs(Math.sqrt(variance) / mean - 1)).toBeLessThan(0.05)
  const below = gaps.filter((gap) => gap < mean).length / gaps.length
  expect(Math.abs(below - (1 - 1 / Math.E))).toBeLessThan(0.02)
  const lag =
    gaps.slice(1).reduce((sum, gap, i) => sum + (gap - mean) * (gaps[i]! - mean), 0) / gaps.length / variance
  expect(Math.abs(lag)).toBeLessThan(0.04)
})

test('weights are kept, zero weight is never drawn', () => {
  const counts = [0, 0, 0]
  for (const request of planRequests(base)) counts[request.endpointIndex]!++
  expect(counts[2]).toBe(0)
  expect(Math.abs(counts[0]! / (counts[0]! + counts[1]!) - 0.75)).toBeLessThan(0.02)
})

test('constant arrivals fill the time without drift and stop at the bound', () => {
  const constant: ScheduleOptions = { ...base, arrivals: 'constant', arrivalsPerSec: 300, lengthMs: 10_000 }
  const due = [...planRequests(constant)].map((r) => r.dueMs)
  expect(due).toHaveLength(3000)
  expect(due[0]).toBe(0)
  expect(due[2999]).toBeCloseTo(9996.667, 2)
  expect([...planRequests({ ...constant, maxRequests: 10 })]).toHaveLength(10)
})

test('a path that a function drew badly is named', () => {
  const bad: Scenario = { name: 'bad', endpoints: [{ name: 'GET x', path: () => 'no slash' }] }
  expect(() => [...planRequests({ ...base, scenario: bad })]).toThrow(
    /path of endpoint GET x is "no slash"; expected/,
  )
})
