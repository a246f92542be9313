import type { Store } from '../store.ts'
import { distinctSpans } from './distinct-spans.ts'
import { type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

/** A trace with one root whose every other span has its parent in it. */
export interface CompleteTrace {
  readonly traceId: string
  readonly rootService: string
  readonly rootOperation: string
  readonly startMs: number
  readonly durationMs: number
  readonly spans: number
  readonly errors: number
  readonly weight: number
  readonly weightKnown: boolean
}

export interface CompleteTracesArgs {
  readonly service?: string
  readonly operation?: string
  /** Default newest. */
  readonly order?: 'slowest' | 'newest' | 'sample'
  /** Default 1000. */
  readonly limit?: number
}

const orders = {
  slowest: 'durationMs DESC, traceId',
  newest: 'startMs DESC, traceId',
  sample: 'cityHash64(traceId)',
} as const

/**
 * Whole traces of the scope. One that began before the scope or goes on behind it has no root or no parents here, and is left
 * out: take the scope wide enough.
 */
export async function completeTraces(
  store: Store,
  scope: Scope,
  args: CompleteTracesArgs = {},
  bounds: QueryBounds = {},
): Promise<CompleteTrace[]> {
  const spans = await distinctSpans(store, scope, bounds)
  const columns = [
    'TraceId',
    'SpanId',
    'ParentSpanId',
    'ServiceName',
    'SpanName',
    'Timestamp',
    'Duration',
    'StatusCode',
    'SampleWeight',
    'WeightKnown',
  ]
  const conditions = ['roots = 1', 'length(arrayFilter(p -> NOT has(ids, p), parents)) = 0']
  if (args.service !== undefined) conditions.push('rootService = {service:String}')
  if (args.operation !== undefined) conditions.push('rootOperation = {operation:String}')
  const rows = await runQuery<Omit<CompleteTrace, 'weightKnown'> & { weightKnown: number }>(
    store,
    `SELECT traceId, rootService, rootOperation, startMs, durationMs, spans, errors, weight, weightKnown FROM (
  SELECT TraceId AS traceId, countIf(ParentSpanId = '') AS roots, groupArray(SpanId) AS ids,
    groupUniqArrayIf(ParentSpanId, ParentSpanId != '') AS parents,
    anyIf(ServiceName, ParentSpanId = '') AS rootService, anyIf(SpanName, ParentSpanId = '') AS rootOperation,
    toUnixTimestamp64Nano(anyIf(Timestamp, ParentSpanId = '')) / 1e6 AS startMs, anyIf(Duration, ParentSpanId = '') / 1e6 AS durationMs,
    toFloat64(count()) AS spans, toFloat64(countIf(StatusCode = 'Error')) AS errors,
    anyIf(SampleWeight, ParentSpanId = '') AS weight, anyIf(WeightKnown, ParentSpanId = '') AS weightKnown
  FROM ${spans(columns, "TraceId != ''")} GROUP BY TraceId
) WHERE ${conditions.join(' AND ')} ORDER BY ${orders[args.order ?? 'newest']} LIMIT {limit:UInt32}`,
    {
      ...scopeParameters(scope),
      service: args.service ?? '',
      operation: args.operation ?? '',
      limit: args.limit ?? 1000,
    },
    bounds,
  )
  return rows.map((row) => ({ ...row, weightKnown: row.weightKnown === 1 }))
}
