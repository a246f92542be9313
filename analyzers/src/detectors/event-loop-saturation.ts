import type { Detector, Hint, Judgement } from '../detector.ts'
import { oncePerWindow } from '../once-per-window.ts'
import { inWindow, rows } from '../rows.ts'
import { median } from '../statistics/intervals.ts'
import type { TraceSample } from '../trace-sample.ts'
import { type AnalysisWindow, busyMsOf } from '../window.ts'
import {
  cpuMsSql,
  instanceSql,
  minCpuRatio,
  observationsOf,
  type StalledRequest,
  stalledRequests,
  stallsSql,
  tracesByService,
  utilizationSql,
} from './stalled-requests.ts'

const minUtilization = 0.9
/** One place with this share of the stalled time is a finding of event-loop-block (or model-load), not of this detector. */
const maxNamedRatio = 0.5
/** With less CPU than this in its stalls, the loop may have been busy for want of CPU. */
const minSureCpuRatio = 0.7

/**
 * Event-loop saturation: a process has no time left in its only JavaScript thread for whole minutes, and no single place is to blame.
 * Rule         event-loop utilisation > 0.9 over a minute of one process, on at least 2 minutes. It is put together
 *              from what the stalls carry: a second counts with the utilisation that the agent measured in the second around
 *              the stalls that ended in it, or with the share of it that stalls cover, whichever is more; a second without a stall
 *              counts as idle.
 * Not seen     a loop that is busy with work in pieces below 50 ms: that leaves no stall, and takes the utilisation as a metric.
 *              What is seen is therefore too low rather than too high.
 * Likely       other requests of the process were open during the stalls, and the thread had the CPU for 0.7 of their time.
 * Saving       none claimed: the same time is in the findings of the single places. The floor is met by the time that requests were
 *              open during stalls of others.
 * Fingerprint  service.
 * Guards       start-up; a place with half of the stalled time (a finding of its own); stalls without CPU (`cpu-starvation`).
 */
export const eventLoopSaturation: Detector = {
  id: 'event-loop-saturation',
  needs: ['hotspan.event_loop.utilization'],
  candidates,
  confirm,
}

const computingSql = `ifNull(${cpuMsSql} >= ${minCpuRatio} * Duration / 1e6, true)`

/** Service, process and minute whose utilisation is above 0.9. */
const saturatedMinutesSql = `
  SELECT service, instance, toInt64(intDiv(second, 60)) AS minute, sum(busy) / 60 AS utilization FROM (
    SELECT service, instance, second, least(1, greatest(sum(cover), ifNull(avg(measured), 0))) AS busy FROM (
      SELECT service, instance, arrayJoin(range(toUInt64(intDiv(startNs - 1000000000, 1000000000)), toUInt64(intDiv(endNs, 1000000000) + 1))) AS second,
        greatest(0, least(endNs, toInt64(second + 1) * 1000000000) - greatest(startNs, toInt64(second) * 1000000000)) / 1e9 AS cover,
        -- It was measured over the second before the stall's end, whose middle lies here.
        if(second = intDiv(endNs - 500000000, 1000000000), utilization, NULL) AS measured
      FROM (
        SELECT ServiceName AS service, ${instanceSql} AS instance, toUnixTimestamp64Nano(Timestamp) AS startNs,
          startNs + toInt64(Duration) AS endNs, ${utilizationSql} AS utilization
        FROM otel_traces WHERE ${inWindow} AND ${stallsSql} AND ${computingSql} LIMIT 1 BY TraceId, SpanId
      )
    ) GROUP BY service, instance, second
  ) GROUP BY service, instance, minute HAVING utilization > ${minUtilization}`

const inSaturatedMinute = `${computingSql} AND (ServiceName, ${instanceSql}, intDiv(toUnixTimestamp64Nano(Timestamp), 60000000000))
  IN (SELECT service, instance, minute FROM (${saturatedMinutesSql}))`

const waiting = oncePerWindow((window) => stalledRequests(window, inSaturatedMinute, { ofOthers: true }))

async function candidates(window: AnalysisWindow): Promise<Hint[]> {
  return [...tracesByService(await waiting(window))].map(([service, traceIds]) => ({
    detector: 'event-loop-saturation',
    service,
    traceIds,
  }))
}

interface SaturatedMinute {
  readonly service: string
  readonly instance: string
  readonly minute: number
  /** 0 to 1. */
  readonly utilization: number
}

/** Stalls of one service and place in the saturated minutes. */
interface StalledAt {
  readonly service: string
  /** Function and file; `inference` in a trace that runs a model on the main thread; '' when unknown. */
  readonly place: string
  readonly ms: number
  readonly stalls: number
  /** NaN when not recorded. */
  readonly cpuRatio: number
}

