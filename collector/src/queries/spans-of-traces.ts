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
  const rows = await runQuery<SpanRow>(
    store,
    `SELECT ${spanColumns} FROM otel_traces WHERE ${inScope} AND TraceId IN {traceIds:Array(String)}
ORDER BY TraceId, Timestamp, SpanId LIMIT 1 BY TraceId, SpanId`,
    { ...scopeParameters(scope), traceIds: [...traceIds] },
    bounds,
  )
  return resolveSpans(store, rows.map(spanOfRow))
}
