import { buildTraceTree, criticalPath } from '@hotspan/analyzers'
import type { WaterfallSpan } from './waterfall.ts'

/**
 * Spans that an answer waited for: those with time of their own on a critical path, and their ancestors. Of the whole trace, and of
 * each request that goes on when what caused it is over, as a click's or a route change's does.
 */
export const criticalSpanIds = (spans: readonly WaterfallSpan[]): ReadonlySet<string> => {
  const tree = buildTraceTree(spans)
  const ids = new Set<string>()
  if (tree === null) return ids
  const requests = tree.nodes.filter(({ detached, span }) => detached && span.kind === 'client')
  for (const segment of [tree.root, ...requests].flatMap(criticalPath)) {
    for (let node = segment.node; !ids.has(node.span.spanId); ) {
      ids.add(node.span.spanId)
      if (node.parent === null) break
      node = node.parent
    }
  }
  return ids
}
