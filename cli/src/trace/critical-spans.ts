import { buildTraceTree, criticalPath } from '@hotspan/analyzers'
import type { WaterfallSpan } from './waterfall.ts'

/** Spans that the answer waited for: those with time of their own on the critical path, and their ancestors. */
export const criticalSpanIds = (spans: readonly WaterfallSpan[]): ReadonlySet<string> => {
  const tree = buildTraceTree(spans)
  const ids = new Set<string>()
  if (tree === null) return ids
  for (const segment of criticalPath(tree.root)) {
    for (let node = segment.node; !ids.has(node.span.spanId); ) {
      ids.add(node.span.spanId)
      if (node.parent === null) break
      node = node.parent
    }
  }
  return ids
}
