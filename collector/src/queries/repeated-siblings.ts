import type { Store } from '../store.ts'
import { type QueryBounds, runQuery, type Scope } from './run-query.ts'
import { isInside, type SealedBucket, scopeRange, sealedBuckets, sealedRows } from './sealed-buckets.ts'
import {
  longestLeadSec,
  rawSiblingParts,
  sealedMinCalls,
  siblingColumns,
  usualLeadSec,
} from './sibling-parts.ts'
import { without } from './time-ranges.ts'

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

/**
 * Statements repeated under one parent, those with most time first. A group of calls belongs to the scope when its first one does; its calls up to a minute
 * behind the scope count. Candidates only: what is wrong with it, a detector says.
 */
export async function repeatedSiblings(
  store: Store,
  scope: Scope,
  args: RepeatedSiblingsArgs = {},
  bounds: QueryBounds = {},
): Promise<RepeatedSiblings[]> {
  const known = await sealedBuckets(store, scope, bounds)
  const found = await ask(store, scope, args, bounds, known, usualLeadSec)
  // A parent that began long before the scope is looked for only when there is one.
  return found.some((row) => row.parentOperation === '')
    ? ask(store, scope, args, bounds, known, longestLeadSec)
    : found
}

function ask(
  store: Store,
  scope: Scope,
  args: RepeatedSiblingsArgs,
  bounds: QueryBounds,
  known: readonly SealedBucket[],
  leadSec: number,
): Promise<RepeatedSiblings[]> {
  const minCalls = Math.max(1, Math.floor(args.minCalls ?? sealedMinCalls))
  const range = scopeRange(scope)
  const sealed =
    minCalls === sealedMinCalls
      ? known.filter((bucket) => bucket.parentsKnown && isInside(bucket, range))
      : []
  const raw = without(range, sealed)
  const parts: string[] = []
  if (sealed.length > 0) parts.push(`SELECT ${siblingColumns} FROM ${sealedRows('siblings', sealed)}`)
  if (raw.length > 0 || sealed.length === 0) {
    parts.push(`SELECT ${siblingColumns} FROM (${rawSiblingParts(raw, known, minCalls, leadSec)})`)
  }
  return runQuery<RepeatedSiblings>(
    store,
    `SELECT Service AS service, Operation AS parentOperation, Statement AS statement, any(Summary) AS summary, toFloat64(sum(Spans)) AS parents,
  toFloat64(sum(InnerTraces) + uniqExactMerge(OuterTraces)) AS traces, toFloat64(sum(Minutes)) AS minutes, toFloat64(min(MinCalls)) AS minCalls,
  toFloat64(medianExactMerge(CallCounts)) AS medianCalls, toFloat64(max(MaxCalls)) AS maxCalls, sum(TotalNs) / 1e6 AS totalMs,
  arraySlice(arrayDistinct(arrayMap(p -> p.2, arraySort(groupArrayArray(MostCalls)))), 1, 20) AS traceIds
FROM (${parts.join(' UNION ALL ')})
GROUP BY Service, Operation, Statement ORDER BY totalMs DESC, service, statement LIMIT {limit:UInt32}`,
    { limit: args.limit ?? 100 },
    bounds,
  )
}
