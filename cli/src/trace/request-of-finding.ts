import type { Finding } from '@hotspan/analyzers'
import type { WaterfallSpan } from './waterfall.ts'

/**
 * Of a trace, the request that a finding is about with everything below it, and the spans that led to it; the whole trace when it
 * holds no such request (a browser's findings are about views). Of several requests it is the one with most spans.
 */
export function requestOfFinding(
  spans: readonly WaterfallSpan[],
  { service, operation }: Pick<Finding, 'service' | 'operation'>,
): readonly WaterfallSpan[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  const pathOf = (span: WaterfallSpan): WaterfallSpan[] => {
    const path: WaterfallSpan[] = []
    let at: WaterfallSpan | undefined = span
    // Damaged data may hold a loop.
    while (at !== undefined && !path.includes(at)) {
      path.push(at)
      at = byId.get(at.parentSpanId)
    }
    return path
  }
  const below = new Map<WaterfallSpan, WaterfallSpan[]>()
  for (const span of spans) {
    const request = pathOf(span).find((one) => one.service === service && one.name === operation)
    if (request !== undefined) below.set(request, [...(below.get(request) ?? []), span])
  }
  const [largest] = [...below].sort(([, a], [, b]) => b.length - a.length)
  if (largest === undefined) return spans
  const [request, own] = largest
  return [...pathOf(request).slice(1), ...own]
}
