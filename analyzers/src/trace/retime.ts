import { blockingChildren, effectiveEndMs } from './happens-before.ts'
import type { TraceNode } from './trace-tree.ts'

/** One change to a trace, as a fix would make it. */
export type Edit =
  /** The span takes this long, or stays as it is when it is shorter already. */
  | { readonly kind: 'shorten'; readonly spanId: string; readonly toMs: number }
  /** The span does not happen. */
  | { readonly kind: 'remove'; readonly spanId: string }
  /** Siblings that ran one after another start together, at most `width` at a time. */
  | { readonly kind: 'parallelise'; readonly spanIds: readonly string[]; readonly width: number }

/**
 * `pessimistic`: what followed several spans waits for all of them. `optimistic`: it waits only for the one that ended last.
 * The truth lies between; savings are claimed from the pessimistic one.
 */
export type Assumption = 'pessimistic' | 'optimistic'

export interface Retimed {
  readonly beforeMs: number
  readonly afterMs: number
  readonly savedMs: number
  readonly assumption: Assumption
}

/**
 * Replays the subtree of `root` with the edits applied: every sibling that happens after a changed span is shifted, gaps (the
 * parent's own work) keep their length. O(n log n) in spans.
 */
export function retime(
  root: TraceNode,
  edits: readonly Edit[],
  assumption: Assumption = 'pessimistic',
): Retimed {
  const plan = planOf(edits)
  const durations = new Map<TraceNode, number>()
  for (const node of postOrder(root)) durations.set(node, newDuration(node, durations, plan, assumption))
  const beforeMs = root.endMs - root.startMs
  const afterMs = durations.get(root)!
  return { beforeMs, afterMs, savedMs: beforeMs - afterMs, assumption }
}

interface Plan {
  readonly shortened: ReadonlyMap<string, number>
  readonly groups: ReadonlyMap<string, { readonly spanIds: readonly string[]; readonly width: number }>
}

function planOf(edits: readonly Edit[]): Plan {
  const shortened = new Map<string, number>()
  const groups = new Map<string, { spanIds: readonly string[]; width: number }>()
  for (const edit of edits) {
    if (edit.kind === 'parallelise') {
      for (const spanId of edit.spanIds)
        groups.set(spanId, { spanIds: edit.spanIds, width: Math.max(1, edit.width) })
      continue
    }
    const toMs = edit.kind === 'remove' ? 0 : edit.toMs
    shortened.set(edit.spanId, Math.min(toMs, shortened.get(edit.spanId) ?? Number.POSITIVE_INFINITY))
  }
  return { shortened, groups }
}

function postOrder(root: TraceNode): TraceNode[] {
  const order: TraceNode[] = []
  const stack = [root]
  while (stack.length > 0) {
    const node = stack.pop()!
    order.push(node)
    for (const child of node.children) if (!child.detached) stack.push(child)
  }
  return order.reverse()
}

function newDuration(
  node: TraceNode,
  durations: ReadonlyMap<TraceNode, number>,
  plan: Plan,
  assumption: Assumption,
): number {
  const replayedMs = replayChildren(node, durations, plan, assumption)
  const toMs = plan.shortened.get(node.span.spanId)
  return toMs === undefined ? replayedMs : Math.min(toMs, replayedMs)
}

function replayChildren(
  node: TraceNode,
  durations: ReadonlyMap<TraceNode, number>,
  plan: Plan,
  assumption: Assumption,
): number {
  const children = blockingChildren(node)
  const durationMs = node.endMs - node.startMs
  if (children.length === 0) return durationMs
  const byEnd = [...children].sort((a, b) => effectiveEndMs(a) - effectiveEndMs(b))
  const starts = new Map<string, number>()
  const ends = new Map<string, number>()
  const before = new Frontier(node.startMs)
  let next = 0
  for (const child of children) {
    while (next < byEnd.length && effectiveEndMs(byEnd[next]!) <= child.startMs) {
      const earlier = byEnd[next++]!
      before.add(earlier.endMs, ends.get(earlier.span.spanId)!)
    }
    const group = plan.groups.get(child.span.spanId)
    const together = group === undefined ? undefined : groupStart(child, group, starts, ends)
    const startMs = together ?? before.shifted(child.startMs, assumption)
    starts.set(child.span.spanId, startMs)
    ends.set(child.span.spanId, startMs + durations.get(child)!)
  }
  const all = new Frontier(node.startMs)
  for (const child of children) all.add(child.endMs, ends.get(child.span.spanId)!)
  // All children block the end of their parent, whichever assumption: a promise that is awaited last is still awaited.
  return all.shifted(node.endMs, 'pessimistic') - node.startMs
}

/** Where a parallelised span starts: with the first of its group, or when a place is free. Undefined for the first itself. */
function groupStart(
  child: TraceNode,
  group: { readonly spanIds: readonly string[]; readonly width: number },
  starts: ReadonlyMap<string, number>,
  ends: ReadonlyMap<string, number>,
): number | undefined {
  const running = group.spanIds.filter((id) => id !== child.span.spanId && starts.has(id))
  if (running.length === 0) return undefined
  const firstMs = Math.min(...running.map((id) => starts.get(id)!))
  if (running.length < group.width) return firstMs
  const byEnd = running.map((id) => ends.get(id)!).sort((a, b) => b - a)
  return Math.max(firstMs, byEnd[group.width - 1]!)
}

/** The spans that have ended so far: which one ended last, and when all of them have ended after the edits. */
class Frontier {
  #triggerEndMs: number
  #triggerNewEndMs: number
  #latestNewEndMs: number

  constructor(startMs: number) {
    this.#triggerEndMs = startMs
    this.#triggerNewEndMs = startMs
    this.#latestNewEndMs = startMs
  }

  add(endMs: number, newEndMs: number): void {
    if (endMs >= this.#triggerEndMs) {
      this.#triggerEndMs = endMs
      this.#triggerNewEndMs = newEndMs
    }
    this.#latestNewEndMs = Math.max(this.#latestNewEndMs, newEndMs)
  }

  /** New position of a moment that came after these spans. The gap to the last one is the parent's own work and stays. */
  shifted(atMs: number, assumption: Assumption): number {
    const afterTriggerMs = this.#triggerNewEndMs + (atMs - this.#triggerEndMs)
    if (assumption === 'optimistic') return Math.min(atMs, afterTriggerMs)
    // Edits only take time away; the bound keeps an overlap within the tolerance from pushing what followed.
    return Math.min(atMs, Math.max(afterTriggerMs, this.#latestNewEndMs))
  }
}
