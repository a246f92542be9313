import type { Store } from '../store.ts'
import { distinctSpans, wholeWeight } from './distinct-spans.ts'
import { type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

/** Rate, errors and duration of one operation. Counts and times are weighted by sampling. */
export interface OperationFigures {
  readonly service: string
  readonly operation: string
  readonly kind: string
  /** Stored spans, unweighted. */
  readonly spans: number
  readonly requests: number
  readonly requestsPerSec: number
  readonly errors: number
  readonly totalMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

export interface OperationsArgs {
  readonly service?: string
  /** Only spans without a parent. */
  readonly rootsOnly?: boolean
  /** Default server and consumer; roots are taken whatever their kind. */
  readonly kinds?: readonly ('Server' | 'Client' | 'Internal' | 'Producer' | 'Consumer')[]
  /** Rows, most time first. Default 1000. */
  readonly limit?: number
}

/** Operations of the scope, those with most time first. */
export async function operations(
  store: Store,
  scope: Scope,
  args: OperationsArgs = {},
  bounds: QueryBounds = {},
): Promise<OperationFigures[]> {
  const conditions = []
  if (args.rootsOnly) conditions.push("ParentSpanId = ''")
  if (!args.rootsOnly || args.kinds !== undefined) conditions.push('SpanKind IN {kinds:Array(String)}')
  if (args.service !== undefined) conditions.push('ServiceName = {service:String}')
  const columns = ['ServiceName', 'SpanName', 'SpanKind', 'StatusCode', 'Duration', 'SampleWeight']
  const spans = await distinctSpans(store, scope, bounds)
  return runQuery<OperationFigures>(
    store,
    `SELECT ServiceName AS service, SpanName AS operation, lower(SpanKind) AS kind, toFloat64(count()) AS spans,
  sum(SampleWeight) AS requests, requests / {seconds:Float64} AS requestsPerSec, sumIf(SampleWeight, StatusCode = 'Error') AS errors,
  sum(SampleWeight * Duration) / 1e6 AS totalMs,
  quantilesTDigestWeighted(0.5, 0.95, 0.99)(Duration, ${wholeWeight}) AS quantiles,
  quantiles[1] / 1e6 AS p50Ms, quantiles[2] / 1e6 AS p95Ms, quantiles[3] / 1e6 AS p99Ms, max(Duration) / 1e6 AS maxMs
FROM ${spans(columns, conditions.join(' AND ') || '1')}
GROUP BY ServiceName, SpanName, SpanKind ORDER BY totalMs DESC, service, operation LIMIT {limit:UInt32}`,
    {
      ...scopeParameters(scope),
      seconds: Math.max((scope.toMs - scope.fromMs) / 1000, 0.001),
      kinds: args.kinds ?? ['Server', 'Consumer'],
      service: args.service ?? '',
      limit: args.limit ?? 1000,
    },
    bounds,
  )
}

/** Operations at the root of traces: what a user or a schedule asked for. */
export function rootOperations(
  store: Store,
  scope: Scope,
  args: Omit<OperationsArgs, 'rootsOnly'> = {},
  bounds: QueryBounds = {},
): Promise<OperationFigures[]> {
  return operations(store, scope, { ...args, rootsOnly: true }, bounds)
}
