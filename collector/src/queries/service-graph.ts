import type { Store } from '../store.ts'
import { distinctSpans, wholeWeight } from './distinct-spans.ts'
import { type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

/** Calls from one service to another, to a database, or to something that sends no spans. Weighted by sampling. */
export interface ServiceEdge {
  readonly from: string
  readonly to: string
  readonly kind: 'service' | 'messaging' | 'database' | 'external'
  /** Stored calls, unweighted. */
  readonly spans: number
  readonly calls: number
  readonly callsPerSec: number
  readonly errors: number
  /** As the caller saw them. */
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

export interface ServiceGraphArgs {
  /** Rows, most calls first. Default 1000. */
  readonly limit?: number
}

/**
 * Who calls whom in the scope. A call is a client or producer span; its other end is the server or consumer span below it, else the
 * database that it names, else the address. A caller whose answer lies outside the scope counts as a call to an address.
 */
export async function serviceGraph(
  store: Store,
  scope: Scope,
  args: ServiceGraphArgs = {},
  bounds: QueryBounds = {},
): Promise<ServiceEdge[]> {
  const spans = await distinctSpans(store, scope, bounds)
  const callers = spans(
    [
      'TraceId',
      'SpanId',
      'ServiceName',
      'SpanKind',
      'StatusCode',
      'Duration',
      'SampleWeight',
      'DbSystem',
      'SpanAttributes',
    ],
    "SpanKind IN ('Client', 'Producer')",
  )
  const answerers = spans(
    ['TraceId', 'ParentSpanId', 'ServiceName', 'SpanKind'],
    "SpanKind IN ('Server', 'Consumer') AND ParentSpanId != ''",
  )
  return runQuery<ServiceEdge>(
    store,
    `SELECT from, to, kind, toFloat64(count()) AS spans, sum(SampleWeight) AS calls, calls / {seconds:Float64} AS callsPerSec,
  sumIf(SampleWeight, StatusCode = 'Error') AS errors, quantilesTDigestWeighted(0.5, 0.95, 0.99)(Duration, ${wholeWeight}) AS quantiles,
  quantiles[1] / 1e6 AS p50Ms, quantiles[2] / 1e6 AS p95Ms, quantiles[3] / 1e6 AS p99Ms
FROM (
  SELECT caller.ServiceName AS from, caller.SampleWeight AS SampleWeight, caller.StatusCode AS StatusCode, caller.Duration AS Duration,
    multiIf(answer.ServiceName != '', if(answer.SpanKind = 'Consumer', 'messaging', 'service'), caller.DbSystem != '', 'database', 'external') AS kind,
    multiIf(kind IN ('service', 'messaging'), toString(answer.ServiceName),
      kind = 'database', if(caller.namespace = '', toString(caller.DbSystem), concat(caller.DbSystem, ' ', caller.namespace)),
      caller.address = '', 'unknown', caller.address) AS to
  FROM (
    SELECT TraceId, SpanId, ServiceName, StatusCode, Duration, SampleWeight, DbSystem, SpanAttributes['db.namespace'] AS namespace,
      if(SpanAttributes['peer.service'] != '', SpanAttributes['peer.service'], SpanAttributes['server.address']) AS address
    FROM ${callers}
  ) AS caller
  LEFT ANY JOIN ${answerers} AS answer ON answer.TraceId = caller.TraceId AND answer.ParentSpanId = caller.SpanId
)
GROUP BY from, to, kind ORDER BY calls DESC, from, to LIMIT {limit:UInt32}`,
    {
      ...scopeParameters(scope),
      seconds: Math.max((scope.toMs - scope.fromMs) / 1000, 0.001),
      limit: args.limit ?? 1000,
    },
    bounds,
  )
}
