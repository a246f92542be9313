import type { Store } from '../store.ts'
import { distinctSpans } from './distinct-spans.ts'
import { type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

/** What one service has sent in the scope: which signals are there for the detectors to judge by. */
export interface ServiceCoverage {
  readonly service: string
  readonly spans: number
  readonly traces: number
  /** Spans without a known sampling probability. */
  readonly spansOfUnknownWeight: number
  readonly serverSpans: number
  readonly databaseSpans: number
  readonly databaseSpansWithText: number
  readonly firstMs: number
  readonly lastMs: number
  readonly versions: string[]
}

/** Services of the scope, most spans first. */
export async function services(
  store: Store,
  scope: Scope,
  bounds: QueryBounds = {},
): Promise<ServiceCoverage[]> {
  const columns = [
    'TraceId',
    'ServiceName',
    'WeightKnown',
    'SpanKind',
    'DbSystem',
    'DbStatement',
    'Timestamp',
    'ServiceVersion',
  ]
  const spans = await distinctSpans(store, scope, bounds)
  return runQuery<ServiceCoverage>(
    store,
    `SELECT ServiceName AS service, toFloat64(count()) AS spans, toFloat64(uniqExact(cityHash64(TraceId))) AS traces,
  toFloat64(countIf(WeightKnown = 0)) AS spansOfUnknownWeight, toFloat64(countIf(SpanKind = 'Server')) AS serverSpans,
  toFloat64(countIf(DbSystem != '')) AS databaseSpans, toFloat64(countIf(DbSystem != '' AND DbStatement != '')) AS databaseSpansWithText,
  toUnixTimestamp64Nano(min(Timestamp)) / 1e6 AS firstMs, toUnixTimestamp64Nano(max(Timestamp)) / 1e6 AS lastMs,
  arraySort(groupUniqArrayIf(100)(ServiceVersion, ServiceVersion != '')) AS versions
FROM ${spans(columns)} GROUP BY ServiceName ORDER BY spans DESC, service`,
    scopeParameters(scope),
    bounds,
  )
}
