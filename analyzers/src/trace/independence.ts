import type { CallRow } from './call-chain.ts'
import { happensBefore } from './happens-before.ts'
import { isDatabaseSpan, isRead, parametersOf, targetOf } from './span-target.ts'
import type { TraceNode } from './trace-tree.ts'

/**
 * What speaks for two calls being independent. Of the tiers of serialized-calls, A is `overlap` and `reversed`, B is `survived`, C is
 * `adjacent`; `known` is ours: data cannot flow from a result into arguments that existed before.
 */
export const tierNames = ['overlap', 'reversed', 'survived', 'known', 'adjacent'] as const
export type Tier = (typeof tierNames)[number]

const maxAdjacentMs = 1

/** Learns from all requests which pairs of calls do not depend on each other. */
export class Independence {
  /** Pairs seen running at the same time: by parent, and in which operation at all. */
  readonly #overlaps = new Map<string, string>()
  readonly #overlapsAnywhere = new Map<string, Set<string>>()
  readonly #orders = new Set<string>()
  readonly #survived = new Set<string>()

  learn(row: CallRow): void {
    for (let i = 0; i < row.calls.length; i++) {
      for (let j = i + 1; j < row.calls.length; j++) this.#learnPair(row, row.calls[i]!, row.calls[j]!)
    }
  }

  #learnPair(row: CallRow, a: TraceNode, b: TraceNode): void {
    const [targetA, targetB] = [targetOf(a.span), targetOf(b.span)]
    if (happensBefore(a, b)) {
      if (targetA !== targetB) this.#orders.add(ordered(row, targetA, targetB))
      if (a.span.statusCode === 'error') this.#survived.add(ordered(row, targetA, targetB))
      return
    }
    this.#overlaps.set(pairKey(row.key, targetA, targetB), row.entry.operation)
    const anywhere = pairKey(row.entry.service, targetA, targetB)
    const operations = this.#overlapsAnywhere.get(anywhere) ?? new Set()
    operations.add(row.entry.operation)
    this.#overlapsAnywhere.set(anywhere, operations)
  }

  /** Everything that says that `later` need not wait for `earlier`; `previous` is the call that it followed. */
  tiersOf(row: CallRow, earlier: TraceNode, previous: TraceNode, later: TraceNode): Tier[] {
    const [a, b] = [targetOf(earlier.span), targetOf(later.span)]
    const tiers: Tier[] = []
    const isElsewhere = this.#overlapsAnywhere.has(pairKey(row.entry.service, a, b))
    if (this.#overlaps.has(pairKey(row.key, a, b)) || isElsewhere) tiers.push('overlap')
    if (a !== b && this.#orders.has(ordered(row, a, b)) && this.#orders.has(ordered(row, b, a)))
      tiers.push('reversed')
    if (this.#survived.has(ordered(row, a, b))) tiers.push('survived')
    if (argumentsKnownBefore(row, earlier, later)) tiers.push('known')
    const gapMs = later.startMs - previous.endMs
    if (a !== b && gapMs <= maxAdjacentMs && isRead(earlier.span) && isRead(later.span))
      tiers.push('adjacent')
    return tiers
  }

  /** Another operation in which calls of this group run at the same time. */
  overlapElsewhere(row: CallRow, group: readonly TraceNode[]): string | undefined {
    for (let i = 1; i < group.length; i++) {
      const key = pairKey(row.entry.service, targetOf(group[i - 1]!.span), targetOf(group[i]!.span))
      for (const operation of this.#overlapsAnywhere.get(key) ?? [])
        if (operation !== row.entry.operation) return operation
    }
    return undefined
  }
}

const ordered = (row: CallRow, first: string, second: string) => JSON.stringify([row.key, first, second])
const pairKey = (place: string, a: string, b: string) => JSON.stringify(a < b ? [place, a, b] : [place, b, a])

/** The later call's arguments are those of a call that began no later than the earlier one, or ids of the request's own path. */
function argumentsKnownBefore(row: CallRow, earlier: TraceNode, later: TraceNode): boolean {
  if (isDatabaseSpan(later.span)) {
    const parameters = parametersOf(later.span)
    if (parameters === '') return false
    return row.calls.some((call) => call.startMs <= earlier.startMs && parametersOf(call.span) === parameters)
  }
  const url = later.span.attributes['url.full'] ?? later.span.attributes['http.url']
  // With a query, or one that was scrubbed, or a body, values may flow that the path does not show.
  if (url === undefined || url.includes('?') || !isRead(later.span)) return false
  const known = new Set((row.entry.node.span.attributes['url.path'] ?? '').split('/'))
  const template = targetOf(later.span).replace(/^\S+ /, '').split('/')
  const parts = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split('/')
  return parts.every((part, i) => template[i] !== ':id' || known.has(part))
}
