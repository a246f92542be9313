import type { Store } from '../store.ts'
import { distinctSpans, wholeWeight } from './distinct-spans.ts'
import { type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

/** Rate, errors and duration of one service in one step of time. Weighted by sampling. */
export interface RequestPoint {
  readonly service: string
  /** Start of the step, epoch ms. */
  readonly atMs: number
  readonly requests: number
  readonly errors: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

export interface RequestSeriesArgs {
  /** Seconds of a step. Default 60; made longer where the scope would have more than 11,000 steps. */
  readonly stepSec?: number
  readonly service?: string
  readonly operation?: string
}

const maxSteps = 11_000

/** Requests that services answered, over time: server and consumer spans. Steps without a request have no row. */
export async function requestSeries(
  store: Store,
  scope: Scope,
  args: RequestSeriesArgs = {},
  bounds: QueryBounds = {},
): Promise<RequestPoint[]> {
  const leastSec = Math.ceil((scope.toMs - scope.fromMs) / 1000 / maxSteps)
  const conditions = ["SpanKind IN ('Server', 'Consumer')"]
  if (args.service !== undefined) conditions.push('ServiceName = {service:String}')
  if (args.operation !== undefined) conditions.push('SpanName = {operation:String}')
  const columns = ['ServiceName', 'Timestamp', 'StatusCode', 'Duration', 'SampleWeight']
  return runQuery<RequestPoint>(
    store,
    `SELECT ServiceName AS service, toFloat64(toUnixTimestamp(toStartOfInterval(Timestamp, toIntervalSecond({stepSec:UInt32})))) * 1000 AS atMs,
  sum(SampleWeight) AS requests, sumIf(SampleWeight, StatusCode = 'Error') AS errors,
  quantilesTDigestWeighted(0.5, 0.95, 0.99)(Duration, ${wholeWeight}) AS quantiles,
  quantiles[1] / 1e6 AS p50Ms, quantiles[2] / 1e6 AS p95Ms, quantiles[3] / 1e6 AS p99Ms
FROM ${distinctSpans(columns, conditions.join(' AND '))}
GROUP BY service, atMs ORDER BY service, atMs`,
    {
      ...scopeParameters(scope),
      stepSec: Math.max(args.stepSec ?? 60, leastSec, 1),
      service: args.service ?? '',
      operation: args.operation ?? '',
    },
    bounds,
  )
}
