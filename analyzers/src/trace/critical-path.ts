import { blockingChildren, overlapToleranceMs } from './happens-before.ts'
import type { TraceNode } from './trace-tree.ts'

/**
 * A piece of the critical path. `work` is a span without blocking children; `edge` is the part of a call that its callee's span
 * does not cover; `unattributed` is time inside a span that no child explains.
 */
export interface PathSegment {
  readonly node: TraceNode
  readonly startMs: number
  readonly endMs: number
  readonly kind: 'work' | 'edge' | 'unattributed'
}

interface Frame {
  readonly node: TraceNode
  /** By end, the last one last. */
  readonly byEnd: readonly TraceNode[]
  next: number
  cursorMs: number
  readonly kind: PathSegment['kind']
}

/**
 * The critical path through the subtree of `root`: from its end take the last-finishing child, walk back from its start, repeat.
 * Iterative, since depth grows with the trace. Segments come in time order, do not overlap and add up to the root's duration.
 */
export function criticalPath(root: TraceNode): PathSegment[] {
  const segments: PathSegment[] = []
  const stack: Frame[] = [frameOf(root, root.endMs)]
  while (stack.length > 0) {
    const frame = stack[stack.length - 1]!
    const child = takeLastFinished(frame)
    if (child === undefined) {
      push(segments, frame, frame.node.startMs, frame.cursorMs)
      stack.pop()
      continue
    }
    const childEndMs = Math.min(child.endMs, frame.cursorMs)
    push(segments, frame, childEndMs, frame.cursorMs)
    frame.cursorMs = child.startMs
    stack.push(frameOf(child, childEndMs))
  }
  return segments.reverse()
}

function frameOf(node: TraceNode, cursorMs: number): Frame {
  const byEnd = blockingChildren(node).sort((a, b) => a.endMs - b.endMs || a.startMs - b.startMs)
  const kind = byEnd.length === 0 ? 'work' : calleeOf(node) === undefined ? 'unattributed' : 'edge'
  return { node, byEnd, next: byEnd.length - 1, cursorMs, kind }
}

/** The server span that answers this client span. */
export function calleeOf(node: TraceNode): TraceNode | undefined {
  if (node.span.kind !== 'client') return undefined
  return node.children.find((child) => child.span.kind === 'server')
}

/** The next child that had ended (within the tolerance) when the path stood at the cursor. */
function takeLastFinished(frame: Frame): TraceNode | undefined {
  while (frame.next >= 0) {
    const child = frame.byEnd[frame.next--]!
    const toleranceMs = overlapToleranceMs(child.endMs - child.startMs)
    if (child.endMs - toleranceMs <= frame.cursorMs && child.startMs < frame.cursorMs) return child
  }
  return undefined
}

function push(segments: PathSegment[], frame: Frame, startMs: number, endMs: number): void {
  if (endMs > startMs) segments.push({ node: frame.node, startMs, endMs, kind: frame.kind })
}

/** Critical-path ms of the spans that `of` accepts, their callees included. */
export function pathTimeMs(path: readonly PathSegment[], of: (node: TraceNode) => boolean): number {
  let sumMs = 0
  for (const segment of path) {
    for (let node: TraceNode | null = segment.node; node !== null; node = node.parent) {
      if (!of(node)) continue
      sumMs += segment.endMs - segment.startMs
      break
    }
  }
  return sumMs
}
