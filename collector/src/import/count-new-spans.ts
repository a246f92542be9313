import type { Span } from '@hotspan/otlp'
import { sqlString } from '../engine/query-parameters.ts'
import type { Store } from '../store.ts'

/** Spans of one question: its text stays below the engine's bound of 256 KiB. */
const spansOfQuestion = 2000

/** How many of the spans, each counted once by its ids, are not in the store yet. */
export async function countNewSpans(store: Store, spans: readonly Span[]): Promise<number> {
  const byId = new Map(spans.map((span) => [`${span.traceId} ${span.spanId}`, span]))
  const once = [...byId.values()]
  let stored = 0
  for (let at = 0; at < once.length; at += spansOfQuestion) {
    stored += await countStored(store, once.slice(at, at + spansOfQuestion))
  }
  return once.length - stored
}

async function countStored(store: Store, spans: readonly Span[]): Promise<number> {
  let from = spans[0]!.startTimeUnixNano
  let to = from
  for (const { startTimeUnixNano } of spans) {
    if (startTimeUnixNano < from) from = startTimeUnixNano
    if (startTimeUnixNano > to) to = startTimeUnixNano
  }
  const ids = spans.map(({ traceId, spanId }) => `(${sqlString(traceId)},${sqlString(spanId)})`)
  const answer = await store.client.query({
    query: `SELECT toFloat64(uniqExact(TraceId, SpanId)) AS stored FROM otel_traces
WHERE Timestamp >= fromUnixTimestamp64Nano(${from}) AND Timestamp <= fromUnixTimestamp64Nano(${to}) AND (TraceId, SpanId) IN (${ids.join(',')})`,
    format: 'JSONEachRow',
  })
  return (await answer.json<{ stored: number }>())[0]?.stored ?? 0
}
