import { type Detector, fairOnes, type Hint, type Judgement, type Observation, observe } from '../detector.ts'
import type { Evidence } from '../finding.ts'
import { inWindow, isWarm, rows } from '../rows.ts'
import { median, medianInterval } from '../statistics/intervals.ts'
import { type Slope, theilSen } from '../statistics/slope.ts'
import { pathTimeMs } from '../trace/critical-path.ts'
import type { Entry } from '../trace/entry.ts'
import { type Edit, retime } from '../trace/retime.ts'
import {
  callSiteOf,
  describe,
  isConnectSpan,
  isDatabaseSpan,
  parametersOf,
  queryTextOf,
  returnedRows,
  statementOf,
} from '../trace/span-target.ts'
import type { TraceNode } from '../trace/trace-tree.ts'
import type { TraceSample } from '../trace-sample.ts'

export const minRepeats = 5
const minCriticalMs = 20
const minCriticalRatio = 0.05
const maxSlopeP = 0.01
/**
 * One call for all of them takes as long as a usual single one, and this much more. Not as the longest: on a busy machine that is
 * the one that was interrupted, and the saving came out a third too small (`npm run bench -- savings`).
 */
const batchedExtraRatio = 0.2
/** Repeats of one call with the same parameters are another matter (a cache), retries too. */
const minDistinctRatio = 0.8
/** A call starts at most this long after the end of its wait for a connection. */
const maxAfterWaitMs = 2
/** Calls further apart are polling. */
const maxGapMs = 1000

/**
 * N+1 query: one statement repeated under one parent, once per row of something.
 * Rule         N >= 5 siblings with one parent and statement, critical time >= max(20 ms, 5 % of the request); and one of: distinct
 *              parameters, one call site, N varies and the duration grows with it (one-sided p < 0.01), a sibling before them
 *              returned N rows. A call's wait for a connection counts with it.
 * Likely       two of those four. A constant N is a fixed fan-out and stays `possible`, unless a sibling returned just N rows.
 * Saving       slope x (N - 1) when N varies and the slope is known to +-50 %, never more than the calls' own span; else re-timed
 *              to one call + 20 %, pessimistic.
 * Fingerprint  parent, call site's function, statement.
 * Guards       connect, begin/commit, ping and cursor fetch are no queries here; pages (LIMIT with OFFSET or a key range);
 *              equal parameters (redundant call, retry); gaps > 1 s (polling); writes are `possible` only.
 */
export const nPlusOne: Detector = { id: 'n-plus-one', needs: ['db.query.text'], candidates, confirm }

async function candidates(window: Parameters<Detector['candidates']>[0]): Promise<Hint[]> {
  const found = await rows<{ service: string; traceIds: string[] }>(
    window.store,
    `SELECT ServiceName AS service, DbStatement, groupArraySample(40, 7)(TraceId) AS traceIds
     FROM (
       SELECT TraceId, ParentSpanId, ServiceName, DbStatement
       FROM otel_traces
       WHERE ${inWindow} AND SpanKind = 'Client' AND DbStatement != '' AND ParentSpanId != '' AND ${isWarm}
       GROUP BY TraceId, ParentSpanId, ServiceName, DbStatement HAVING uniqExact(SpanId) >= {minRepeats: UInt32}
     )
     GROUP BY ServiceName, DbStatement ORDER BY count() DESC LIMIT 100`,
    { ...window.parameters, minRepeats },
  )
  return found.map(({ service, traceIds }) => ({ detector: 'n-plus-one', service, traceIds }))
}

/** The calls of one statement under one parent span. */
interface Loop {
  readonly entry: Entry
  readonly parent: TraceNode
  /** By start. */
  readonly calls: readonly TraceNode[]
  /** Waits for a connection of the pool, by the call that they were for: each call of a loop waits for itself. */
  readonly waits: ReadonlyMap<TraceNode, TraceNode>
  /** A sibling before the first call returned as many rows as there are calls. */
  readonly source: TraceNode | undefined
}

