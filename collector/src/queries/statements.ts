import type { Store } from '../store.ts'
import { distinctSpansOf } from './distinct-spans.ts'
import { type QueryBounds, runQuery, type Scope } from './run-query.ts'
import { isInside, scopeRange, sealedBuckets, sealedRows } from './sealed-buckets.ts'
import { statementColumns, statementParts, statementSource } from './statement-parts.ts'
import { without } from './time-ranges.ts'

/** One statement of one service; calls and times are weighted by sampling. */
export interface StatementFigures {
  readonly service: string
  readonly system: string
  /** As `normalizeQuery()` writes it. */
  readonly statement: string
  readonly summary: string
  readonly spans: number
  readonly calls: number
  readonly traces: number
  readonly minutes: number
  readonly errors: number
  readonly totalMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly maxMs: number
  /** The trace with the slowest call first, then slow ones of others, then any; at most five. */
  readonly traceIds: string[]
}

export interface StatementsArgs {
  readonly service?: string
  /** Rows, most time first. Default 200. */
  readonly limit?: number
}

/** Database statements of the scope, those with most time first. */
export async function statements(
  store: Store,
  scope: Scope,
  args: StatementsArgs = {},
  bounds: QueryBounds = {},
): Promise<StatementFigures[]> {
  const { service, limit } = args
  const range = scopeRange(scope)
  const known = await sealedBuckets(store, scope, bounds)
  const sealed = known.filter((bucket) => isInside(bucket, range))
  const raw = without(range, sealed)
  const parts: string[] = []
  if (sealed.length > 0) {
    const ofService = service === undefined ? '' : ' AND Service = {service:String}'
    parts.push(`SELECT ${statementColumns} FROM ${sealedRows('statements', sealed)}${ofService}`)
  }
  if (raw.length > 0 || sealed.length === 0) {
    const condition = `DbStatement != ''${service === undefined ? '' : ' AND ServiceName = {service:String}'}`
    const spans = distinctSpansOf(raw, known, statementSource, condition)
    parts.push(`SELECT ${statementColumns} FROM (${statementParts(spans, '1')})`)
  }
  return runQuery<StatementFigures>(
    store,
    `SELECT Service AS service, any(System) AS system, Statement AS statement, any(Summary) AS summary, toFloat64(sum(Spans)) AS spans,
  sum(Calls) AS calls, toFloat64(sum(InnerTraces) + uniqExactMerge(OuterTraces)) AS traces, toFloat64(sum(Minutes)) AS minutes, sum(Errors) AS errors,
  sum(TotalNs) / 1e6 AS totalMs, quantilesTDigestWeightedMerge(0.5, 0.95, 0.99)(Durations) AS quantiles, quantiles[1] / 1e6 AS p50Ms,
  quantiles[2] / 1e6 AS p95Ms, max(MaxNs) / 1e6 AS maxMs,
  arraySlice(arrayDistinct(arrayConcat(
    arrayMap(p -> p.2, arrayReverseSort(p -> p.1, arrayFilter(p -> p.2 != '', arrayZip(maxForEach(SlowNs), argMaxForEach(SlowTraces, SlowNs))))),
    groupUniqArrayArray(10)(SomeTraces))), 1, 5) AS traceIds
FROM (${parts.join(' UNION ALL ')})
GROUP BY Service, Statement ORDER BY totalMs DESC, service, statement LIMIT {limit:UInt32}`,
    { service: service ?? '', limit: limit ?? 200 },
    bounds,
  )
}
