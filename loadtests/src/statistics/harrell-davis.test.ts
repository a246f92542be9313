import { expect, test } from 'vitest'
import { createRandom } from '../generator/random.ts'
import { harrellDavis, regularisedBeta } from './harrell-davis.ts'

test('the incomplete beta function has its known values', () => {
  // Closed forms: I(x; 1, 1) = x, I(x; 2, 2) = 3x^2 - 2x^3, I(x; a, 1) = x^a, I(x; 1/2, 1/2) = 2/pi asin(sqrt x).
  expect(regularisedBeta(0.3, 1, 1)).toBeCloseTo(0.3, 12)
  expect(regularisedBeta(0.3, 2, 2)).toBeCloseTo(3 * 0.09 - 2 * 0.027, 12)
  expect(regularisedBeta(0.7, 5, 1)).toBeCloseTo(0.7 ** 5, 12)
  expect(regularisedBeta(0.2, 0.5, 0.5)).toBeCloseTo((2 / Math.PI) * Math.asin(Math.sqrt(0.2)), 12)
  expect(regularisedBeta(0.5, 5000, 5000)).toBeCloseTo(0.5, 10)
})

test('small cases by hand', () => {
  // n = 2, q = 1/2: a = b = 3/2, the weights are equal by symmetry.
  expect(harrellDavis([10, 20], 0.5)).toBeCloseTo(15, 12)
  // n = 3, q = 1/2: a = b = 2, I(1/3) = 3/9 - 2/27 = 7/27: weights 7/27, 13/27, 7/27.
  expect(harrellDavis([3, 1, 8], 0.5)).toBeCloseTo((7 * 1 + 13 * 3 + 7 * 8) / 27, 12)
  expect(harrellDavis([4], 0.95)).toBe(4)
  expect(harrellDavis([], 0.5)).toBeNaN()
  expect(harrellDavis(Array(100).fill(6), 0.99)).toBeCloseTo(6, 12)
})

test('the window of weights changes nothing, and large samples meet the distribution', () => {
  const random = createRandom(11)
  const values = Float64Array.from({ length: 100_000 }, () => -Math.log(1 - random.next())).sort()
  for (const q of [0.1, 0.5, 0.9, 0.95, 0.99]) {
    const exact = -Math.log(1 - q)
    const standardError = Math.sqrt((q * (1 - q)) / values.length) / (1 - q)
    expect(Math.abs(harrellDavis(values, q) - exact)).toBeLessThan(5 * standardError)
  }
  const few = values.filter((_, i) => i % 500 === 0)
  const n = few.length
  for (const q of [0.05, 0.5, 0.95]) {
    const [a, b] = [(n + 1) * q, (n + 1) * (1 - q)]
    let full = 0
    for (let i = 0; i < n; i++)
      full += (regularisedBeta((i + 1) / n, a, b) - regularisedBeta(i / n, a, b)) * few[i]!
    expect(harrellDavis(few, q)).toBeCloseTo(full, 12)
  }
})

test('units change nothing', () => {
  const values = [3, 9, 1, 7, 7, 2]
  expect(
    harrellDavis(
      values.map((v) => v * 1000),
      0.9,
    ),
  ).toBeCloseTo(1000 * harrellDavis(values, 0.9), 8)
})
