import type { StoredSpan } from '@hotspan/collector'
import { criticalPath, type PathSegment } from './critical-path.ts'
import type { TraceNode, TraceTree } from './trace-tree.ts'

/** A trace may lack this share of parents and still be re-timed; beyond it, it is used for counts only. */
const maxMissingParentsRatio = 0.05

/** One request as a service saw it: the server span at which the trace enters the service, and everything below. */
export interface Entry {
  readonly trace: SampledTrace
  readonly node: TraceNode
  readonly service: string
  /** Name of the server span, e.g. `GET /products`. */
  readonly operation: string
  /** Minutes since the epoch. */
  readonly minute: number
  readonly durationMs: number
  readonly isError: boolean
  readonly weight: number
  /** Spans of the subtree, parents first. */
  readonly nodes: readonly TraceNode[]
  readonly path: readonly PathSegment[]
}

export interface SampledTrace {
  readonly tree: TraceTree
  readonly entries: readonly Entry[]
  /** Chosen without looking at its duration, so that medians over such traces are fair. */
  readonly isFair: boolean
  /** Chosen without looking at it at all, so that shares over such traces are fair. */
  readonly isBlind: boolean
  readonly startsInBrowser: boolean
  /** Whole as stored, and what may be shown as evidence. */
  readonly isWhole: boolean
}

/** Health checks and the like tell nothing about users. */
const probeRoute = /\/(?:healthz?|livez?|readyz?|liveness|readiness|ping|metrics|favicon\.ico)$/i

export const isProbe = (operation: string): boolean => probeRoute.test(operation)

export const isBrowserSpan = (span: StoredSpan): boolean =>
  span.resource['telemetry.sdk.language'] === 'webjs' || span.scopeName === '@hotspan/browser'

/** Has the process that made this span been up for less than the warm-up time? False when its start is not known. */
export function isWarmUp(span: StoredSpan, warmUpSec: number): boolean {
  const createdMs = Date.parse(span.resource['process.creation.time'] ?? '')
  return Number.isFinite(createdMs) && Number(span.startNs / 1_000_000n) < createdMs + warmUpSec * 1000
}

/**
 * Finds the requests of a trace. Requests of a warming process, health checks and background work (a consumer or a timer at the
 * root) are left out; a trace that misses too many parents has none.
 */
export function sampleTrace(
  tree: TraceTree,
  options: { isFair: boolean; isBlind: boolean; warmUpSec: number },
): SampledTrace {
  const entries: Entry[] = []
  const trace: SampledTrace = {
    tree,
    entries,
    isFair: options.isFair,
    isBlind: options.isBlind,
    startsInBrowser: isBrowserSpan(tree.root.span),
    isWhole: tree.whole,
  }
  if (!isUsable(tree)) return trace
  for (const node of tree.nodes) {
    if (!isEntry(node) || isWarmUp(node.span, options.warmUpSec) || isProbe(node.span.name)) continue
    entries.push(entryOf(trace, node))
  }
  return trace
}

/** A server span whose caller is another service, an uninstrumented one, or nobody. */
const isEntry = (node: TraceNode): boolean =>
  node.span.kind === 'server' &&
  !node.detached &&
  (node.parent === null || node.parent.span.kind === 'client')

function isUsable(tree: TraceTree): boolean {
  if (tree.capped) return false
  // One server span with a caller that sends no spans (a load generator, a partner) is a root like any other.
  const missing = tree.orphans.filter((orphan) => orphan.span.kind !== 'server').length
  return missing <= tree.nodes.length * maxMissingParentsRatio
}

function entryOf(trace: SampledTrace, node: TraceNode): Entry {
  let path: PathSegment[] | undefined
  let nodes: TraceNode[] | undefined
  return {
    trace,
    node,
    service: node.span.service,
    operation: node.span.name,
    minute: Number(node.span.startNs / 60_000_000_000n),
    durationMs: node.endMs - node.startMs,
    isError: node.span.statusCode === 'error',
    weight: node.span.weight,
    get nodes() {
      nodes ??= subtree(node)
      return nodes
    },
    get path() {
      path ??= criticalPath(node)
      return path
    },
  }
}

function subtree(root: TraceNode): TraceNode[] {
  const nodes: TraceNode[] = []
  const stack = [root]
  while (stack.length > 0) {
    const node = stack.pop()!
    nodes.push(node)
    for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i]!)
  }
  return nodes
}
