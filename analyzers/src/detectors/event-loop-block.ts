import { type Detector, type Hint, type Judgement, type Observation, observe } from '../detector.ts'
import type { Evidence, Location } from '../finding.ts'
import { inWindow, isWarm, rows } from '../rows.ts'
import { type StallLoss, stallLosses } from '../stall-losses.ts'
import { meanOf, median, medianInterval } from '../statistics/intervals.ts'
import type { Entry } from '../trace/entry.ts'
import { callSiteOf } from '../trace/span-target.ts'
import type { TraceNode } from '../trace/trace-tree.ts'
import type { TraceSample } from '../trace-sample.ts'
import { type AnalysisWindow, operationOf, perDay } from '../window.ts'
import { minCpuRatio, minStallMs } from './stalled-requests.ts'

/** A process that did not run (stopped in a debugger, suspended machine) stalls longer than this, or without using the loop. */
const maxStallMs = 60_000
const minUtilization = 0.3

const stallName = 'event_loop.stall'

/**
 * Event-loop block: a request keeps the only JavaScript thread busy, and all other requests of the process wait.
 * Rule         stalls >= 50 ms (the agent's watchdog), or inference on the main thread >= 50 ms; the same code each time. A loop
 *              busy above 90 % for a minute without one place to blame is `event-loop-saturation`.
 * Likely       two of: the watchdog saw the loop stand still; profile samples name the frame; an inference on the main thread covers
 *              the stall; other requests of the process were open meanwhile and paid.
 * Saving       shown: time that other requests lost to the stalls, per request that paid: from the usual end of the call that it
 *              waited for until the loop turned again. The floor is met by that plus the stall itself, per blocking request, as
 *              the worth of the fix; the request's own computing does not go away in a worker, so it is not claimed.
 * Fingerprint  function and file of the top frame, else the model, else the operation.
 * Guards       start-up; a model being loaded (a finding of its own); debugger and suspended processes; stalls with a loop
 *              utilisation < 0.3; stalls with a CPU share < 0.3 and less than 50 ms of CPU time (the process was not given the CPU:
 *              `cpu-starvation`, a finding of its own); with more, the stall counts with its CPU time only, which is what the code
 *              takes on a free machine; stalls of worker threads, which serve no requests.
 */
export const eventLoopBlock: Detector = { id: 'event-loop-block', needs: [], candidates, confirm }

const blocks = `(SpanName = '${stallName}' OR (SpanAttributes['hotspan.inference.phase'] = 'forward'
  AND SpanAttributes['hotspan.inference.thread'] = 'main')) AND Duration >= ${minStallMs * 1e6} AND ${isWarm}`

/** An inference that the watchdog saw as a stall is not a second one. */
const seenOnce = `${blocks} AND (SpanName = '${stallName}' OR ServiceName NOT IN (
  SELECT ServiceName FROM otel_traces WHERE ${inWindow} AND SpanName = '${stallName}'))`

async function candidates(window: AnalysisWindow): Promise<Hint[]> {
  const found = await rows<{ service: string; traceIds: string[] }>(
    window.store,
    `SELECT ServiceName AS service, groupArraySample(60, 7)(TraceId) AS traceIds
     FROM otel_traces WHERE ${inWindow} AND ${blocks}
     GROUP BY ServiceName, SpanName, SpanAttributes['code.function.name'] ORDER BY count() DESC LIMIT 50`,
    window.parameters,
  )
  return found.map(({ service, traceIds }) => ({
    detector: 'event-loop-block',
    service,
    traceIds: [...new Set(traceIds)],
  }))
}

/** One time that the loop stood still, in the request that did it. */
interface Stall {
  readonly entry: Entry
  readonly node: TraceNode
  readonly isWatched: boolean
  readonly inference: TraceNode | undefined
  /** What the code took of it: all, or its CPU time where the thread was short of CPU. */
  readonly durationMs: number
}

