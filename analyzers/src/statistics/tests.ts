import { binomialUpperTail, normalUpperTail, studentUpperTail } from './distributions.ts'
import { meanOf, minValuesForOrderStatistics, standardDeviation } from './intervals.ts'

/**
 * One-sided p that the typical value is above `bound`: exact sign test from six values on, Student's t below (the sign test
 * cannot reach 5 % with four). The dual of `medianInterval`.
 */
export function aboveBoundP(values: readonly number[], bound: number): number {
  if (values.length >= minValuesForOrderStatistics) {
    const different = values.filter((value) => value !== bound)
    return binomialUpperTail(different.filter((value) => value > bound).length, different.length, 0.5)
  }
  if (values.length < 2) return 1
  const deviation = standardDeviation(values)
  const difference = meanOf(values) - bound
  if (deviation === 0) return difference > 0 ? 0 : 1
  return studentUpperTail((difference / deviation) * Math.sqrt(values.length), values.length - 1)
}

/**
 * Mann-Whitney, one-sided p that values of `larger` tend to exceed those of `smaller`. Exact by enumeration of rank sums up to
 * 20 values without ties, else the normal approximation with tie and continuity corrections.
 */
export function mannWhitneyP(
  larger: readonly number[],
  smaller: readonly number[],
): { u: number; p: number } {
  const n1 = larger.length
  const n2 = smaller.length
  if (n1 === 0 || n2 === 0) return { u: 0, p: 1 }
  const all = [
    ...larger.map((value) => ({ value, first: true })),
    ...smaller.map((value) => ({ value, first: false })),
  ]
  all.sort((a, b) => a.value - b.value)
  let rankSum = 0
  let ties = 0
  for (let i = 0; i < all.length; ) {
    let j = i
    while (j < all.length && all[j]!.value === all[i]!.value) j += 1
    const rank = (i + 1 + j) / 2
    const size = j - i
    ties += size ** 3 - size
    for (let k = i; k < j; k++) if (all[k]!.first) rankSum += rank
    i = j
  }
  const u = rankSum - (n1 * (n1 + 1)) / 2
  if (ties === 0 && n1 + n2 <= 20) return { u, p: exactUpperTail(u, n1, n2) }
  const n = n1 + n2
  const variance = ((n1 * n2) / 12) * (n + 1 - ties / (n * (n - 1)))
  if (variance <= 0) return { u, p: 1 }
  return { u, p: normalUpperTail((u - (n1 * n2) / 2 - 0.5) / Math.sqrt(variance)) }
}

/** P(U >= u) by counting the ways to choose n1 ranks with each rank sum. */
function exactUpperTail(u: number, n1: number, n2: number): number {
  const maxU = n1 * n2
  // ways[k][s]: choices of k elements of the first group whose U contribution is s; element j of group 1 beats 0..n2 others.
  let ways: number[][] = Array.from({ length: n1 + 1 }, () => new Array<number>(maxU + 1).fill(0))
  ways[0]![0] = 1
  for (let rank = 1; rank <= n1 + n2; rank++) {
    const next = ways.map((row) => row.slice())
    for (let k = 1; k <= n1; k++) {
      const beats = rank - k
      for (let s = beats; s <= maxU; s++)
        if (beats >= 0 && beats <= n2) next[k]![s]! += ways[k - 1]![s - beats]!
    }
    ways = next
  }
  const row = ways[n1]!
  const total = row.reduce((sum, count) => sum + count, 0)
  let tail = 0
  for (let s = Math.max(0, Math.ceil(u)); s <= maxU; s++) tail += row[s]!
  return tail / total
}

/**
 * Benjamini-Hochberg: which hypotheses are rejected with false discoveries held at `rate`.
 *
 * @returns one boolean per p, in the given order.
 */
export function benjaminiHochberg(ps: readonly number[], rate: number): boolean[] {
  const order = ps.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p)
  let last = -1
  for (let k = 0; k < order.length; k++) if (order[k]!.p <= (rate * (k + 1)) / ps.length) last = k
  const rejected = new Array<boolean>(ps.length).fill(false)
  for (let k = 0; k <= last; k++) rejected[order[k]!.index] = true
  return rejected
}
