import type { Store } from '../store.ts'
import type { StoredSpan } from '../stored-span.ts'
import { type QueryBounds, runQuery } from './run-query.ts'
import { spansOfTraces } from './spans-of-traces.ts'

/** Every span of one trace, by start; [] when there is none. The lookup table gives the time range. */
export async function traceById(
  store: Store,
  traceId: string,
  bounds: QueryBounds = {},
): Promise<StoredSpan[]> {
  const id = traceId.toLowerCase()
  const [range] = await runQuery<{ n: string; fromSec: string; toSec: string }>(
    store,
    `SELECT count() AS n, toInt64(toUnixTimestamp(min(Start))) AS fromSec, toInt64(toUnixTimestamp(max(End))) AS toSec
FROM otel_traces_trace_id_ts WHERE TraceId = {id:String}`,
    { id },
    bounds,
  )
  if (range === undefined || Number(range.n) === 0) return []
  // The table has whole seconds, cut off.
  return spansOfTraces(
    store,
    { fromMs: Number(range.fromSec) * 1000, toMs: (Number(range.toSec) + 1) * 1000 },
    [id],
    bounds,
  )
}