async function confirm(_hints: readonly Hint[], sample: TraceSample): Promise<Judgement[]> {
  const groups = new Map<string, Loop[]>()
  for (const entry of sample.entries) {
    for (const loop of loopsOf(entry)) {
      const { span } = loop.calls[0]!
      const key = JSON.stringify([entry.service, entry.operation, loop.parent.span.name, statementOf(span)])
      const known = groups.get(key)
      if (known === undefined) groups.set(key, [loop])
      else known.push(loop)
    }
  }
  return [...groups.values()].filter((loops) => loops.some(isRepeated)).map(judge)
}

const isRepeated = (loop: Loop) => loop.calls.length >= minRepeats

function loopsOf(entry: Entry): Loop[] {
  const loops: Loop[] = []
  for (const parent of entry.nodes) {
    const byStatement = new Map<string, TraceNode[]>()
    for (const child of parent.children) {
      if (!isDatabaseSpan(child.span) || isConnectSpan(child.span) || child.span.service !== entry.service)
        continue
      const statement = statementOf(child.span)
      if (statement === '') continue
      const known = byStatement.get(statement)
      if (known === undefined) byStatement.set(statement, [child])
      else known.push(child)
    }
    for (const calls of byStatement.values()) {
      const { kind } = describe(statementOf(calls[0]!.span))
      if (kind !== 'read' && kind !== 'write') continue
      loops.push({ entry, parent, calls, waits: waitsOf(parent, calls), source: sourceOf(parent, calls) })
    }
  }
  return loops
}

/** The wait that ended where a call starts. Both lists are by start, so one pass finds them. */
function waitsOf(parent: TraceNode, calls: readonly TraceNode[]): Map<TraceNode, TraceNode> {
  const waits = parent.children.filter(({ span }) => isConnectSpan(span)).sort((a, b) => a.endMs - b.endMs)
  const found = new Map<TraceNode, TraceNode>()
  let next = 0
  for (const call of calls) {
    while (next < waits.length && waits[next]!.endMs < call.startMs - maxAfterWaitMs) next += 1
    const wait = waits[next]
    if (wait === undefined || wait.endMs > call.startMs + maxAfterWaitMs) continue
    found.set(call, wait)
    next += 1
  }
  return found
}

function sourceOf(parent: TraceNode, calls: readonly TraceNode[]): TraceNode | undefined {
  const first = calls[0]!
  return parent.children.find(
    (child) =>
      child.endMs <= first.startMs + 1 &&
      isDatabaseSpan(child.span) &&
      returnedRows(child.span) === calls.length &&
      statementOf(child.span) !== statementOf(first.span),
  )
}

