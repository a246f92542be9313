import type { TraceNode } from './trace-tree.ts'

/**
 * Overlap up to which an earlier sibling still counts as "before" a later one: max(1 % of it, 1 ms), never more than half of it.
 * Back-to-back calls overlap a little through clock granularity; without the tolerance they would count as parallel.
 */
export function overlapToleranceMs(earlierDurationMs: number): number {
  return Math.min(Math.max(earlierDurationMs * 0.01, 1), earlierDurationMs / 2)
}

/** The end that a later sibling's start is compared with: half-open, `end <= start` is "before". */
export function effectiveEndMs(node: TraceNode): number {
  return node.endMs - overlapToleranceMs(node.endMs - node.startMs)
}

/** Did `earlier` end before `later` began, as far as clocks can tell? */
export function happensBefore(earlier: TraceNode, later: TraceNode): boolean {
  return effectiveEndMs(earlier) <= later.startMs && earlier.startMs <= later.startMs && earlier !== later
}

/** Children that their parent may wait for. */
export function blockingChildren(node: TraceNode): TraceNode[] {
  return node.children.filter((child) => !child.detached && child.endMs > child.startMs)
}
