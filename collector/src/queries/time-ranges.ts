/** Epoch nanoseconds, `toNs` not included. */
export interface TimeRange {
  readonly fromNs: bigint
  readonly toNs: bigint
}

/** The ranges by time, those that touch or overlap as one, empty ones left out. */
export function joined(ranges: readonly TimeRange[]): TimeRange[] {
  const all: { fromNs: bigint; toNs: bigint }[] = []
  for (const { fromNs, toNs } of [...ranges].sort((a, b) => (a.fromNs < b.fromNs ? -1 : 1))) {
    if (fromNs >= toNs) continue
    const last = all.at(-1)
    if (last === undefined || fromNs > last.toNs) all.push({ fromNs, toNs })
    else if (toNs > last.toNs) last.toNs = toNs
  }
  return all
}

/** What of a range the others leave. */
export function without(range: TimeRange, taken: readonly TimeRange[]): TimeRange[] {
  const left: TimeRange[] = []
  let fromNs = range.fromNs
  for (const one of joined(taken)) {
    if (one.fromNs >= range.toNs) break
    if (one.fromNs > fromNs) left.push({ fromNs, toNs: one.fromNs })
    if (one.toNs > fromNs) fromNs = one.toNs
  }
  if (fromNs < range.toNs) left.push({ fromNs, toNs: range.toNs })
  return left
}

export function widened(ranges: readonly TimeRange[], beforeSec: number, behindSec: number): TimeRange[] {
  return joined(
    ranges.map(({ fromNs, toNs }) => ({
      fromNs: fromNs - BigInt(beforeSec) * 1_000_000_000n,
      toNs: toNs + BigInt(behindSec) * 1_000_000_000n,
    })),
  )
}

/** Condition on a DateTime64(9), which the primary key can use; never true for no range. */
export function within(ranges: readonly TimeRange[], column = 'Timestamp'): string {
  if (ranges.length === 0) return '0'
  const one = ({ fromNs, toNs }: TimeRange) =>
    `${column} >= fromUnixTimestamp64Nano(${fromNs}) AND ${column} < fromUnixTimestamp64Nano(${toNs})`
  return `(${ranges.map(one).join(' OR ')})`
}
