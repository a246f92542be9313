import type { Detector, Hint, Judgement } from '../detector.ts'
import { oncePerWindow } from '../once-per-window.ts'
import { inWindow, rows } from '../rows.ts'
import type { TraceSample } from '../trace-sample.ts'
import { type AnalysisWindow, busyMsOf } from '../window.ts'
import {
  cpuMsSql,
  instanceSql,
  observationsOf,
  type StalledRequest,
  stalledRequests,
  stallsSql,
  starvedSql,
  tracesByService,
} from './stalled-requests.ts'

/** The agent samples at 100 Hz; a thread that waits inside a call is sampled there all the time, ms per sample. */
const sampleMs = 10
/** Share of the stalls from which on their frames explain them. */
const maxSampledRatio = 0.5

/**
 * CPU starvation: the event loop stood still because its thread was not given a CPU (a limit of the container, or a busy machine).
 * Rule         stalls >= 50 ms whose CPU time is below 50 ms and below 0.3 of their length. The guard of the event-loop
 *              block, a finding of its own. It is never blamed on code: no function, no route.
 * Likely       never: without metrics of the container or the machine it stays `possible`.
 * Saving       time that a request was open during such stalls, its own trace's included.
 * Fingerprint  service.
 * Guards       start-up; stalls above 60 s (a suspended machine); profile samples that name one place through most of the stalls: a
 *              thread that waits for a disk or a child process in a synchronous call uses no CPU either.
 */
export const cpuStarvation: Detector = {
  id: 'cpu-starvation',
  needs: ['hotspan.event_loop.stall.cpu_time'],
  candidates,
  confirm,
}

const starvedRequests = oncePerWindow((window) => stalledRequests(window, starvedSql, { ofOthers: false }))

async function candidates(window: AnalysisWindow): Promise<Hint[]> {
  return [...tracesByService(await starvedRequests(window))].map(([service, traceIds]) => ({
    detector: 'cpu-starvation',
    service,
    traceIds,
  }))
}

interface Starved {
  readonly service: string
  readonly stalls: number
  readonly processes: number
  readonly medianMs: number
  /** CPU time of all these stalls over their length, 0 to 1. */
  readonly cpuRatio: number
  /** Stalls that profile samples of one place fill. */
  readonly sampled: number
  /** The place they name most. */
  readonly frame: string
}

async function confirm(
  _hints: readonly Hint[],
  sample: TraceSample,
  window: AnalysisWindow,
): Promise<Judgement[]> {
  const requests = await starvedRequests(window)
  if (requests.length === 0) return []
  const found = await rows<Starved>(
    window.store,
    `SELECT service, toFloat64(count()) AS stalls, toFloat64(uniq(instance)) AS processes, quantile(0.5)(ms) AS medianMs,
       sum(cpuMs) / sum(ms) AS cpuRatio, toFloat64(countIf(isSampled)) AS sampled, topKIf(1)(frame, isSampled)[1] AS frame
     FROM (
       SELECT ServiceName AS service, ${instanceSql} AS instance, Duration / 1e6 AS ms, ${cpuMsSql} AS cpuMs,
         SpanAttributes['code.function.name'] AS frame,
         ifNull(toFloat64OrNull(SpanAttributes['hotspan.event_loop.stall.samples']), 0) * ${sampleMs} >= ms / 2 AS isSampled
       FROM otel_traces WHERE ${inWindow} AND ${stallsSql} AND ${starvedSql} LIMIT 1 BY TraceId, SpanId
     )
     GROUP BY service LIMIT 1000`,
    window.parameters,
  )
  return found.map((starved) =>
    judge(
      starved,
      requests.filter(({ service }) => service === starved.service),
      sample,
      window,
    ),
  )
}

function judge(
  starved: Starved,
  requests: readonly StalledRequest[],
  sample: TraceSample,
  window: AnalysisWindow,
): Judgement {
  const { service, stalls, processes, medianMs, cpuRatio, sampled, frame } = starved
  const title = 'The machine was busy'
  const operation = 'all requests'
  const observations = observationsOf(requests, sample)
  if (sampled >= maxSampledRatio * stalls)
    return {
      detector: 'cpu-starvation',
      service,
      operation,
      title,
      traces: observations.length,
      minutes: new Set(observations.map(({ minute }) => minute)).size,
      rejectedBy: `profile samples lie in ${frame} through most of these stalls: it may wait there in a synchronous call`,
    }
  return {
    detector: 'cpu-starvation',
    service,
    operation,
    place: '',
    target: '',
    title,
    location: {},
    observations,
    minTraces: 3,
    signals: [`in these stalls the thread had the CPU for ${Math.round(cpuRatio * 100)} % of the time`],
    atMost: 'possible',
    affectedInWindow: requests[0]?.affected ?? 0,
    busyMs: busyMsOf(window, service),
    evidence: [
      { label: 'length of a stall without CPU', value: medianMs, unit: 'ms', n: stalls },
      { label: 'share of CPU time in these stalls', value: cpuRatio, unit: '1', n: stalls },
      { label: 'processes that it happened to', value: processes, unit: '{process}', n: stalls },
    ],
    fix: 'Give the container more CPU (its limit throttles it), or the machine less to do: compare cpu.stat (nr_throttled) of the container and the load of the machine. No code of the service is blamed.',
    guards: [
      'A synchronous wait in the code (a file, a child process) looks the same where no profile samples were taken: HOTSPAN_PROFILE=1 tells them apart.',
      'Not at start-up; stalls above 60 s are left out.',
    ],
  }
}
