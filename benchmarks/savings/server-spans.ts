import { setTimeout as wait } from 'node:timers/promises'
import { runQuery, type Store } from '../../collector/dist/index.js'

export interface ServerSpan {
  readonly traceId: string
  readonly operation: string
  readonly startMs: number
  readonly durationMs: number
}

export interface Stall {
  readonly traceId: string
  readonly startMs: number
  readonly durationMs: number
}

/** Times are counted from the start of the window: epoch milliseconds leave a double too few digits for a microsecond. */
const select = (what: string): string =>
  `SELECT TraceId AS traceId, ${what} AS operation, (toUnixTimestamp64Nano(Timestamp) - {fromMs: Int64} * 1000000) / 1e6 AS startMs, Duration / 1e6 AS durationMs
   FROM otel_traces
   WHERE Timestamp >= fromUnixTimestamp64Milli({fromMs: Int64}) AND Timestamp < fromUnixTimestamp64Milli({toMs: Int64})
     AND ServiceName = 'shop-api'`

interface Window {
  readonly fromMs: number
  readonly toMs: number
}

/** The API's server spans by trace. */
export async function serverSpans(store: Store, window: Window): Promise<Map<string, ServerSpan>> {
  const found = await runQuery<ServerSpan>(
    store,
    `${select('SpanName')} AND SpanKind = 'Server' LIMIT 1 BY TraceId, SpanId`,
    { ...window },
  )
  return new Map(found.map((span) => [span.traceId, span]))
}

/** Times that the API's event loop stood still, with the trace of the request that did it. */
export const stalls = (store: Store, window: Window): Promise<Stall[]> =>
  runQuery<Stall>(store, `${select("''")} AND SpanName = 'event_loop.stall' LIMIT 1 BY TraceId, SpanId`, {
    ...window,
  })

/** Waits until the span of every trace has arrived, at most 20 s: agents send in batches. */
export async function arrived(store: Store, fromMs: number, traceIds: readonly string[]): Promise<void> {
  const deadlineMs = Date.now() + 20_000
  for (;;) {
    const there = await serverSpans(store, { fromMs, toMs: Date.now() })
    if (traceIds.every((id) => there.has(id)) || Date.now() > deadlineMs) return
    await wait(500)
  }
}
