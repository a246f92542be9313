import { type Detector, type Hint, type Judgement, type Observation, observe } from '../detector.ts'
import type { Evidence } from '../finding.ts'
import { inWindow, isWarm, rows } from '../rows.ts'
import { median, medianInterval } from '../statistics/intervals.ts'
import { type CallRow, chainOf, rowsOfCalls } from '../trace/call-chain.ts'
import type { Entry } from '../trace/entry.ts'
import { Independence, type Tier, tierNames } from '../trace/independence.ts'
import { type Edit, retime } from '../trace/retime.ts'
import { callSiteOf, isDatabaseSpan, targetOf } from '../trace/span-target.ts'
import type { TraceNode } from '../trace/trace-tree.ts'
import type { TraceSample } from '../trace-sample.ts'
import type { AnalysisWindow } from '../window.ts'

const minSavedMs = 50
const minSavedRatio = 0.1

/**
 * Serialized independent calls: calls that wait for each other without need.
 * Rule         the heaviest chain of siblings that do not overlap, >= 2 calls, gaps <= 5 ms; running the independent ones together
 *              saves >= max(50 ms, 10 % of the request).
 * Independent  A a pair was seen overlapping or in the other order under the same parent; B the second ran although the first
 *              failed; D the second's arguments were known before the first began (equal parameter hash, or ids of the request's own
 *              path); C both read, with different targets, and the second starts <= 1 ms after the first ends.
 * Likely       every call counted is tied to its neighbour by A, B or D; C alone is `possible`. An overlap of the same two calls in
 *              another operation is a counterfactual, hence `proven`.
 * Saving       re-timed with the independent calls together, at most as many at a time as the pool was seen to allow. Pessimistic.
 * Fingerprint  parent, sorted targets.
 * Guards       writes; a single-row lookup or an authentication first (what follows may depend on it); repeats of one statement
 *              (N+1, redundant call); calls that had already been asked for and waited for a connection (pool wait).
 */
export const serializedCalls: Detector = { id: 'serialized-calls', needs: [], candidates, confirm }

async function candidates(window: AnalysisWindow): Promise<Hint[]> {
  const found = await rows<{ service: string; traceIds: string[] }>(
    window.store,
    `SELECT ServiceName AS service, groupArraySample(40, 7)(TraceId) AS traceIds
     FROM (
       SELECT TraceId, ParentSpanId, ServiceName, groupUniqArray(8)(SpanName) AS names
       FROM otel_traces
       WHERE ${inWindow} AND SpanKind = 'Client' AND ParentSpanId != '' AND ${isWarm}
       GROUP BY TraceId, ParentSpanId, ServiceName
       HAVING uniqExact(SpanId) >= 2 AND sum(Duration) >= {minSavedNs: UInt64}
     )
     GROUP BY ServiceName, arraySort(names) ORDER BY count() DESC LIMIT 100`,
    { ...window.parameters, minSavedNs: minSavedMs * 1e6 },
  )
  return found.map(({ service, traceIds }) => ({ detector: 'serialized-calls', service, traceIds }))
}

/** The heaviest chain under one parent of one request. */
interface Chain {
  readonly entry: Entry
  readonly row: CallRow
  readonly calls: readonly TraceNode[]
}

async function confirm(
  _hints: readonly Hint[],
  sample: TraceSample,
  window: AnalysisWindow,
): Promise<Judgement[]> {
  const independence = new Independence()
  const byParent = new Map<string, Chain[]>()
  for (const entry of sample.entries) {
    for (const row of rowsOfCalls(entry)) {
      independence.learn(row)
      const calls = chainOf(row)
      if (calls.length < 2) continue
      const known = byParent.get(row.key)
      if (known === undefined) byParent.set(row.key, [{ entry, row, calls }])
      else known.push({ entry, row, calls })
    }
  }
  const widths = await measuredWidths(window)
  const judgements: Judgement[] = []
  for (const chains of byParent.values()) {
    const judged = judge(chains, independence, widths)
    if (judged !== null) judgements.push(judged)
  }
  return judgements
}

