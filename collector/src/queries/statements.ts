import type { Store } from '../store.ts'
import { distinctSpans, wholeWeight } from './distinct-spans.ts'
import { type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

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
  /** Traces with the slowest calls, slowest first, at most five. */
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
  const columns = [
    'ServiceName',
    'DbSystem',
    'DbStatement',
    'DbSummary',
    'StatusCode',
    'Duration',
    'SampleWeight',
    'Timestamp',
  ]
  const condition = `DbStatement != ''${args.service === undefined ? '' : ' AND ServiceName = {service:String}'}`
  return runQuery<StatementFigures>(
    store,
    `SELECT ServiceName AS service, any(DbSystem) AS system, DbStatement AS statement, any(DbSummary) AS summary,
  toFloat64(count()) AS spans, sum(SampleWeight) AS calls, toFloat64(uniqExact(TraceId)) AS traces,
  toFloat64(uniqExact(toStartOfMinute(Timestamp))) AS minutes, sumIf(SampleWeight, StatusCode = 'Error') AS errors,
  sum(SampleWeight * Duration) / 1e6 AS totalMs, quantilesTDigestWeighted(0.5, 0.95)(Duration, ${wholeWeight}) AS quantiles,
  quantiles[1] / 1e6 AS p50Ms, quantiles[2] / 1e6 AS p95Ms, max(Duration) / 1e6 AS maxMs,
  arraySlice(arrayDistinct(arrayMap(p -> p.2, groupArraySorted(50)((-toInt64(Duration), TraceId)))), 1, 5) AS traceIds
FROM ${distinctSpans(columns, condition)}
GROUP BY ServiceName, DbStatement ORDER BY totalMs DESC, service, statement LIMIT {limit:UInt32}`,
    { ...scopeParameters(scope), service: args.service ?? '', limit: args.limit ?? 200 },
    bounds,
  )
}
