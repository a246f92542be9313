import { resolveSpans } from '../source-maps/resolve-spans.ts'
import type { Store } from '../store.ts'
import { type SpanRow, type StoredSpan, spanColumns, spanOfRow } from '../stored-span.ts'
import { inScope, type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

/**
 * All spans of the traces that start in the scope, each once, by trace and start; those of browser builds whose source maps are
 * stored with the names and places of the source.
 */
export async function spansOfTraces(
  store: Store,
  scope: Scope,
  traceIds: readonly string[],
  bounds: QueryBounds = {},
): Promise<StoredSpan[]> {
  if (traceIds.length === 0) return []
  return spansWhere(
    store,
    `${inScope} AND TraceId IN {traceIds:Array(String)}`,
    { ...scopeParameters(scope), traceIds: [...traceIds] },
    bounds,
  )
}

/** As `spansOfTraces`, by a condition that names trace and time range. */
export async function spansWhere(
  store: Store,
  condition: string,
  parameters: Record<string, unknown>,
  bounds: QueryBounds,
): Promise<StoredSpan[]> {
  const rows = await runQuery<SpanRow>(
    store,
    `SELECT ${spanColumns} FROM otel_traces WHERE ${condition}
ORDER BY TraceId, Timestamp, SpanId LIMIT 1 BY TraceId, SpanId`,
    parameters,
    bounds,
  )
  return resolveSpans(store, rows.map(spanOfRow))
}
