import type { Store } from '../store.ts'
import { distinctSpans } from './distinct-spans.ts'
import { type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

/** A trace to open for one operation. */
export interface ExemplarTrace {
  readonly traceId: string
  readonly spanId: string
  readonly startMs: number
  readonly durationMs: number
  readonly error: boolean
}

export interface ExemplarTracesArgs {
  readonly service: string
  readonly operation: string
  /** `typical`: nearest to the median. Default slowest. */
  readonly order?: 'slowest' | 'typical' | 'newest'
  /** Default 10. */
  readonly limit?: number
}

const orders = {
  slowest: 'Duration DESC',
  typical: 'abs(toFloat64(Duration) - median)',
  newest: 'Timestamp DESC',
} as const

/** Traces in which the operation occurred, one span each. */
export async function exemplarTraces(
  store: Store,
  scope: Scope,
  args: ExemplarTracesArgs,
  bounds: QueryBounds = {},
): Promise<ExemplarTrace[]> {
  const distinct = await distinctSpans(store, scope, bounds)
  const spans = distinct(
    ['TraceId', 'SpanId', 'Timestamp', 'Duration', 'StatusCode'],
    'ServiceName = {service:String} AND SpanName = {operation:String}',
  )
  const rows = await runQuery<Omit<ExemplarTrace, 'error'> & { error: number }>(
    store,
    `WITH (SELECT toFloat64(medianExact(Duration)) FROM ${spans}) AS median
SELECT TraceId AS traceId, SpanId AS spanId, toUnixTimestamp64Nano(Timestamp) / 1e6 AS startMs, Duration / 1e6 AS durationMs, StatusCode = 'Error' AS error
FROM ${spans} ORDER BY ${orders[args.order ?? 'slowest']}, TraceId, SpanId LIMIT 1 BY TraceId LIMIT {limit:UInt32}`,
    { ...scopeParameters(scope), service: args.service, operation: args.operation, limit: args.limit ?? 10 },
    bounds,
  )
  return rows.map((row) => ({ ...row, error: row.error === 1 }))
}
