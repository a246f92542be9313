import type { Detector, Hint, Judgement, Observation } from '../detector.ts'
import type { Evidence, Interval } from '../finding.ts'
import { oncePerWindow } from '../once-per-window.ts'
import { inWindow, isWarm, rows } from '../rows.ts'
import { median, medianInterval } from '../statistics/intervals.ts'
import { mannWhitneyP } from '../statistics/tests.ts'
import { criticalPath, pathTimeMs } from '../trace/critical-path.ts'
import { isProbe } from '../trace/entry.ts'
import { callSiteOf } from '../trace/span-target.ts'
import type { TraceNode } from '../trace/trace-tree.ts'
import type { TraceSample } from '../trace-sample.ts'
import { type AnalysisWindow, operationOf } from '../window.ts'

/** First requests take this many times the steady ones. */
const minRatio = 3
const minProcesses = 3
/** A first request always runs code that is not compiled yet; less than this is not worth a warm-up, ms. */
const minExcessMs = 20
/** Steady requests that a median is taken over. */
const minSteady = 20
const minOwnSteady = 5
/** Processes that start this soon after the first of their version belong to its roll-out, s. */
const rollOutSec = 600
/** A span that first requests alone have explains them when it covers this share of what they take longer. */
const minCauseRatio = 0.3
const maxOperations = 20
const maxProcesses = 60

/**
 * Cold start: the first request that a process gets of an operation pays for what could have been done before it.
 * Rule         median of the first requests >= 3 x the steady median of the same operation and >= 20 ms more, over at least 3
 *              processes whose start lies in the window. Requests of the warm-up time count here, and only here.
 * Likely       two of: most processes show it against their own steady requests; the requests right behind the first one are fast
 *              again; the first requests have a span (a load, a connection) that later ones do not have.
 * Saving       first minus steady, per first request of a process; affected are the processes' first requests.
 * Fingerprint  operation.
 * Guards       roll-outs: processes started within 10 minutes of the first of their version are not counted, and where there are no
 *              others, the finding stays `possible` without a saving; processes that started before the window, or at an unknown time;
 *              sampled processes, whose first request was probably not kept; failed first requests; health checks.
 */
export const coldStart: Detector = { id: 'cold-start', needs: ['process.creation.time'], candidates, confirm }

type Request = readonly [startMs: number, endMs: number, traceId: string, spanId: string]

/** One operation of one process that started in the window. */
interface Start {
  readonly service: string
  readonly operation: string
  readonly createdMs: number
  /** Start of the first process of the version. */
  readonly releasedMs: number
  /** By start; the first one did not fail. */
  readonly earliest: readonly Request[]
  /** Of the process's own requests after the warm-up time. */
  readonly steadyMs: number
  readonly steadyRequests: number
  /** Processes, of which at most 60 are listed. */
  readonly processes: number
}

const starts = oncePerWindow((window) =>
  rows<Start>(
    window.store,
    `WITH toFloat64(toUnixTimestamp64Milli(parseDateTime64BestEffortOrZero(ResourceAttributes['process.creation.time'], 3, 'UTC'))) AS created,
       toFloat64(toUnixTimestamp64Micro(toDateTime64(Timestamp, 6))) / 1000 AS startMs, Duration / 1e6 AS ms
     SELECT * FROM (
       SELECT *, toFloat64(count() OVER operation_of) AS processes,
         quantile(0.5)(firstMs) OVER operation_of AS firstP50, quantile(0.5)(steadyMs) OVER operation_of AS steadyP50
       FROM (
         SELECT *, min(createdMs) OVER (PARTITION BY service, version) AS releasedMs FROM (
           SELECT ServiceName AS service, SpanName AS operation, ServiceVersion AS version, created AS createdMs,
             ResourceAttributes['service.instance.id'] AS instance, ResourceAttributes['process.pid'] AS pid,
             ResourceAttributes['thread.id'] AS thread,
             groupArraySorted(8)((startMs, startMs + ms, TraceId, SpanId)) AS earliest,
             earliest[1].2 - earliest[1].1 AS firstMs, argMin((SampleWeight, StatusCode), Timestamp) AS first,
             quantileIf(0.5)(ms, ${isWarm} AND StatusCode != 'Error') AS steadyMs,
             toFloat64(countIf(${isWarm} AND StatusCode != 'Error')) AS steadyRequests
           FROM otel_traces WHERE ${inWindow} AND SpanKind = 'Server'
           GROUP BY service, operation, version, createdMs, instance, pid, thread
         )
       )
       WHERE createdMs >= {fromMs: Int64} AND first.1 <= 1 AND first.2 != 'Error'
       WINDOW operation_of AS (PARTITION BY service, operation)
     )
     WHERE processes >= ${minProcesses} AND firstP50 >= ${minRatio} * ifNotFinite(steadyP50, 0)
     ORDER BY cityHash64(instance, pid) LIMIT ${maxProcesses} BY service, operation LIMIT 10000`,
    window.parameters,
  ),
)

