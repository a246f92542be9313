import { blockingChildren, effectiveEndMs } from './happens-before.ts'
import { retime } from './retime.ts'
import type { TraceNode } from './trace-tree.ts'

/** Time that the root loses when this span becomes zero, ms. 0 off the critical path. */
export function dragMs(root: TraceNode, spanId: string): number {
  return retime(root, [{ kind: 'remove', spanId }]).savedMs
}

/** How much each span under `root` may grow before the root gets longer, ms; 0 on the critical path. */
export function slackBySpan(root: TraceNode): Map<string, number> {
  const slack = new Map<TraceNode, number>([[root, 0]])
  const stack = [root]
  while (stack.length > 0) {
    const node = stack.pop()!
    const children = blockingChildren(node)
    slackOfChildren(node, children, slack)
    stack.push(...children)
  }
  return new Map([...slack].map(([node, ms]) => [node.span.spanId, Math.max(0, ms)]))
}

/** Latest-first: a span may grow until it would push the parent's end or the earliest sibling that waited for it. */
function slackOfChildren(
  parent: TraceNode,
  children: readonly TraceNode[],
  slack: Map<TraceNode, number>,
): void {
  const parentSlackMs = slack.get(parent)!
  const lastEndMs = Math.max(...children.map((child) => child.endMs), Number.NEGATIVE_INFINITY)
  for (let i = children.length - 1; i >= 0; i--) {
    const child = children[i]!
    // The last to finish pushes the parent's end at once; the others have room until it.
    let ms = parentSlackMs + lastEndMs - child.endMs
    for (let j = i + 1; j < children.length; j++) {
      const later = children[j]!
      if (effectiveEndMs(child) > later.startMs) continue
      const trigger = lastEndedBefore(children, later)
      const roomMs = trigger === undefined ? 0 : Math.max(0, trigger.endMs - child.endMs)
      ms = Math.min(ms, slack.get(later)! + roomMs)
    }
    slack.set(child, ms)
  }
}

function lastEndedBefore(children: readonly TraceNode[], later: TraceNode): TraceNode | undefined {
  let last: TraceNode | undefined
  for (const child of children) {
    if (child === later || effectiveEndMs(child) > later.startMs) continue
    if (last === undefined || child.endMs > last.endMs) last = child
  }
  return last
}
