import type { Store } from '../store.ts'
import { type AttributeCondition, attributeSql } from './attribute-condition.ts'
import { inScope, type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

/** A span that was looked for; the whole of it is `spansOfTraces`. */
export interface FoundSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly service: string
  readonly operation: string
  readonly kind: string
  readonly startMs: number
  readonly durationMs: number
  readonly error: boolean
  readonly statusMessage: string
}

export interface SearchArgs {
  readonly service?: string
  readonly operation?: string
  /** Part of the span's name, whatever its case. */
  readonly nameContains?: string
  readonly kinds?: readonly ('Server' | 'Client' | 'Internal' | 'Producer' | 'Consumer')[]
  readonly error?: boolean
  readonly minDurationMs?: number
  readonly maxDurationMs?: number
  /** All must hold. At most 16. */
  readonly attributes?: readonly AttributeCondition[]
  /** Default newest. */
  readonly order?: 'newest' | 'slowest'
  /** Rows. Default 100, at most 10,000. */
  readonly limit?: number
}

const orders = { newest: 'Timestamp DESC', slowest: 'Duration DESC' } as const
const maxConditions = 16

/** Spans of the scope that fulfil every condition, each once. */
export async function searchSpans(
  store: Store,
  scope: Scope,
  args: SearchArgs = {},
  bounds: QueryBounds = {},
): Promise<FoundSpan[]> {
  const attributes = attributeSql((args.attributes ?? []).slice(0, maxConditions))
  const conditions = [inScope, attributes.sql]
  if (args.service !== undefined) conditions.push('ServiceName = {service:String}')
  if (args.operation !== undefined) conditions.push('SpanName = {operation:String}')
  if (args.nameContains !== undefined)
    conditions.push('positionCaseInsensitiveUTF8(SpanName, {nameContains:String}) > 0')
  if (args.kinds !== undefined) conditions.push('SpanKind IN {kinds:Array(String)}')
  if (args.error !== undefined) conditions.push(`StatusCode ${args.error ? '=' : '!='} 'Error'`)
  if (args.minDurationMs !== undefined) conditions.push('Duration >= {minNs:UInt64}')
  if (args.maxDurationMs !== undefined) conditions.push('Duration <= {maxNs:UInt64}')
  const rows = await runQuery<Omit<FoundSpan, 'error'> & { error: number }>(
    store,
    `SELECT TraceId AS traceId, SpanId AS spanId, ParentSpanId AS parentSpanId, ServiceName AS service, SpanName AS operation,
  lower(SpanKind) AS kind, toUnixTimestamp64Nano(Timestamp) / 1e6 AS startMs, Duration / 1e6 AS durationMs,
  StatusCode = 'Error' AS error, StatusMessage AS statusMessage
FROM otel_traces WHERE ${conditions.join(' AND ')}
ORDER BY ${orders[args.order ?? 'newest']}, TraceId, SpanId LIMIT 1 BY TraceId, SpanId LIMIT {limit:UInt32}`,
    {
      ...scopeParameters(scope),
      ...attributes.parameters,
      service: args.service ?? '',
      operation: args.operation ?? '',
      nameContains: args.nameContains ?? '',
      kinds: args.kinds ?? [],
      minNs: wholeNs(args.minDurationMs),
      maxNs: wholeNs(args.maxDurationMs),
      limit: Math.min(Math.max(Math.floor(args.limit ?? 100), 1), 10_000),
    },
    bounds,
  )
  return rows.map((row) => ({ ...row, error: row.error === 1 }))
}

function wholeNs(ms: number | undefined): string {
  return String(Math.max(0, Math.round((ms ?? 0) * 1e6)))
}
