import type { Store } from '../store.ts'
import type { StoredSpan } from '../stored-span.ts'
import type { QueryBounds } from './run-query.ts'
import { spansWhere } from './spans-of-traces.ts'

// As DateTime64: of a whole second the engine makes "until the second before", and passes over parts that lie within one (26.7). Asked once for
// both edges: 2.5 ms of CPU less than once for each.
const range = `(SELECT (toDateTime64(min(Start), 9), toDateTime64(max(End), 9) + INTERVAL 1 SECOND)
FROM otel_traces_trace_id_ts WHERE TraceId = {traceId:String})`

/**
 * Every span of one trace, by start; [] when there is none. The lookup table gives the time range, in whole seconds, cut off; of an
 * unknown trace it is the first second of 1970.
 */
export function traceById(store: Store, traceId: string, bounds: QueryBounds = {}): Promise<StoredSpan[]> {
  return spansWhere(
    store,
    `Timestamp >= (${range} AS lookup).1 AND Timestamp < lookup.2 AND TraceId = {traceId:String}`,
    { traceId: traceId.toLowerCase() },
    bounds,
  )
}
