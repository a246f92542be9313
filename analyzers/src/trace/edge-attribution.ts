import { calleeOf, type PathSegment } from './critical-path.ts'
import type { TraceNode, TraceTree } from './trace-tree.ts'

/** A call seen from both sides. */
export interface EdgeGap {
  readonly client: TraceNode
  readonly server: TraceNode
  readonly caller: string
  readonly callee: string
  /** Client minus server duration: wire, connection, queueing before the server span opens, encoding. ms, never negative. */
  readonly gapMs: number
  /** The gap holds the opening of a connection (a child span of the call says so): *connect cost*, not distance. */
  readonly opensConnection: boolean
}

/** What takes the time on the critical path: a span's own work, or the way between two services. */
export type Suspect =
  | { readonly kind: 'node'; readonly service: string; readonly operation: string; readonly ms: number }
  | { readonly kind: 'edge'; readonly caller: string; readonly callee: string; readonly ms: number }

const connectSpan = /\b(connect|dns|tls)\b/i

/** Every call of the trace with both sides present. Calls without a server span have an unknown gap and are not listed. */
export function edgeGaps(tree: TraceTree): EdgeGap[] {
  const gaps: EdgeGap[] = []
  for (const client of tree.nodes) {
    const server = calleeOf(client)
    if (server === undefined) continue
    const gapNs = client.span.durationNs - server.span.durationNs
    gaps.push({
      client,
      server,
      caller: client.span.service,
      callee: server.span.service,
      gapMs: Math.max(0, gapNs) / 1e6,
      opensConnection: client.children.some((child) => connectSpan.test(child.span.name)),
    })
  }
  return gaps
}

/**
 * Critical-path time per node and per edge, largest first. A plain walk leaves the gap of a call in the client span and so
 * blames the caller for a slow network; here it belongs to the edge.
 */
export function attributePath(path: readonly PathSegment[]): Suspect[] {
  const suspects = new Map<string, { suspect: Suspect; ms: number }>()
  for (const segment of path) {
    const ms = segment.endMs - segment.startMs
    const { span } = segment.node
    const callee = segment.kind === 'edge' ? calleeOf(segment.node) : undefined
    const suspect: Suspect =
      callee === undefined
        ? { kind: 'node', service: span.service, operation: span.name, ms: 0 }
        : { kind: 'edge', caller: span.service, callee: callee.span.service, ms: 0 }
    const key = JSON.stringify(suspect)
    const known = suspects.get(key)
    if (known === undefined) suspects.set(key, { suspect, ms })
    else known.ms += ms
  }
  return [...suspects.values()].map(({ suspect, ms }) => ({ ...suspect, ms })).sort((a, b) => b.ms - a.ms)
}