async function confirm(
  _hints: readonly Hint[],
  sample: TraceSample,
  window: AnalysisWindow,
): Promise<Judgement[]> {
  const groups = new Map<string, Stall[]>()
  const watched = new Set(sample.entries.filter(hasWatchedStall).map((entry) => entry.service))
  for (const entry of sample.entries) {
    for (const stall of watched.has(entry.service) ? stallsOf(entry) : mainThreadInferencesOf(entry)) {
      const key = JSON.stringify([entry.service, entry.operation, placeOf(stall)])
      const known = groups.get(key)
      if (known === undefined) groups.set(key, [stall])
      else known.push(stall)
    }
  }
  if (groups.size === 0) return []
  const all = await stallLosses(window, seenOnce, maxStallMs)
  // What was looked at and is no stall of a group was ruled out.
  const grouped = new Set([...groups.values()].flat().map(({ node }) => node.span.spanId))
  const losses = all.filter(({ blockId, traceId }) => grouped.has(blockId) || !sample.traces.has(traceId))
  return [...groups.values()].map((stalls) => {
    const others = [...groups.values()].flat().filter((stall) => !stalls.includes(stall))
    return judge(stalls, lossesOf(stalls, others, losses), window)
  })
}

const isStall = ({ span }: TraceNode, entry: Entry): boolean =>
  span.name === stallName &&
  span.service === entry.service &&
  span.resource['service.instance.id'] === entry.node.span.resource['service.instance.id']

const hasWatchedStall = (entry: Entry): boolean => entry.nodes.some((node) => isStall(node, entry))

function stallsOf(entry: Entry): Stall[] {
  const inferences = entry.nodes.filter(({ span }) => isMainThreadInference(span.attributes))
  const phaseOf = ({ span }: TraceNode) => span.attributes['hotspan.inference.phase']
  return entry.nodes.flatMap((node): Stall[] => {
    if (!isStall(node, entry) || !isComputing(node)) return []
    const covering = inferences.filter(({ span }) => covers(span, node))
    if (covering.some((inference) => phaseOf(inference) === 'load')) return []
    return [{ entry, node, isWatched: true, inference: covering[0], durationMs: computedMs(node) }]
  })
}

/** Where nobody watches the loop, an inference on the main thread is known to stop it for as long as it takes. */
function mainThreadInferencesOf(entry: Entry): Stall[] {
  return entry.nodes
    .filter(
      ({ span }) =>
        isMainThreadInference(span.attributes) && span.attributes['hotspan.inference.phase'] === 'forward',
    )
    .map((node) => ({
      entry,
      node,
      isWatched: false,
      inference: node,
      durationMs: node.span.durationNs / 1e6,
    }))
    .filter(({ durationMs }) => durationMs >= minStallMs && durationMs <= maxStallMs)
}

const loopNumber = ({ span }: TraceNode, name: string): number =>
  Number.parseFloat(span.attributes[`hotspan.event_loop.${name}`] ?? '')

function isComputing(node: TraceNode): boolean {
  const lengthMs = node.span.durationNs / 1e6
  if (lengthMs < minStallMs || lengthMs > maxStallMs) return false
  return !(loopNumber(node, 'utilization') < minUtilization) && computedMs(node) >= minStallMs
}

function computedMs(node: TraceNode): number {
  const lengthMs = node.span.durationNs / 1e6
  const cpuMs = loopNumber(node, 'stall.cpu_time')
  return cpuMs < minCpuRatio * lengthMs ? cpuMs : lengthMs
}

const isMainThreadInference = (attributes: Readonly<Record<string, string>>) =>
  attributes['hotspan.inference.thread'] === 'main' && attributes['hotspan.inference.phase'] !== undefined

/** At least half of the stall lies within the span. Both are of one process, so their clocks agree. */
function covers(span: TraceNode['span'], stall: TraceNode): boolean {
  const startMs = Math.max(0, Number(span.startNs - stall.span.startNs) / 1e6)
  const endMs = Math.min(
    stall.span.durationNs / 1e6,
    Number(span.startNs - stall.span.startNs) / 1e6 + span.durationNs / 1e6,
  )
  return endMs - startMs >= stall.span.durationNs / 2e6
}

const modelOf = (stall: Stall): string =>
  stall.inference?.span.attributes['hotspan.inference.model.name'] ?? ''

function placeOf(stall: Stall): string {
  // An inference names its cause better than whatever frame the profiler met in it.
  if (modelOf(stall) !== '') return `model ${modelOf(stall)}`
  const { function: name, file } = callSiteOf(stall.node.span)
  return name === undefined ? '' : `${name}|${file ?? ''}`
}

