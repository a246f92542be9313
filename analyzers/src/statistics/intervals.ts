import type { Interval } from '../finding.ts'
import { binomialUpperTail, normalUpperQuantile, studentUpperQuantile } from './distributions.ts'

/** Below this many values no pair of order statistics covers a median with 95 %. */
export const minValuesForOrderStatistics = 6

/** Quantile q (0 to 1) of sorted values, linear between neighbours (type 7). NaN when empty. */
export function quantileOfSorted(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * q
  const low = Math.floor(at)
  const below = sorted[low]!
  return below + (at - low) * ((sorted[low + 1] ?? below) - below)
}

export function quantile(values: readonly number[], q: number): number {
  return quantileOfSorted(ascending(values), q)
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** A copy, smallest first. */
export const ascending = (values: readonly number[]): number[] =>
  Float64Array.from(values).sort() as unknown as number[]

/**
 * Quantile with a distribution-free 95 % interval from order statistics: each end is exceeded with at most 2.5 %. Where too few
 * values lie beyond an end, that end is infinite.
 */
export function quantileInterval(values: readonly number[], q: number): Interval {
  const sorted = ascending(values)
  const n = sorted.length
  // low = x_(r): P(fewer than r values below the quantile) = P(X < r) <= 2.5 %, X ~ Binomial(n, q).
  let r = 0
  while (r < n && 1 - binomialUpperTail(r + 1, n, q) <= 0.025) r += 1
  let s = n + 1
  while (s > 1 && binomialUpperTail(s - 1, n, q) <= 0.025) s -= 1
  return {
    value: quantileOfSorted(sorted, q),
    low: r >= 1 ? sorted[r - 1]! : Number.NEGATIVE_INFINITY,
    high: s <= n ? sorted[s - 1]! : Number.POSITIVE_INFINITY,
  }
}

/**
 * Median with a 95 % interval: order statistics from six values on, Student's t about the mean below (three to five values
 * cannot give 95 % without an assumption about their shape). Two or fewer values give an infinite interval.
 */
export function medianInterval(values: readonly number[]): Interval {
  if (values.length >= minValuesForOrderStatistics) return quantileInterval(values, 0.5)
  const value = median(values)
  if (values.length < 3) return { value, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  const half = meanHalfWidth(values)
  const mean = meanOf(values)
  return { value, low: Math.min(value, mean - half), high: Math.max(value, mean + half) }
}

/** Mean with its Student 95 % interval. */
export function meanInterval(values: readonly number[]): Interval {
  const value = meanOf(values)
  if (values.length < 2) return { value, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  const half = meanHalfWidth(values)
  return { value, low: value - half, high: value + half }
}

export function meanOf(values: readonly number[]): number {
  let sum = 0
  for (const value of values) sum += value
  return values.length === 0 ? Number.NaN : sum / values.length
}

export function standardDeviation(values: readonly number[]): number {
  const mean = meanOf(values)
  let sum = 0
  for (const value of values) sum += (value - mean) ** 2
  return Math.sqrt(sum / (values.length - 1))
}

function meanHalfWidth(values: readonly number[]): number {
  return (
    (studentUpperQuantile(0.025, values.length - 1) * standardDeviation(values)) / Math.sqrt(values.length)
  )
}

/** Wilson's 95 % interval of a share. */
export function wilsonInterval(successes: number, trials: number): Interval {
  if (trials === 0) return { value: Number.NaN, low: 0, high: 1 }
  const z = normalUpperQuantile(0.025)
  const share = successes / trials
  const z2n = (z * z) / trials
  const centre = (share + z2n / 2) / (1 + z2n)
  const half = (z * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials))) / (1 + z2n)
  return { value: share, low: Math.max(0, centre - half), high: Math.min(1, centre + half) }
}
