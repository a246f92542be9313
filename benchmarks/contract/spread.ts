import type { Figure, FigureDefinition } from './definition.ts'

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * Median with its 95 % interval from order statistics (binomial, exact, no assumption on the noise). Fewer than six values cannot
 * give 95 %; their range is shown instead.
 */
export function spread(values: readonly number[]): { value: number; low: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const n = sorted.length
  // Largest k with P(Binomial(n, 1/2) < k) <= 0.025: the k-th smallest and largest bound the median.
  let k = 0
  let below = 0
  let term = 0.5 ** n
  while (below + term <= 0.025) {
    below += term
    term = (term * (n - k)) / (k + 1)
    k++
  }
  const at = Math.max(0, k - 1)
  return { value: median(sorted), low: sorted[at] ?? Number.NaN, high: sorted[n - 1 - at] ?? Number.NaN }
}

export function figure(definition: FigureDefinition, values: readonly number[]): Figure {
  return { ...definition, ...spread(values) }
}

/** Whether the value meets its target; undefined when there is none. */
export function meets(target: string, value: number): boolean | undefined {
  const bound = /^(<=|>=)\s*([\d.]+)$/.exec(target)
  if (bound) return bound[1] === '<=' ? value <= Number(bound[2]) : value >= Number(bound[2])
  const range = /^([\d.]+)\.\.([\d.]+)$/.exec(target)
  if (range) return value >= Number(range[1]) && value <= Number(range[2])
  return undefined
}
