import type { Store } from '../store.ts'
import { distinctSpans } from './distinct-spans.ts'
import { inScope, type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

/** A statement that was called several times under one parent span, over all such parents of one name. */
export interface RepeatedSiblings {
  readonly service: string
  readonly parentOperation: string
  readonly statement: string
  readonly summary: string
  /** Parent spans with at least `minCalls` calls. */
  readonly parents: number
  readonly traces: number
  readonly minutes: number
  readonly minCalls: number
  readonly medianCalls: number
  readonly maxCalls: number
  /** Sum of the calls' durations, unweighted. */
  readonly totalMs: number
  /** Traces with most calls first, at most twenty. */
  readonly traceIds: string[]
}

export interface RepeatedSiblingsArgs {
  /** Default 5. */
  readonly minCalls?: number
  /** Rows, most time first. Default 100. */
  readonly limit?: number
}

/** Statements repeated under one parent, those with most time first. Candidates only: what is wrong with it, a detector says. */
export async function repeatedSiblings(
  store: Store,
  scope: Scope,
  args: RepeatedSiblingsArgs = {},
  bounds: QueryBounds = {},
): Promise<RepeatedSiblings[]> {
  const found = await withParents(store, scope, args, bounds, usualLeadSec)
  // A parent that began long before the scope is looked for only when there is one.
  return found.some((row) => row.parentOperation === '')
    ? withParents(store, scope, args, bounds, longestLeadSec)
    : found
}

/** How long before the scope parents are looked for. */
const usualLeadSec = 60
const longestLeadSec = 3600

function withParents(
  store: Store,
  scope: Scope,
  args: RepeatedSiblingsArgs,
  bounds: QueryBounds,
  leadSec: number,
): Promise<RepeatedSiblings[]> {
  const isCall = "DbStatement != '' AND ParentSpanId != ''"
  // Only parents with enough calls of any kind can have enough equal ones: found by a number each, before anything is compared. An id of
  // two traces lets one too many through.
  const busy = `(SELECT cityHash64(ParentSpanId) AS parent FROM otel_traces WHERE ${inScope} AND ${isCall}
    GROUP BY parent HAVING count() >= {minCalls:UInt32})`
  const calls = distinctSpans(
    ['ParentSpanId', 'ServiceName', 'DbStatement', 'DbSummary', 'Duration', 'Timestamp'],
    `${isCall} AND cityHash64(ParentSpanId) IN ${busy}`,
  )
  return runQuery<RepeatedSiblings>(
    store,
    `WITH repeated AS (
  SELECT TraceId, ParentSpanId, ServiceName, DbStatement, any(DbSummary) AS summary, count() AS calls, sum(Duration) AS busyNs, min(Timestamp) AS at
  FROM ${calls} GROUP BY TraceId, ParentSpanId, ServiceName, DbStatement HAVING calls >= {minCalls:UInt32}
)
SELECT ServiceName AS service, parent.SpanName AS parentOperation, DbStatement AS statement, any(summary) AS summary,
  toFloat64(count()) AS parents, toFloat64(uniqExact(TraceId)) AS traces, toFloat64(uniqExact(toStartOfMinute(at))) AS minutes,
  toFloat64(min(calls)) AS minCalls, toFloat64(medianExact(calls)) AS medianCalls, toFloat64(max(calls)) AS maxCalls, sum(busyNs) / 1e6 AS totalMs,
  arraySlice(arrayDistinct(arrayMap(p -> p.2, groupArraySorted(50)((-toInt64(calls), TraceId)))), 1, 20) AS traceIds
FROM repeated LEFT ANY JOIN (
  SELECT TraceId, SpanId, SpanName FROM otel_traces
  WHERE Timestamp >= fromUnixTimestamp64Nano({fromNs:Int64}) - INTERVAL {leadSec:UInt32} SECOND AND Timestamp < fromUnixTimestamp64Nano({toNs:Int64})
    AND cityHash64(SpanId) IN ${busy}
) AS parent ON parent.TraceId = repeated.TraceId AND parent.SpanId = repeated.ParentSpanId
GROUP BY service, parentOperation, statement ORDER BY totalMs DESC, service, statement LIMIT {limit:UInt32}`,
    { ...scopeParameters(scope), minCalls: args.minCalls ?? 5, limit: args.limit ?? 100, leadSec },
    bounds,
  )
}