async function confirm(
  _hints: readonly Hint[],
  sample: TraceSample,
  window: AnalysisWindow,
): Promise<Judgement[]> {
  const requests = await waiting(window)
  if (requests.length === 0) return []
  const [minutes, places] = await Promise.all([
    rows<SaturatedMinute>(
      window.store,
      `SELECT service, instance, toFloat64(minute) AS minute, utilization FROM (${saturatedMinutesSql}) LIMIT 10000`,
      window.parameters,
    ),
    rows<StalledAt>(
      window.store,
      `SELECT ServiceName AS service, multiIf(
           SpanAttributes['code.function.name'] != '', concat(SpanAttributes['code.function.name'], ' ', SpanAttributes['code.file.path']),
           TraceId IN (SELECT TraceId FROM otel_traces WHERE ${inWindow} AND SpanAttributes['hotspan.inference.thread'] = 'main'), 'inference', '') AS place,
         sum(Duration) / 1e6 AS ms, toFloat64(count()) AS stalls, ifNull(sum(${cpuMsSql}), nan) / ms AS cpuRatio
       FROM otel_traces WHERE ${inWindow} AND ${stallsSql} AND ${inSaturatedMinute}
       GROUP BY service, place ORDER BY ms DESC LIMIT 10 BY service LIMIT 1000`,
      window.parameters,
    ),
  ])
  const ofService = <Row extends { service: string }>(all: readonly Row[], service: string) =>
    all.filter((row) => row.service === service)
  return [...new Set(minutes.map(({ service }) => service))].flatMap((service) =>
    judge(
      ofService(minutes, service),
      ofService(places, service),
      ofService(requests, service),
      sample,
      window,
    ),
  )
}

function judge(
  minutes: readonly SaturatedMinute[],
  places: readonly StalledAt[],
  requests: readonly StalledRequest[],
  sample: TraceSample,
  window: AnalysisWindow,
): Judgement[] {
  const { service } = minutes[0]!
  const stalledMs = places.reduce((sum, { ms }) => sum + ms, 0)
  const stalls = places.reduce((sum, place) => sum + place.stalls, 0)
  const named = places.filter(({ place }) => place !== '')
  if (requests.length === 0 || (named[0]?.ms ?? 0) >= maxNamedRatio * stalledMs) return []
  const cpuRatio = places.reduce((sum, place) => sum + place.cpuRatio * place.ms, 0) / stalledMs
  const wholeMinutes = new Set(minutes.map(({ minute }) => minute)).size
  const hasCpu = !(cpuRatio < minSureCpuRatio)
  return [
    {
      detector: 'event-loop-saturation',
      service,
      operation: 'all requests',
      place: '',
      target: '',
      title: `The event loop was busy above 90 % for ${wholeMinutes} minutes`,
      location: {},
      observations: observationsOf(requests, sample),
      minTraces: 3,
      signals: [
        `the utilisation of the event loop was above ${minUtilization} for whole minutes`,
        ...(hasCpu ? ['other requests of the same process were open during its stalls and waited'] : []),
      ],
      ...(!hasCpu && { atMost: 'possible' as const }),
      reported: null,
      affectedInWindow: requests[0]!.affected,
      busyMs: busyMsOf(window, service),
      evidence: [
        {
          label: 'utilisation of the event loop in these minutes, at least',
          value: median(minutes.map(({ utilization }) => utilization)),
          unit: '1',
          n: minutes.length,
        },
        { label: 'stalls in these minutes', value: stalls, unit: '{stall}', n: minutes.length },
        {
          label: 'processes that it happened to',
          value: new Set(minutes.map(({ instance }) => instance)).size,
          unit: '{process}',
          n: minutes.length,
        },
        ...named.slice(0, 3).map(({ place, ms, stalls: n }) => ({
          label: `share of the stalled time in ${place}`,
          value: ms / stalledMs,
          unit: '1',
          n,
        })),
      ],
      fix: 'Run more processes of the service, and move the longest pieces of work to worker threads: HOTSPAN_PROFILE=1 names them.',
      guards: [
        'No single place has half of the stalled time; one that has is a finding of its own.',
        hasCpu
          ? 'The thread had the CPU in its stalls: it was computing.'
          : `The thread had the CPU for only ${Math.round(cpuRatio * 100)} % of its stalls: the machine may have been busy.`,
        'Work in pieces below 50 ms leaves no stall and is not seen without metrics.',
      ],
    },
  ]
}