function judge(loops: readonly Loop[]): Judgement {
  const repeated = loops.filter(isRepeated)
  const { entry, parent, calls } = repeated[0]!
  const statement = statementOf(calls[0]!.span)
  const description = describe(statement)
  const summary =
    calls[0]!.span.attributes['db.query.summary'] ?? `${description.verb} ${description.tables.join(' ')}`
  const title = `N+1 query: ${summary}, ${Math.round(median(repeated.map((loop) => loop.calls.length)))} times per request`
  const rejected = (rejectedBy: string): Judgement => ({
    detector: 'n-plus-one',
    service: entry.service,
    operation: entry.operation,
    title,
    traces: new Set(repeated.map((loop) => loop.entry.trace.tree.traceId)).size,
    minutes: new Set(repeated.map((loop) => loop.entry.minute)).size,
    rejectedBy,
  })
  if (description.isPage) return rejected('pagination: LIMIT with OFFSET or a range of keys')
  if (description.isTruncated) return rejected('truncated statement')
  const distinct = distinctRatio(repeated)
  if (distinct !== undefined && distinct < minDistinctRatio)
    return rejected('equal parameters: the same call again, which is a redundant call or a retry')
  if (median(repeated.map(largestGapMs)) > maxGapMs) return rejected('polling: more than 1 s between calls')

  const observations = repeated
    .map((loop) => observationOf(loop))
    .filter((observation) => observation !== undefined)
  const share = observations.length / repeated.length
  if (observations.length === 0 || share < 0.5)
    return rejected('critical time below 20 ms or 5 % of the request')

  const slope = theilSen(
    loops.filter((loop) => loop.entry.trace.isFair).map((loop) => [loop.calls.length, loop.entry.durationMs]),
  )
  const counts = repeated.map((loop) => loop.calls.length)
  const isConstant = new Set(counts).size === 1
  const sourced = repeated.filter((loop) => loop.source !== undefined)
  const isSourced = sourced.length >= 0.8 * repeated.length
  const site = callSiteOf(calls[0]!.span)
  const signals = [
    ...(distinct !== undefined
      ? [`each call has parameters of its own (${Math.round(distinct * 100)} % distinct)`]
      : []),
    ...(hasOneCallSite(repeated) ? [`all calls come from one place, ${siteText(site)}`] : []),
    ...(grows(slope)
      ? [
          `the request gets ${slope!.slope.value.toFixed(2)} ms slower with every call (p ${slope!.growthP.toExponential(1)})`,
        ]
      : []),
    ...(isSourced
      ? [
          `a query before them returned as many rows as there are calls (${sourced[0]!.source!.span.attributes['db.query.summary'] ?? 'statement'})`,
        ]
      : []),
  ]
  if (signals.length === 0)
    return rejected(
      'no sign that the calls belong to rows: parameters, call site, growth and source are all unknown',
    )
  const isFanOut = isConstant && !isSourced && repeated.length >= 3
  const savingMs = isFanOut ? undefined : slopeSaving(slope, repeated)
  return {
    detector: 'n-plus-one',
    service: entry.service,
    operation: entry.operation,
    place: `${parent === entry.node ? '' : parent.span.name}|${site.file ?? ''}|${site.function ?? ''}`,
    target: statement,
    title: isFanOut ? `Fixed fan-out: ${summary}, always ${counts[0]} times per request` : title,
    location: { route: entry.operation, statement, ...site },
    observations,
    minTraces: 3,
    signals,
    ...((isFanOut || description.kind === 'write') && { atMost: 'possible' as const }),
    ...(savingMs !== undefined && { savingMs }),
    evidence: evidenceOf(repeated, slope, observations),
    fix: fixOf(description, site, sourced[0]?.source, statement),
    guards: [
      'No connect, transaction, ping or cursor statement, no page of a list, no retry: each call has its own parameters or place.',
      isFanOut
        ? 'N is the same in all traces and no query returned N rows: the fan-out may be intended.'
        : 'N follows the data.',
      ...(description.kind === 'write' ? ['Writes one by one may be intended.'] : []),
      savingMs === undefined
        ? 'The saving is re-timed to one call plus 20 %; what followed several calls waits for all of them (pessimistic).'
        : 'The saving is the slope of the duration over the number of calls, for all calls but one.',
    ],
  }
}

/** Share of calls with parameters that no other call of the request has; undefined when they were not recorded. */
function distinctRatio(loops: readonly Loop[]): number | undefined {
  const ratios: number[] = []
  for (const { calls } of loops) {
    const keys = calls.map(({ span }) => parametersOf(span) || queryTextOf(span))
    const isRecorded = calls.every(({ span }) => parametersOf(span) !== '') || new Set(keys).size > 1
    if (isRecorded) ratios.push(new Set(keys).size / calls.length)
  }
  return ratios.length < loops.length / 2 ? undefined : median(ratios)
}

function hasOneCallSite(loops: readonly Loop[]): boolean {
  const sites = new Set<string>()
  for (const { calls } of loops) {
    for (const { span } of calls) {
      const site = callSiteOf(span)
      if (site.file === undefined || site.line === undefined) return false
      sites.add(`${site.file}:${site.line}`)
    }
  }
  return sites.size === 1
}

const grows = (slope: Slope | null): boolean =>
  slope !== null && slope.growthP < maxSlopeP && slope.slope.low > 0

function largestGapMs({ calls, waits }: Loop): number {
  let largest = 0
  for (let i = 1; i < calls.length; i++) {
    const askedMs = waits.get(calls[i]!)?.startMs ?? calls[i]!.startMs
    largest = Math.max(largest, askedMs - calls[i - 1]!.endMs)
  }
  return largest
}

