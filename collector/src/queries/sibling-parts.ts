import { aroundSec } from '../sealing/bucket-counts.ts'
import { distinctSpansOf } from './distinct-spans.ts'
import type { SealedBucket } from './sealed-buckets.ts'
import { type TimeRange, widened, within } from './time-ranges.ts'

/** What sealed buckets know of: groups of at least so many calls. */
export const sealedMinCalls = 5

/** Columns of a part of the answer: of some ranges of time, or of a sealed bucket. */
export const siblingColumns =
  'Service, Operation, Statement, Summary, Spans, InnerTraces, OuterTraces, Minutes, MinCalls, CallCounts, MaxCalls, TotalNs, MostCalls'

/** What `siblingParts` reads of a call. */
export const siblingSource = [
  'TraceId',
  'ParentSpanId',
  'ServiceName',
  'DbStatement',
  'DbSummary',
  'Duration',
  'Timestamp',
]

export const isCall = "DbStatement != '' AND ParentSpanId != ''"

/**
 * Hashes of parents with enough calls of any kind: only they can have enough equal ones. Found by a number each, before anything is compared; an id of two traces
 * lets one too many through.
 */
export const busyParents = (calls: string, minCalls: number): string =>
  `SELECT cityHash64(ParentSpanId) AS parent FROM (${calls}) GROUP BY parent HAVING count() >= ${minCalls}`

export interface SiblingParts {
  /** Calls, each once. */
  readonly calls: string
  /** Rows with TraceId, SpanId, SpanName. */
  readonly parents: string
  /** Groups whose first call lies in these count. */
  readonly ranges: readonly TimeRange[]
  readonly minCalls: number
  /** Condition on TraceId: the trace may also be in another part. */
  readonly isOuter: string
}

/**
 * Groups of equal calls under one parent, by service, parent and statement, in a form that can be added up; sealed buckets and what is read raw are made by it
 * alike. A group is counted where its first call lies, so that none is cut or counted twice at a boundary.
 */
export function siblingParts({ calls, parents, ranges, minCalls, isOuter }: SiblingParts): string {
  return `SELECT ServiceName AS Service, parent.SpanName AS Operation, DbStatement AS Statement, any(summary) AS Summary, count() AS Spans,
  uniqExactIf(cityHash64(TraceId), NOT (${isOuter})) AS InnerTraces, uniqExactStateIf(cityHash64(TraceId), ${isOuter}) AS OuterTraces,
  uniqExact(toStartOfMinute(at)) AS Minutes, min(calls) AS MinCalls, medianExactState(calls) AS CallCounts, max(calls) AS MaxCalls,
  toFloat64(sum(busyNs)) AS TotalNs, ${firstOfEachTrace('groupArraySorted(50)((-toInt64(calls), TraceId))')} AS MostCalls
FROM (
  SELECT TraceId, ParentSpanId, ServiceName, DbStatement, any(DbSummary) AS summary, count() AS calls, sum(Duration) AS busyNs, min(Timestamp) AS at
  FROM ${calls} GROUP BY TraceId, ParentSpanId, ServiceName, DbStatement HAVING calls >= ${minCalls} AND ${within(ranges, 'at')}
) AS repeated LEFT ANY JOIN (${parents}) AS parent ON parent.TraceId = repeated.TraceId AND parent.SpanId = repeated.ParentSpanId
GROUP BY Service, Operation, Statement`
}

/** The same from raw spans; parents are looked for from `leadSec` before the calls. */
export function rawSiblingParts(
  ranges: readonly TimeRange[],
  known: readonly SealedBucket[],
  minCalls: number,
  leadSec: number,
): string {
  const read = widened(ranges, aroundSec, aroundSec)
  const all = `SELECT ParentSpanId FROM otel_traces WHERE ${within(read)} AND ${isCall}`
  const busy = `(${busyParents(all, minCalls)})`
  return siblingParts({
    calls: distinctSpansOf(read, known, siblingSource, `${isCall} AND cityHash64(ParentSpanId) IN ${busy}`),
    parents: `SELECT TraceId, SpanId, SpanName FROM otel_traces WHERE ${within(widened(read, leadSec, 0))} AND cityHash64(SpanId) IN ${busy}`,
    ranges,
    minCalls,
    isOuter: '1',
  })
}

/** Of pairs (number, trace), sorted, the first of each trace, at most twenty. */
export const firstOfEachTrace = (pairs: string): string =>
  `arrayMap(id -> (arrayFirst(p -> p.2 = id, ${pairs}).1, id), arraySlice(arrayDistinct(arrayMap(p -> p.2, ${pairs})), 1, 20))`

/** How long before the calls their parents are looked for: first a minute, and, when one is not there, an hour. */
export const usualLeadSec = 60
export const longestLeadSec = 3600
