import { criticalSpanIds } from './critical-spans.ts'
import { buildWaterfall, type WaterfallSpan } from './waterfall.ts'

export const traceSchemaVersion = 1

/** One trace as a printed document: what the waterfall shows, and every span whole. */
export const traceDocument = <T extends WaterfallSpan>(spans: readonly T[]) => {
  const critical = criticalSpanIds(spans)
  const waterfall = buildWaterfall(spans, { maxRows: 0 })
  return {
    schemaVersion: traceSchemaVersion,
    traceId: waterfall.traceId,
    name: waterfall.name,
    startUnixMs: waterfall.startUnixMs,
    durationMs: waterfall.durationMs,
    services: waterfall.services,
    errors: waterfall.errors,
    orphans: waterfall.orphans,
    spans: spans.map((span) => ({ ...span, critical: critical.has(span.spanId) })),
  }
}
