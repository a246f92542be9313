import { resolveAttributes, scriptsOf } from '../source-maps/resolve-spans.ts'
import { buildMaps } from '../source-maps/source-maps.ts'
import type { Store } from '../store.ts'
import { type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

/** An error that an application reported as a log event. */
export interface StoredException {
  readonly traceId: string
  readonly spanId: string
  readonly service: string
  /** Epoch nanoseconds. */
  readonly timeNs: bigint
  readonly type: string
  readonly message: string
  /** Of the source where the maps of its build are stored; '' when none was sent. */
  readonly stack: string
  readonly attributes: Record<string, string>
}

/** Errors reported in these traces in the scope, by time; at most 1000. */
export async function exceptionsOfTraces(
  store: Store,
  scope: Scope,
  traceIds: readonly string[],
  bounds: QueryBounds = {},
): Promise<StoredException[]> {
  if (traceIds.length === 0) return []
  const rows = await runQuery<{
    traceId: string
    spanId: string
    service: string
    timeNs: string
    attributes: Record<string, string>
    buildId: string
  }>(
    store,
    `SELECT TraceId AS traceId, SpanId AS spanId, ServiceName AS service, toUnixTimestamp64Nano(Timestamp) AS timeNs,
  LogAttributes AS attributes, ResourceAttributes['hotspan.build.id'] AS buildId
FROM otel_logs
WHERE Timestamp >= fromUnixTimestamp64Nano({fromNs:Int64}) AND Timestamp < fromUnixTimestamp64Nano({toNs:Int64})
  AND EventName = 'exception' AND TraceId IN {traceIds:Array(String)}
ORDER BY Timestamp LIMIT 1000`,
    { ...scopeParameters(scope), traceIds: [...traceIds] },
    bounds,
  )
  const exceptions: StoredException[] = []
  for (const { buildId, timeNs, attributes: stored, ...where } of rows) {
    const maps = buildId === '' ? null : await buildMaps(store, buildId)
    await maps?.prepare(scriptsOf(stored))
    const attributes = maps === null ? stored : resolveAttributes(stored, maps)
    exceptions.push({
      ...where,
      timeNs: BigInt(timeNs),
      type: attributes['exception.type'] ?? '',
      message: attributes['exception.message'] ?? '',
      stack: attributes['exception.stacktrace'] ?? '',
      attributes,
    })
  }
  return exceptions
}