interface Losses {
  readonly byBlock: ReadonlyMap<string, readonly StallLoss[]>
  /** ms that each request lost that met at least one of these stalls. */
  readonly byVictim: ReadonlyMap<string, number>
}

/**
 * A request may meet several stalls, of which the sample holds some: what it lost to the others is credited to this cause by its
 * share of the sampled stalls' time. Of a stall that lacked CPU only the computed part is the code's.
 */
function lossesOf(stalls: readonly Stall[], others: readonly Stall[], losses: readonly StallLoss[]): Losses {
  const mine = new Map(stalls.map((stall) => [stall.node.span.spanId, stall]))
  const notMine = new Set(others.map(({ node }) => node.span.spanId))
  const ofService = others.filter(({ entry }) => entry.service === stalls[0]!.entry.service)
  const computed = (some: readonly Stall[]) => some.reduce((sum, { durationMs }) => sum + durationMs, 0)
  const length = (some: readonly Stall[]) =>
    some.reduce((sum, { node }) => sum + node.span.durationNs / 1e6, 0)
  const share = computed(stalls) / (length(stalls) + length(ofService))
  const byBlock = new Map<string, StallLoss[]>()
  const byVictim = new Map<string, number>()
  for (const loss of losses) {
    const stall = mine.get(loss.blockId)
    if (stall === undefined) continue
    const ms = loss.ms * (stall.durationMs / (stall.node.span.durationNs / 1e6))
    byBlock.set(loss.blockId, [...(byBlock.get(loss.blockId) ?? []), { ...loss, ms }])
    byVictim.set(loss.victimId, (byVictim.get(loss.victimId) ?? 0) + ms)
  }
  for (const { blockId, victimId, ms } of losses) {
    const known = byVictim.get(victimId)
    if (known === undefined || mine.has(blockId) || notMine.has(blockId)) continue
    byVictim.set(victimId, known + share * ms)
  }
  return { byBlock, byVictim }
}

/** V8's profiles name a function without a name by its place, `(anonymous:L#11:C#18)`. */
const functionText = ({ function: name, file, line }: Location): string | undefined =>
  name?.startsWith('(anonymous') && file !== undefined ? `an anonymous function at ${file}:${line}` : name

function judge(stalls: readonly Stall[], losses: Losses, window: AnalysisWindow): Judgement {
  const first = stalls[0]!
  const { entry } = first
  const model = modelOf(first)
  const site = siteOf(stalls)
  const byEntry = new Map<Entry, Stall[]>()
  for (const stall of stalls) byEntry.set(stall.entry, [...(byEntry.get(stall.entry) ?? []), stall])
  const costs = [...byEntry].map(([blocking, own]) => ({ blocking, ...costOf(own, losses) }))
  const observations: Observation[] = costs.map(({ blocking, ownMs, othersMs }) =>
    observe(blocking, ownMs + othersMs, []),
  )
  const victims = costs.filter((cost) => cost.victims > 0)
  const operation = operationOf(window, entry.service, entry.operation)
  const blockingPerDay = perDay(window, operation?.weightedRequests ?? costs.length)
  // A request that met several stalls is one that paid.
  const victimsPerRequest = losses.byVictim.size / costs.length
  const what = model === '' ? (functionText(site) ?? entry.operation) : `inference of ${model}`
  return {
    detector: 'event-loop-block',
    service: entry.service,
    operation: entry.operation,
    place: placeOf(first),
    target: '',
    title: `Event loop blocked ${median(stalls.map((stall) => stall.durationMs)).toFixed(0)} ms by ${what}`,
    location: { route: entry.operation, ...site, ...(model !== '' && { model }) } satisfies Location,
    observations,
    minTraces: 3,
    signals: signalsOf(stalls, victims.length, model),
    ...(placeOf(first) === '' && { atMost: 'possible' as const }),
    reported:
      victims.length === 0
        ? null
        : {
            perRequestMs: medianInterval([...losses.byVictim.values()]),
            affectedRequestsPerDay: blockingPerDay * victimsPerRequest,
          },
    severityRatio: ownShareOf(stalls, operation?.p50Ms ?? entry.durationMs),
    evidence: evidenceOf(stalls, costs, victims.length),
    fix: fixOf(model, site),
    guards: [
      'Not at start-up, not while a model was loaded, no debugger or suspended process.',
      'Other requests count with the time that they could not go on: what they waited for anyway, a query or a call, is left out. So are those that came during the stall, which waited unseen; and the blocking request itself: a worker takes as long.',
      ...(stalls.some(({ node, durationMs }) => durationMs < node.span.durationNs / 1e6)
        ? ['The thread was short of CPU in some of these stalls: they count with their CPU time.']
        : []),
      ...(placeOf(first) === ''
        ? ['No profile sample and no inference span name the code that blocked.']
        : []),
    ],
  }
}

