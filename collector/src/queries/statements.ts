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
  /** The trace with the slowest call first, then slow ones of others, then any; at most five. */
  readonly traceIds: string[]
}

export interface StatementsArgs {
  readonly service?: string
  /** Rows, most time first. Default 200. */
  readonly limit?: number
}

const buckets = [0, 1, 2, 3, 4, 5]

/**
 * The slowest call of each sixth of the traces, slowest first, filled up with any: a sixth of the CPU of sorting all calls, and
 * the first is the slowest of all.
 */
const slowTraces = `arraySlice(arrayDistinct(arrayConcat(
  arrayMap(p -> p.2, arrayReverseSort(p -> p.1, arrayFilter(p -> p.2 != '', [${buckets
    .map((i) => {
      const isIn = `cityHash64(TraceId) % ${buckets.length} = ${i}`
      return `(maxIf(Duration, ${isIn}), argMaxIf(TraceId, Duration, ${isIn}))`
    })
    .join(', ')}]))), groupUniqArray(10)(TraceId))), 1, 5)`

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
  toFloat64(count()) AS spans, sum(SampleWeight) AS calls, toFloat64(uniqExact(cityHash64(TraceId))) AS traces,
  toFloat64(uniqExact(toStartOfMinute(Timestamp))) AS minutes, sumIf(SampleWeight, StatusCode = 'Error') AS errors,
  sum(SampleWeight * Duration) / 1e6 AS totalMs, quantilesTDigestWeighted(0.5, 0.95)(Duration, ${wholeWeight}) AS quantiles,
  quantiles[1] / 1e6 AS p50Ms, quantiles[2] / 1e6 AS p95Ms, max(Duration) / 1e6 AS maxMs,
  ${slowTraces} AS traceIds
FROM ${distinctSpans(columns, condition)}
GROUP BY ServiceName, DbStatement ORDER BY totalMs DESC, service, statement LIMIT {limit:UInt32}`,
    { ...scopeParameters(scope), service: args.service ?? '', limit: args.limit ?? 200 },
    bounds,
  )
}