async function startsByOperation(window: AnalysisWindow): Promise<Start[][]> {
  const groups = new Map<string, Start[]>()
  for (const start of await starts(window)) {
    if (isProbe(start.operation)) continue
    const key = JSON.stringify([start.service, start.operation])
    const known = groups.get(key)
    if (known === undefined) groups.set(key, [start])
    else known.push(start)
  }
  const worth = (group: readonly Start[]) => group[0]!.processes * median(group.map(firstMsOf))
  return [...groups.values()].sort((a, b) => worth(b) - worth(a)).slice(0, maxOperations)
}

async function candidates(window: AnalysisWindow): Promise<Hint[]> {
  return (await startsByOperation(window)).map((group) => ({
    detector: 'cold-start',
    service: group[0]!.service,
    traceIds: group.map(({ earliest }) => earliest[0]![2]),
  }))
}

async function confirm(
  _hints: readonly Hint[],
  sample: TraceSample,
  window: AnalysisWindow,
): Promise<Judgement[]> {
  return (await startsByOperation(window)).flatMap((group) => judge(group, sample, window))
}

const firstMsOf = ({ earliest }: Start): number => earliest[0]![1] - earliest[0]![0]

function judge(all: readonly Start[], sample: TraceSample, window: AnalysisWindow): Judgement[] {
  const { service, operation } = all[0]!
  const known = operationOf(window, service, operation)
  if (known === undefined || known.requests < minSteady) return []
  const apart = all.filter(({ createdMs, releasedMs }) => createdMs >= releasedMs + rollOutSec * 1000)
  const isRollOut = apart.length < minProcesses
  const group = isRollOut ? all : apart
  const excesses = group.map((start) => firstMsOf(start) - steadyOf(start, known.p50Ms))
  const firstMs = medianInterval(group.map(firstMsOf))
  if (firstMs.value < Math.max(minRatio * known.p50Ms, known.p50Ms + minExcessMs)) return []
  const steady = sample.entriesOf(service, operation).filter((entry) => entry.trace.isFair)
  const cause = causeOf(group, steady, median(excesses), sample)
  const owned = group.filter(({ steadyRequests }) => steadyRequests >= minOwnSteady)
  const slow = owned.filter((start) => firstMsOf(start) >= minRatio * start.steadyMs)
  const model = cause?.attributes['hotspan.inference.model.name']
  const what = cause === undefined ? '' : `: ${cause.name}`
  return [
    {
      detector: 'cold-start',
      service,
      operation,
      place: '',
      target: '',
      title: `The first request of a process takes ${(firstMs.value / known.p50Ms).toFixed(0)} times as long${what}`,
      location: {
        route: operation,
        ...(cause !== undefined && callSiteOf(cause)),
        ...(model !== undefined && { model }),
      },
      observations: group.flatMap((start, i) => observationOf(start, excesses[i]!, sample)),
      minTraces: minProcesses,
      signals: [
        ...(owned.length >= minProcesses && slow.length >= 0.8 * owned.length
          ? [
              `in ${slow.length} of ${owned.length} processes it took ${minRatio} times their own steady median`,
            ]
          : []),
        ...(isFastAgain(group, known.p50Ms, median(excesses))
          ? ['the requests of the same processes right behind it were fast again']
          : []),
        ...(cause === undefined ? [] : [`first requests alone have the span ${cause.name}`]),
      ],
      ...(isRollOut && { atMost: 'possible' as const, reported: null }),
      affectedInWindow: group.length * (all[0]!.processes / all.length),
      p: mannWhitneyP(
        group.map(firstMsOf),
        steady.map((entry) => entry.durationMs),
      ).p,
      evidence: evidenceOf(group, firstMs, known.p50Ms, known.requests),
      fix: fixOf(cause?.name, model),
      guards: [
        isRollOut
          ? 'All these processes started within 10 minutes of the first of their version: a roll-out, which does not happen all day; no saving is claimed.'
          : `Processes that started within 10 minutes of the first of their version (a roll-out) are left out: ${all.length - apart.length}.`,
        'Only processes whose start lies in the window; no failed and no sampled first requests, no health checks.',
        'Only the first request of a process counts, not those that came while it ran.',
      ],
    },
  ]
}