/** Most database calls of a service that were seen running at once, where calls had to wait for a connection. */
async function measuredWidths(window: AnalysisWindow): Promise<ReadonlyMap<string, number>> {
  const found = await rows<{ service: string; atOnce: number; waits: number }>(
    window.store,
    `SELECT service, toFloat64(max(running)) AS atOnce, toFloat64(max(waited)) AS waits
     FROM (
       SELECT service, isWait, sum(change) OVER (PARTITION BY service, instance, isWait ORDER BY atNs, change) AS running,
         max(isWait) OVER (PARTITION BY service) AS waited
       FROM (
         SELECT ServiceName AS service, ResourceAttributes['service.instance.id'] AS instance,
           match(SpanName, '(?i)connect') AS isWait, toUnixTimestamp64Nano(Timestamp) AS startNs,
           startNs + toInt64(Duration) AS endNs,
           arrayJoin([(startNs, 1), (endNs, -1)]) AS point, point.1 AS atNs, point.2 AS change
         FROM otel_traces WHERE ${inWindow} AND DbSystem != '' AND SpanKind = 'Client' AND ${isWarm}
         LIMIT 1000000
       )
     ) WHERE isWait = 0 GROUP BY service`,
    window.parameters,
  )
  return new Map(
    found.filter(({ waits }) => waits > 0).map(({ service, atOnce }) => [service, Math.max(1, atOnce)]),
  )
}

function judge(
  chains: readonly Chain[],
  independence: Independence,
  widths: ReadonlyMap<string, number>,
): Judgement | null {
  const strict = measure(chains, independence, widths, ['overlap', 'reversed', 'survived', 'known'])
  const judged = strict.worth ? strict : measure(chains, independence, widths, [...tierNames])
  const { entry, row } = chains[0]!
  const traces = new Set(chains.map((chain) => chain.entry.trace.tree.traceId)).size
  const minutes = new Set(chains.map((chain) => chain.entry.minute)).size
  const title = `Calls one after another that could run together in ${row.parent.span.name}`
  if (!judged.worth) {
    // Two calls in a row are everywhere; only what would have been worth it is worth a line.
    if (median(chains.map(wholeChainSaving)) < minSavedMs) return null
    const { service, operation } = entry
    const rejectedBy =
      'no sign that the calls are independent of each other, or less than 50 ms or 10 % to save'
    return { detector: 'serialized-calls', service, operation, title, traces, minutes, rejectedBy }
  }
  return patternOf(chains, judged, title)
}

/** What the chain would save if nothing in it depended on anything: sum minus the longest. */
function wholeChainSaving({ calls }: Chain): number {
  const durations = calls.map((call) => call.endMs - call.startMs)
  return durations.reduce((sum, ms) => sum + ms, 0) - Math.max(...durations)
}

interface Measured {
  readonly observations: readonly Observation[]
  /** The groups of each observed request. */
  readonly groups: readonly (readonly (readonly TraceNode[])[])[]
  readonly tiers: ReadonlySet<Tier>
  readonly overlapsElsewhere: string | undefined
  readonly worth: boolean
}

function measure(
  chains: readonly Chain[],
  independence: Independence,
  widths: ReadonlyMap<string, number>,
  allowed: readonly Tier[],
): Measured {
  const observations: Observation[] = []
  const groups: (readonly (readonly TraceNode[])[])[] = []
  const tiers = new Set<Tier>()
  let overlapsElsewhere: string | undefined
  for (const { entry, row, calls } of chains) {
    const together = groupsOf(row, calls, independence, allowed, tiers)
    if (together.length === 0) continue
    const edits: Edit[] = together.map((group) => ({
      kind: 'parallelise',
      spanIds: group.map(({ span }) => span.spanId),
      width: group.every(({ span }) => isDatabaseSpan(span))
        ? (widths.get(entry.service) ?? group.length)
        : group.length,
    }))
    const { savedMs } = retime(entry.node, edits)
    if (savedMs < Math.max(minSavedMs, minSavedRatio * entry.durationMs)) continue
    observations.push(observe(entry, savedMs, edits))
    groups.push(together)
    overlapsElsewhere ??= together
      .map((group) => independence.overlapElsewhere(row, group))
      .find((place) => place !== undefined)
  }
  return {
    observations,
    groups,
    tiers,
    overlapsElsewhere,
    worth: observations.length >= Math.max(1, 0.3 * chains.length),
  }
}

