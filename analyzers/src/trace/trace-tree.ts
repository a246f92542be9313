import type { StoredSpan } from '@hotspan/collector'

/** Spans of one trace that are looked at; the rest is dropped and `capped` says so. */
export const maxSpansPerTrace = 10_000

/** A span in its trace. Times are ms since the trace's first start, moved onto the parent's clock and clamped into the parent. */
export interface TraceNode {
  readonly span: StoredSpan
  readonly parent: TraceNode | null
  /** By start, then by end. */
  readonly children: readonly TraceNode[]
  readonly startMs: number
  readonly endMs: number
  /**
   * Not waited for by its parent: a consumer's work, a child mostly behind its parent's end,
   * a stall of the event loop. Its own subtree keeps its times.
   */
  readonly detached: boolean
}

export interface TraceTree {
  readonly traceId: string
  /** The root that the others hang on: the earliest span without a parent, else the earliest orphan. */
  readonly root: TraceNode
  /** Parents before children. */
  readonly nodes: readonly TraceNode[]
  /** Spans whose parent is not in the trace, `root` included when it names one. */
  readonly orphans: readonly TraceNode[]
  /** Root present, every parent present, nothing cut off. */
  readonly whole: boolean
  readonly duplicates: number
  readonly capped: boolean
  readonly originNs: bigint
}

interface MutableNode {
  span: StoredSpan
  parent: MutableNode | null
  children: MutableNode[]
  startMs: number
  endMs: number
  detached: boolean
}

/**
 * Builds the tree of one trace. Repeated spans count once, parents that are missing or that form a circle make their children
 * orphans, and a callee whose clock disagrees with its caller's is moved into the caller's span.
 *
 * @returns null when there is no span.
 */
export function buildTraceTree(spans: readonly StoredSpan[]): TraceTree | null {
  const bySpanId = new Map<string, StoredSpan>()
  for (const span of spans) if (!bySpanId.has(span.spanId)) bySpanId.set(span.spanId, span)
  if (bySpanId.size === 0) return null
  let unique = [...bySpanId.values()].sort(byStart)
  const duplicates = spans.length - unique.length
  const capped = unique.length > maxSpansPerTrace
  if (capped) unique = unique.slice(0, maxSpansPerTrace)

  const originNs = unique[0]!.startNs
  const nodes = new Map<string, MutableNode>()
  for (const span of unique) {
    const startMs = Number(span.startNs - originNs) / 1e6
    const endMs = startMs + span.durationNs / 1e6
    nodes.set(span.spanId, { span, parent: null, children: [], startMs, endMs, detached: false })
  }
  const tops: MutableNode[] = []
  for (const node of nodes.values()) {
    const parent = node.span.parentSpanId === '' ? undefined : nodes.get(node.span.parentSpanId)
    if (parent === undefined || parent === node || leadsTo(parent, node)) tops.push(node)
    else {
      node.parent = parent
      parent.children.push(node)
    }
  }
  const ordered = placeOnParents(tops)
  const orphans = tops.filter((node) => node.span.parentSpanId !== '')
  const root = tops.find((node) => node.span.parentSpanId === '') ?? tops[0]!
  const rootCount = tops.length - orphans.length
  return {
    traceId: unique[0]!.traceId,
    root,
    nodes: ordered,
    orphans,
    whole: rootCount === 1 && orphans.length === 0 && !capped,
    duplicates,
    capped,
    originNs,
  }
}

const byStart = (a: StoredSpan, b: StoredSpan) =>
  a.startNs < b.startNs ? -1 : a.startNs > b.startNs ? 1 : a.spanId < b.spanId ? -1 : 1

/** Would hanging `child` under `parent` close a circle? Parents are linked one by one, so the chain upwards always ends. */
function leadsTo(parent: MutableNode, child: MutableNode): boolean {
  for (let up: MutableNode | null = parent; up !== null; up = up.parent) if (up === child) return true
  return false
}

function placeOnParents(tops: readonly MutableNode[]): MutableNode[] {
  const ordered: MutableNode[] = []
  const stack = [...tops].reverse().map((node) => ({ node, shiftMs: 0 }))
  while (stack.length > 0) {
    const { node, shiftMs } = stack.pop()!
    ordered.push(node)
    const shift = shiftMs + placeOnParent(node, shiftMs)
    node.children.sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)
    for (let i = node.children.length - 1; i >= 0; i--)
      stack.push({ node: node.children[i]!, shiftMs: shift })
  }
  for (const node of ordered) node.children.sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)
  return ordered
}

/** Moves and clamps one node; returns by how much its clock had to be moved, ms. */
function placeOnParent(node: MutableNode, inheritedShiftMs: number): number {
  const { parent } = node
  node.startMs += inheritedShiftMs
  node.endMs += inheritedShiftMs
  if (parent === null) return 0
  node.detached = isAsynchronous(node)
  if (node.detached) return 0
  const durationMs = node.endMs - node.startMs
  const slackMs = parent.endMs - parent.startMs - durationMs
  let moved = 0
  const outside = node.startMs < parent.startMs || node.endMs > parent.endMs
  if (outside && slackMs >= 0 && crossesClocks(node)) {
    // Two clocks: the callee ran inside the call, so put it in the middle; what is left on both sides is the way there and back.
    moved = parent.startMs + slackMs / 2 - node.startMs
    node.startMs += moved
    node.endMs += moved
  }
  node.startMs = Math.min(Math.max(node.startMs, parent.startMs), parent.endMs)
  node.endMs = Math.min(Math.max(node.endMs, node.startMs), parent.endMs)
  return moved
}

function isAsynchronous(node: MutableNode): boolean {
  const parent = node.parent!
  if (node.span.kind === 'consumer' || parent.span.kind === 'producer') return true
  // It says that the thread was busy while other spans of the request ran: an observation beside the work, not a piece of it.
  if (node.span.name === 'event_loop.stall') return true
  // Mostly behind the parent's end: a click's request, work after the answer. A smaller overhang is cut off at the parent's end.
  return !crossesClocks(node) && node.endMs - parent.endMs > Math.max(parent.endMs - node.startMs, 0)
}

function crossesClocks(node: MutableNode): boolean {
  return node.span.kind === 'server' && node.parent!.span.kind === 'client'
}
