import type { Store } from '../store.ts'
import type { QueryBounds, Scope } from './run-query.ts'
import { type SealedBucket, scopeRange, sealedBuckets } from './sealed-buckets.ts'
import { joined, type TimeRange, within, without } from './time-ranges.ts'

/** The spans of a scope, each once, whatever columns and condition are asked for. */
export type DistinctSpans = (columns: readonly string[], condition?: string) => string

/**
 * Subqueries over the spans of the scope, each once: a sender that got no answer may have sent a span twice in two different
 * bodies. Of sealed buckets it is known that they hold none twice (a span sent again with another start would be in another bucket, and count there); in
 * the others spans are told apart by 64 bits of their ids: half the time of the ids themselves, and two of 10 million are taken for one
 * with a probability of 3 in a million. `columns` are the ones the outer query reads.
 */
export async function distinctSpans(
  store: Store,
  scope: Scope,
  bounds: QueryBounds = {},
): Promise<DistinctSpans> {
  const sealed = await sealedBuckets(store, scope, bounds)
  return (columns, condition) => distinctSpansOf([scopeRange(scope)], sealed, columns, condition)
}

/** The same over ranges of time with what is known of their buckets. */
export function distinctSpansOf(
  ranges: readonly TimeRange[],
  sealed: readonly SealedBucket[],
  columns: readonly string[],
  condition = '1',
  table = 'otel_traces',
): string {
  const once = joined(sealed.filter(({ eachOnce }) => eachOnce))
  const rest = ranges.flatMap((range) => without(range, once))
  const clean = ranges.flatMap((range) => without(range, without(range, once)))
  const names = [...new Set(columns)].join(', ')
  const plain = (of: readonly TimeRange[], more = '') =>
    `SELECT ${names}${more} FROM ${table} WHERE ${within(of)} AND (${condition})`
  if (rest.length === 0 && clean.length > 0) return `(${plain(clean)})`
  const distinct = `SELECT ${names} FROM (${plain(rest, ', cityHash64(TraceId, SpanId) AS spanHash')} LIMIT 1 BY spanHash)`
  return clean.length === 0 ? `(${distinct})` : `(${plain(clean)} UNION ALL ${distinct})`
}

/** Sampling weight as the whole number that the weighted quantile functions take. */
export const wholeWeight = 'toUInt64(greatest(1, round(SampleWeight)))'