function observationOf(loop: Loop): Observation | undefined {
  const { entry, calls } = loop
  const mine = new Set([...calls, ...loop.waits.values()])
  const criticalMs = pathTimeMs(entry.path, (node) => mine.has(node))
  if (criticalMs < Math.max(minCriticalMs, minCriticalRatio * entry.durationMs)) return undefined
  const batchMs = median(calls.map((call) => call.endMs - call.startMs)) * (1 + batchedExtraRatio)
  const removed: Edit[] = calls
    .slice(1)
    .flatMap((call) => [call, loop.waits.get(call)])
    .filter((node) => node !== undefined)
    .map(({ span }) => ({ kind: 'remove', spanId: span.spanId }))
  const { savedMs } = retime(entry.node, removed)
  // The call that stays grows into the batch, and everything after it by as much.
  const first = calls[0]!
  const grownMs = Math.max(0, batchMs - (first.endMs - first.startMs))
  return observe(entry, Math.max(0, savedMs - grownMs), removed)
}

/** Slope x (N - 1), when the slope is sharp enough; bounded by the time between the first call's start and the last one's end. */
function slopeSaving(slope: Slope | null, loops: readonly Loop[]) {
  if (slope === null || !grows(slope)) return undefined
  const { value, low, high } = slope.slope
  if (!Number.isFinite(high) || high - low > value) return undefined
  const fair = fairOnes(loops.map((loop) => observe(loop.entry, loop.calls.length - 1, []))).map(
    (o) => o.savingMs,
  )
  const others = median(fair)
  const spans = loops.map(({ calls }) => Math.max(...calls.map((call) => call.endMs)) - calls[0]!.startMs)
  const mostMs = median(spans) * (others / (others + 1))
  return {
    value: Math.min(value * others, mostMs),
    low: Math.min(low * others, mostMs),
    high: Math.min(high * others, mostMs),
  }
}

function evidenceOf(
  loops: readonly Loop[],
  slope: Slope | null,
  observations: readonly Observation[],
): Evidence[] {
  const counts = medianInterval(loops.map((loop) => loop.calls.length))
  const callMs = medianInterval(loops.flatMap(({ calls }) => calls.map((call) => call.endMs - call.startMs)))
  return [
    { label: 'calls per request', unit: '{call}', n: loops.length, ...finite(counts) },
    {
      label: 'time of one call',
      unit: 'ms',
      n: loops.reduce((sum, loop) => sum + loop.calls.length, 0),
      ...finite(callMs),
    },
    ...(grows(slope)
      ? [{ label: 'request time per call (slope)', unit: 'ms', n: slope!.n, ...finite(slope!.slope) }]
      : []),
    { label: 'requests with the pattern', value: observations.length, unit: '{request}', n: loops.length },
  ]
}

const finite = ({ value, low, high }: { value: number; low: number; high: number }) => ({
  value,
  ...(Number.isFinite(low) && { low }),
  ...(Number.isFinite(high) && { high }),
})

const siteText = (site: ReturnType<typeof callSiteOf>) =>
  `${site.function ?? 'function'} (${site.file}${site.line === undefined ? '' : `:${site.line}`})`

function fixOf(
  description: ReturnType<typeof describe>,
  site: ReturnType<typeof callSiteOf>,
  source: TraceNode | undefined,
  statement: string,
): string {
  const where = site.file === undefined ? '' : ` The loop is in ${siteText(site)}.`
  if (description.kind === 'write')
    return `Write all rows with one statement (several VALUES rows, or unnest of arrays).${where}`
  const column = description.predicates.find((predicate) => predicate.kind === 'equality')
  const list = column === undefined ? 'an IN list' : `WHERE ${column.column} = ANY($1)`
  const by = source === undefined ? '' : `, or join it to the query that returns the rows`
  return `Load the rows for all items with one statement, ${list} and group by ${column?.column ?? 'the key'}${by}, or put a loader in front: ${statement}.${where}`
}