/** Splits a chain where nothing says that a call is independent of the ones before it. */
function groupsOf(
  row: CallRow,
  calls: readonly TraceNode[],
  independence: Independence,
  allowed: readonly Tier[],
  tiers: Set<Tier>,
): TraceNode[][] {
  const groups: TraceNode[][] = []
  let group: TraceNode[] = [calls[0]!]
  for (const call of calls.slice(1)) {
    const previous = group.at(-1)!
    const found = group.map((before) =>
      independence.tiersOf(row, before, previous, call).filter((tier) => allowed.includes(tier)),
    )
    // It may start with the group only if nothing in the group has to come first.
    if (found.every((some) => some.length > 0)) {
      for (const tier of found.flat()) tiers.add(tier)
      group.push(call)
      continue
    }
    groups.push(group)
    group = [call]
  }
  groups.push(group)
  return groups.filter((some) => some.length > 1)
}

const tierText: Record<Tier, string> = {
  overlap: 'the same calls were seen running at the same time',
  reversed: 'the same calls were seen in the other order',
  survived: 'a later call ran although an earlier one had failed',
  known: "the later call's arguments were known before the earlier one began",
  adjacent:
    'each call starts within 1 ms of the end of the one before, reads only, and asks for something else',
}

function patternOf(chains: readonly Chain[], measured: Measured, title: string): Judgement {
  const { entry, row } = chains[0]!
  const { observations, groups, tiers, overlapsElsewhere } = measured
  const targets = commonTargets(groups)
  const site = callSiteOf(groups[0]![0]![0]!.span)
  const strong = [...tiers].filter((tier) => tier !== 'adjacent')
  const signals =
    strong.length === 0
      ? [tierText.adjacent]
      : [
          `the calls follow each other without a pause and do not overlap`,
          ...strong.map((tier) => tierText[tier]),
        ]
  return {
    detector: 'serialized-calls',
    service: entry.service,
    operation: entry.operation,
    place: row.parent === entry.node ? '' : row.parent.span.name,
    target: targets.join('|'),
    title,
    location: { route: entry.operation, ...site },
    observations,
    minTraces: 3,
    signals,
    ...(overlapsElsewhere !== undefined && {
      counterfactual: `the same calls run at the same time in ${overlapsElsewhere}`,
    }),
    evidence: evidenceOf(groups, chains.length),
    fix: `Start them together and wait for all, Promise.all([...]) or its like: ${targets.join('; ')}.`,
    guards: [
      ...(overlapsElsewhere === undefined
        ? []
        : [`Counterfactual: the same calls run at the same time in ${overlapsElsewhere}.`]),
      'Only reads; a single-row lookup or an authentication at the start stays first.',
      'Repeats of one statement are not counted (N+1 and redundant calls are findings of their own), nor waits for a connection.',
      strong.length === 0
        ? 'Nothing but the timing says that they are independent: check that no result of one is used by the next.'
        : 'Calls without a sign of independence stay where they are.',
      'Re-timed with what followed waiting for all of them (pessimistic).',
    ],
  }
}

/** Targets of at least half of the requests, sorted: the rest comes and goes with the data. */
function commonTargets(groups: readonly (readonly (readonly TraceNode[])[])[]): string[] {
  const seenIn = new Map<string, number>()
  for (const ofRequest of groups) {
    for (const target of new Set(ofRequest.flat().map(({ span }) => targetOf(span))))
      seenIn.set(target, (seenIn.get(target) ?? 0) + 1)
  }
  return [...seenIn]
    .filter(([, n]) => n >= groups.length / 2)
    .map(([target]) => target)
    .sort()
}

function evidenceOf(groups: readonly (readonly (readonly TraceNode[])[])[], chains: number): Evidence[] {
  const calls = medianInterval(groups.map((ofRequest) => ofRequest.flat().length))
  const times = medianInterval(
    groups.flatMap((ofRequest) => ofRequest.flat().map((call) => call.endMs - call.startMs)),
  )
  return [
    {
      label: 'calls per request that could run together',
      value: calls.value,
      unit: '{call}',
      n: groups.length,
    },
    { label: 'time of one call', value: times.value, unit: 'ms', n: groups.flat(2).length },
    { label: 'requests with the pattern', value: groups.length, unit: '{request}', n: chains },
  ]
}
