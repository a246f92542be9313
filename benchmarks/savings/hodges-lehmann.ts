export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/**
 * Median of the Walsh averages of paired differences, with the 95 % interval of the inverted exact Wilcoxon signed-rank test. Fewer
 * than six pairs cannot give 95 %: their interval is unbounded.
 */
export function hodgesLehmann(differences: readonly number[]): Estimate {
  const n = differences.length
  const walsh: number[] = []
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) walsh.push((differences[i]! + differences[j]!) / 2)
  walsh.sort((a, b) => a - b)
  const m = walsh.length
  const value = m % 2 === 1 ? walsh[m >> 1]! : (walsh[m / 2 - 1]! + walsh[m / 2]!) / 2
  const outside = wilcoxonOutside(n)
  if (m === 0 || outside === 0)
    return { value, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  return { value, low: walsh[outside - 1]!, high: walsh[m - outside]! }
}

/** Largest k with P(W+ < k) <= 2.5 %: the k-th smallest and largest Walsh averages bound the centre. */
function wilcoxonOutside(n: number): number {
  // Ways to reach each rank sum, each rank taken or not: c_k(w) = c_(k-1)(w) + c_(k-1)(w - k).
  let probabilities = [1]
  for (let rank = 1; rank <= n; rank++) {
    const next = new Array<number>(probabilities.length + rank).fill(0)
    for (const [sum, p] of probabilities.entries()) {
      next[sum]! += p / 2
      next[sum + rank]! += p / 2
    }
    probabilities = next
  }
  let k = 0
  let below = 0
  while (k < probabilities.length && below + probabilities[k]! <= 0.025) below += probabilities[k++]!
  return k
}

/** Half of the interval's length over the value. */
export const halfWidthRatio = ({ value, low, high }: Estimate): number => (high - low) / 2 / Math.abs(value)
