import type { StoredException } from '@hotspan/collector'
import { criticalSpanIds } from './critical-spans.ts'
import { buildWaterfall, type WaterfallSpan } from './waterfall.ts'

export const traceSchemaVersion = 1

/** One trace as a printed document: what the waterfall shows, the errors that were reported in it, and every span whole. */
export const traceDocument = <T extends WaterfallSpan>(
  spans: readonly T[],
  exceptions: readonly StoredException[] = [],
) => {
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
    exceptions,
    spans: spans.map((span) => ({ ...span, critical: critical.has(span.spanId) })),
  }
}