const steadyOf = (start: Start, operationMs: number): number =>
  start.steadyRequests >= minOwnSteady ? start.steadyMs : operationMs

/** The requests that began behind the first one's end are nearer to the steady ones than to it. */
function isFastAgain(group: readonly Start[], operationMs: number, excessMs: number): boolean {
  const next = group.flatMap(({ earliest }) =>
    earliest.slice(1).filter(([startMs]) => startMs >= earliest[0]![1]),
  )
  if (next.length < minProcesses) return false
  return median(next.map(([startMs, endMs]) => endMs - startMs)) < operationMs + excessMs / 2
}

function firstNodeOf(start: Start, sample: TraceSample): TraceNode | undefined {
  const [, , traceId, spanId] = start.earliest[0]!
  return sample.traces.get(traceId)?.tree.nodes.find((node) => node.span.spanId === spanId)
}

function observationOf(start: Start, savingMs: number, sample: TraceSample): Observation[] {
  const [startMs, , traceId] = start.earliest[0]!
  const trace = sample.traces.get(traceId)
  if (trace === undefined) return []
  const { isFair, isWhole, startsInBrowser } = trace
  const minute = Math.floor(startMs / 60_000)
  return [{ traceId, minute, savingMs, weight: 1, isFair, isWhole, startsInBrowser, entry: null, edits: [] }]
}

/** The span of the service that most first requests wait for, and hardly any steady request has. */
function causeOf(
  group: readonly Start[],
  steady: readonly { readonly nodes: readonly TraceNode[] }[],
  excessMs: number,
  sample: TraceSample,
): TraceNode['span'] | undefined {
  if (steady.length < minSteady) return undefined
  const often = new Map<string, number>()
  for (const { nodes } of steady)
    for (const name of new Set(nodes.map(({ span }) => span.name)))
      often.set(name, (often.get(name) ?? 0) + 1)
  const times = new Map<string, { span: TraceNode['span']; ms: number[] }>()
  for (const start of group) {
    const root = firstNodeOf(start, sample)
    if (root === undefined) continue
    const path = criticalPath(root)
    const onPath = new Map(path.map(({ node }) => [node.span.name, node.span]))
    for (const [name, span] of onPath) {
      if ((often.get(name) ?? 0) > 0.05 * steady.length) continue
      const ms = pathTimeMs(path, (node) => node.span.name === name)
      const known = times.get(name)
      if (known === undefined) times.set(name, { span, ms: [ms] })
      else known.ms.push(ms)
    }
  }
  return [...times.values()]
    .filter(({ ms }) => ms.length >= group.length / 2 && median(ms) >= minCauseRatio * excessMs)
    .sort((a, b) => median(b.ms) - median(a.ms))[0]?.span
}

function evidenceOf(
  group: readonly Start[],
  firstMs: Interval,
  steadyMs: number,
  requests: number,
): Evidence[] {
  return [
    {
      label: 'first request of a process',
      value: firstMs.value,
      unit: 'ms',
      n: group.length,
      ...(Number.isFinite(firstMs.low) && { low: firstMs.low }),
      ...(Number.isFinite(firstMs.high) && { high: firstMs.high }),
    },
    { label: 'steady median of the operation', value: steadyMs, unit: 'ms', n: requests },
    { label: 'processes that started', value: group.length, unit: '{process}', n: group.length },
  ]
}

function fixOf(cause: string | undefined, model: string | undefined): string {
  const what = model === undefined ? (cause ?? 'what the first request sets up') : `loading ${model}`
  return `Do ${what} before the process reports that it is ready: load at start, send it one warm-up request per route, let the readiness check answer only then, and keep a pool of warm processes where they start on demand.`
}
