import type { Entry } from './entry.ts'
import { happensBefore } from './happens-before.ts'
import {
  describe,
  isConnectSpan,
  isDatabaseSpan,
  isRead,
  parametersOf,
  returnedRows,
  statementOf,
  targetOf,
} from './span-target.ts'
import type { TraceNode } from './trace-tree.ts'

/** Wider rows are batch work; the chain is quadratic in calls. */
const maxCalls = 200
/** A pause longer than this is work between the calls, which may feed the next. */
const maxGapMs = 5
/** From here on equal statements are an N+1 and belong to that detector. */
const minRepeats = 5

/** The calls under one parent of one request. */
export interface CallRow {
  readonly entry: Entry
  readonly parent: TraceNode
  /** Service, operation and the parent's name. */
  readonly key: string
  /** By start: calls to databases and services that may take part, no connects, no repeats. */
  readonly calls: readonly TraceNode[]
  /** Waits for a connection of a pool. */
  readonly waits: readonly TraceNode[]
}

export function rowsOfCalls(entry: Entry): CallRow[] {
  const rows: CallRow[] = []
  for (const parent of entry.nodes) {
    if (parent.children.length < 2 || parent.span.service !== entry.service) continue
    const clients = parent.children.filter(
      ({ span }) => span.kind === 'client' && span.service === entry.service,
    )
    const calls = withoutRepeats(clients.filter(({ span }) => !isConnectSpan(span) && targetOf(span) !== ''))
    if (calls.length < 2 || calls.length > maxCalls) continue
    const key = JSON.stringify([entry.service, entry.operation, parent.span.name])
    rows.push({ entry, parent, key, calls, waits: clients.filter(({ span }) => isConnectSpan(span)) })
  }
  return rows
}

/** Leaves out statements repeated as in an N+1, and the second of two calls with equal statement and parameters. */
function withoutRepeats(calls: readonly TraceNode[]): TraceNode[] {
  const counts = new Map<string, number>()
  for (const { span } of calls)
    if (isDatabaseSpan(span)) counts.set(targetOf(span), (counts.get(targetOf(span)) ?? 0) + 1)
  const seen = new Set<string>()
  return calls.filter(({ span }) => {
    if (!isDatabaseSpan(span)) return true
    if ((counts.get(targetOf(span)) ?? 0) >= minRepeats) return false
    const call = `${targetOf(span)}|${parametersOf(span)}`
    return !seen.has(call) && seen.add(call)
  })
}

/** The heaviest chain of reads in which each call starts right after the end of the one before. */
export function chainOf(row: CallRow): TraceNode[] {
  const calls = row.calls.filter(({ span }) => isRead(span))
  const bestMs = new Map<TraceNode, number>()
  const previous = new Map<TraceNode, TraceNode>()
  let last: TraceNode | undefined
  for (const call of calls) {
    let mostMs = 0
    for (const before of calls) {
      const beforeMs = bestMs.get(before)
      if (beforeMs === undefined || beforeMs <= mostMs || !follows(row, before, call)) continue
      mostMs = beforeMs
      previous.set(call, before)
    }
    bestMs.set(call, mostMs + call.endMs - call.startMs)
    if (last === undefined || bestMs.get(call)! > bestMs.get(last)!) last = call
  }
  const chain: TraceNode[] = []
  for (let call = last; call !== undefined; call = previous.get(call)) chain.push(call)
  chain.reverse()
  return mayDecide(chain[0]) ? chain.slice(1) : chain
}

function follows(row: CallRow, before: TraceNode, call: TraceNode): boolean {
  if (!happensBefore(before, call)) return false
  const wait = waitOf(row, call)
  if (wait === undefined) return call.startMs - before.endMs <= maxGapMs
  // It had been asked for while the other one still ran: only the pool held it back.
  return wait.startMs >= before.endMs - 1 && wait.startMs - before.endMs <= maxGapMs
}

/** The wait for a connection that ended where the call starts. */
const waitOf = (row: CallRow, call: TraceNode): TraceNode | undefined =>
  isDatabaseSpan(call.span)
    ? row.waits.find((wait) => Math.abs(wait.endMs - call.startMs) <= 2 && wait.startMs < call.startMs)
    : undefined

const authentication = /\b(?:auth\w*|login|sessions?|tokens?|permissions?|oauth2?|introspect)\b/i

/** A lookup of one row by key, or an authentication: what follows may happen only because of its answer. */
function mayDecide(call: TraceNode | undefined): boolean {
  if (call === undefined) return false
  if (authentication.test(targetOf(call.span))) return true
  if (!isDatabaseSpan(call.span)) return false
  const statement = statementOf(call.span)
  const isAggregate = /\b(?:count|sum|avg|min|max|coalesce)\s*\(/i.test(statement)
  return (
    returnedRows(call.span) <= 1 &&
    !isAggregate &&
    describe(statement).predicates.some((p) => p.kind === 'equality')
  )
}