/** Where the inference was called, else the frame that the profiler met most. */
function siteOf(stalls: readonly Stall[]): ReturnType<typeof callSiteOf> {
  const sites = stalls.flatMap(({ node, inference }) => [
    ...(inference === undefined ? [] : [callSiteOf(inference.span)]),
    callSiteOf(node.span),
  ])
  return (
    sites.find((site) => site.file !== undefined) ?? sites.find((site) => site.function !== undefined) ?? {}
  )
}

interface Cost {
  readonly ownMs: number
  readonly othersMs: number
  readonly victims: number
}

function costOf(stalls: readonly Stall[], { byBlock }: Losses): Cost {
  let ownMs = 0
  let othersMs = 0
  let victims = 0
  for (const { node, durationMs } of stalls) {
    const others = byBlock.get(node.span.spanId) ?? []
    ownMs += durationMs
    othersMs += others.reduce((sum, { ms }) => sum + ms, 0)
    victims += others.length
  }
  return { ownMs, othersMs, victims }
}

function ownShareOf(stalls: readonly Stall[], operationMs: number): number {
  return Math.min(1, median(stalls.map((stall) => stall.durationMs)) / Math.max(operationMs, 1e-6))
}

function signalsOf(stalls: readonly Stall[], victims: number, model: string): string[] {
  const watched = stalls.filter((stall) => stall.isWatched).length
  const sampled = stalls.filter(
    ({ node }) => Number(node.span.attributes['hotspan.event_loop.stall.samples'] ?? 0) > 0,
  ).length
  const half = stalls.length / 2
  return [
    ...(watched >= half ? ['the watchdog of the event loop saw it stand still'] : []),
    ...(sampled >= half ? ['profile samples taken during the stall name the frame'] : []),
    ...(model === '' ? [] : [`an inference of ${model} ran on the main thread at that time`]),
    ...(victims >= Math.min(3, half)
      ? ['other requests of the same process were open meanwhile and waited']
      : []),
  ]
}

function evidenceOf(stalls: readonly Stall[], costs: readonly Cost[], victims: number): Evidence[] {
  const durations = medianInterval(stalls.map((stall) => stall.durationMs))
  return [
    { label: 'length of a stall', value: durations.value, unit: 'ms', n: stalls.length },
    {
      label: 'stalls per blocking request',
      value: stalls.length / costs.length,
      unit: '{stall}',
      n: costs.length,
    },
    {
      label: "other requests' time per blocking request",
      value: meanOf(costs.map((cost) => cost.othersMs)),
      unit: 'ms',
      n: costs.length,
    },
    {
      label: 'other requests that waited, per blocking request',
      value: meanOf(costs.map((cost) => cost.victims)),
      unit: '{request}',
      n: costs.length,
    },
    {
      label: 'blocking requests during which others waited',
      value: victims,
      unit: '{request}',
      n: costs.length,
    },
  ]
}

function fixOf(model: string, site: ReturnType<typeof callSiteOf>): string {
  const where =
    site.file === undefined
      ? ''
      : ` (${site.function ?? ''} in ${site.file}${site.line === undefined ? '' : `:${site.line}`})`
  if (model !== '')
    return `Run ${model} in a worker thread (node:worker_threads) that keeps the loaded model: the inference call computes on the thread that calls it, in spite of its promise${where}.`
  return `Move the work to a worker thread, use the asynchronous form of the call, or do it in pieces and let the loop turn between them${where}.`
}
