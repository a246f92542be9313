import type { ReceivedSpan } from './sink.ts'

/** Every span by its kind and the names from its root down, sorted: what two sets of spans are compared by. */
export function spanTrees(
  spans: readonly ReceivedSpan[],
  nameOf: (span: ReceivedSpan) => string = ({ name }) => name,
): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  const path = (span: ReceivedSpan): string => {
    const parent = byId.get(span.parentSpanId)
    const own = `${span.kind} ${nameOf(span)}`
    return parent === undefined ? own : `${path(parent)} > ${own}`
  }
  return spans.map(path).sort()
}
