import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  binomialUpperTail,
  incompleteBeta,
  normalUpperQuantile,
  normalUpperTail,
  studentUpperQuantile,
  studentUpperTail,
} from './distributions.ts'
import { medianInterval, quantile, quantileInterval, wilsonInterval } from './intervals.ts'
import { seededRandom } from './random.ts'
import { theilSen } from './slope.ts'
import { aboveBoundP, benjaminiHochberg, mannWhitneyP } from './tests.ts'

describe('known answers', () => {
  test('normal, Student, beta, binomial (published tables, R 4)', () => {
    expect(normalUpperTail(1.959963984540054)).toBeCloseTo(0.025, 12)
    expect(normalUpperTail(6)).toBeCloseTo(9.865876450376981e-10, 18)
    expect(normalUpperQuantile(0.025)).toBeCloseTo(1.959963984540054, 10)
    expect(studentUpperTail(2.776445105197799, 4)).toBeCloseTo(0.025, 10)
    expect(studentUpperQuantile(0.025, 2)).toBeCloseTo(4.302652729749464, 8)
    expect(incompleteBeta(0.3, 2, 5)).toBeCloseTo(0.579825, 6)
    expect(binomialUpperTail(8, 10, 0.5)).toBeCloseTo(56 / 1024, 12)
  })

  test('median of 1 to 10: the order statistics 2 and 9 (coverage 0.979)', () => {
    expect(medianInterval([3, 1, 2, 5, 4, 6, 7, 8, 10, 9])).toEqual({ value: 5.5, low: 2, high: 9 })
  })

  test('p95 of 20 values has no upper bound, of 100 values a lower one at 89', () => {
    const values = Array.from({ length: 100 }, (_, i) => i + 1)
    expect(quantileInterval(values.slice(0, 20), 0.95).high).toBe(Number.POSITIVE_INFINITY)
    expect(quantileInterval(values, 0.95).low).toBe(90)
  })

  test('Wilson 8 of 10 (Agresti and Coull)', () => {
    const { low, high } = wilsonInterval(8, 10)
    expect(low).toBeCloseTo(0.4901625, 6)
    expect(high).toBeCloseTo(0.9433178, 6)
  })

  test('Mann-Whitney: exact without ties, approximate with', () => {
    expect(mannWhitneyP([4, 5, 6], [1, 2, 3])).toEqual({ u: 9, p: 0.05 })
    const { p } = mannWhitneyP([1.1, 2.2, 3.3, 4.4], [0.5, 1.2, 2.1, 3.2])
    expect(p).toBeCloseTo(1 - 0.8285714 + 0, 1)
    expect(mannWhitneyP([1, 1, 1], [1, 1, 1]).p).toBe(1)
  })

  test('Benjamini-Hochberg rejects up to the last p below its line (1995, table 1)', () => {
    const ps = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
      0.759, 1,
    ]
    expect(benjaminiHochberg(ps, 0.05).filter(Boolean)).toHaveLength(4)
    expect(benjaminiHochberg([...ps].reverse(), 0.05).indexOf(true)).toBe(11)
  })

  test('Theil-Sen: exact on a line, one outlier changes nothing, no growth is not found', () => {
    const line = Array.from({ length: 20 }, (_, i) => [i, 3 * i + 7] as const)
    expect(theilSen(line)!.slope).toEqual({ value: 3, low: 3, high: 3 })
    expect(theilSen(line)!.growthP).toBeLessThan(1e-6)
    const outlier = line.map(([x, y], i) => [x, i === 10 ? 10_000 : y] as const)
    expect(theilSen(outlier)!.slope.value).toBeCloseTo(3, 9)
    expect(theilSen(line.map(([x]) => [x, 5] as const))!.growthP).toBeGreaterThan(0.4)
    expect(theilSen(line.map(([, y]) => [5, y] as const))).toBeNull()
  })
})

describe('properties', () => {
  test('the median interval covers the true median about 95 times in 100, and at least 93', () => {
    const random = seededRandom(7)
    let covered = 0
    for (let round = 0; round < 2000; round++) {
      const { low, high } = medianInterval(Array.from({ length: 15 }, () => -Math.log(1 - random())))
      if (low <= Math.LN2 && Math.LN2 <= high) covered += 1
    }
    expect(covered / 2000).toBeGreaterThan(0.93)
  })

  test('the sign test holds its level under the null', () => {
    const random = seededRandom(11)
    let rejected = 0
    for (let round = 0; round < 2000; round++)
      if (aboveBoundP(Array.from({ length: 12 }, random), 0.5) < 0.05) rejected += 1
    expect(rejected / 2000).toBeLessThan(0.06)
  })

  test('quantiles lie within the values and do not depend on their order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, q) => {
          const got = quantile(values, q)
          expect(got).toBeGreaterThanOrEqual(Math.min(...values))
          expect(got).toBeLessThanOrEqual(Math.max(...values))
          expect(quantile([...values].reverse(), q)).toBe(got)
        },
      ),
    )
  })
})
