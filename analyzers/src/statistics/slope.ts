import type { Interval } from '../finding.ts'
import { normalUpperQuantile, normalUpperTail } from './distributions.ts'
import { ascending, median } from './intervals.ts'

/** Points used: O(n^2) pairs, so longer series are thinned evenly. */
const maxPoints = 600

export interface Slope {
  /** Theil-Sen slope, y per x, with Sen's 95 % interval. */
  readonly slope: Interval
  readonly intercept: number
  /** One-sided p of Kendall's test that y grows with x. */
  readonly growthP: number
  readonly n: number
  readonly distinctX: number
}

/**
 * Robust slope of y on x: the median of pairwise slopes (Theil 1950, Sen 1968), interval and p from Kendall's S with ties in
 * both variables (normal approximation, continuity corrected). One slow outlier moves it by next to nothing, unlike least squares.
 *
 * @returns null when fewer than four points or one distinct x.
 */
export function theilSen(points: readonly (readonly [x: number, y: number])[]): Slope | null {
  const used = points.length <= maxPoints ? points : thin(points, maxPoints)
  const distinctX = new Set(used.map(([x]) => x)).size
  if (used.length < 4 || distinctX < 2) return null
  const slopes: number[] = []
  let s = 0
  for (let i = 0; i < used.length; i++) {
    for (let j = i + 1; j < used.length; j++) {
      const dx = used[j]![0] - used[i]![0]
      const dy = used[j]![1] - used[i]![1]
      if (dx !== 0) slopes.push(dy / dx)
      s += Math.sign(dx * dy)
    }
  }
  const sigma = Math.sqrt(kendallVariance(used))
  const sorted = ascending(slopes)
  const reach = normalUpperQuantile(0.025) * sigma
  const low = Math.floor((sorted.length - reach) / 2) - 1
  const high = Math.ceil((sorted.length + reach) / 2)
  const value = median(slopes)
  return {
    slope: {
      value,
      low: low >= 0 ? sorted[low]! : Number.NEGATIVE_INFINITY,
      high: high < sorted.length ? sorted[high]! : Number.POSITIVE_INFINITY,
    },
    intercept: median(used.map(([x, y]) => y - value * x)),
    growthP: sigma === 0 ? 1 : normalUpperTail((s - 1) / sigma),
    n: used.length,
    distinctX,
  }
}

function thin<T>(values: readonly T[], keep: number): T[] {
  return Array.from({ length: keep }, (_, i) => values[Math.floor((i * values.length) / keep)]!)
}

/** Variance of S under no association, with tie groups in x and y (Kendall 1970, 4.2). */
function kendallVariance(points: readonly (readonly [number, number])[]): number {
  const n = points.length
  const xTies = tieSizes(points.map(([x]) => x))
  const yTies = tieSizes(points.map(([, y]) => y))
  const v = (sizes: readonly number[]) => sizes.reduce((sum, t) => sum + t * (t - 1) * (2 * t + 5), 0)
  const pairs = (sizes: readonly number[]) => sizes.reduce((sum, t) => sum + t * (t - 1), 0)
  const triples = (sizes: readonly number[]) => sizes.reduce((sum, t) => sum + t * (t - 1) * (t - 2), 0)
  return (
    (n * (n - 1) * (2 * n + 5) - v(xTies) - v(yTies)) / 18 +
    (pairs(xTies) * pairs(yTies)) / (2 * n * (n - 1)) +
    (triples(xTies) * triples(yTies)) / (9 * n * (n - 1) * (n - 2))
  )
}

function tieSizes(values: readonly number[]): number[] {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts.values()]
}
