import type { Observation } from '../detector.ts'
import { inWindow, isWarm, rows } from '../rows.ts'
import type { TraceSample } from '../trace-sample.ts'
import type { AnalysisWindow } from '../window.ts'

/** What a stall and a request are matched by. A worker thread has an instance id of its own. */
export const instanceSql = `ResourceAttributes['service.instance.id']`
/** Below this share of CPU time the thread was not computing all the time: it was not scheduled, or waited in the kernel. */
export const minCpuRatio = 0.3
/** The watchdog's own threshold: a stall with as much CPU time would be one on a free machine too. */
export const minStallMs = 50

const stallNumber = (name: string) => `toFloat64OrNull(SpanAttributes['hotspan.event_loop.${name}'])`
export const cpuMsSql = stallNumber('stall.cpu_time')
/** The thread did not get the CPU, and what it computed would have stalled nobody. */
export const starvedSql = `${cpuMsSql} < least(${minStallMs}, ${minCpuRatio} * Duration / 1e6)`
export const utilizationSql = stallNumber('utilization')

/** Stalls of the agent's watchdog, 50 ms to 60 s (longer: a suspended machine), warm-up left out. */
export const stallsSql = `SpanName = 'event_loop.stall' AND Duration BETWEEN ${minStallMs * 1e6} AND 60000000000 AND ${isWarm}`

/** Requests that are looked at per service; the others are counted. */
const maxRequests = 60
const maxStalls = 5_000

/** A request that was open while the event loop of its process stood still. */
export interface StalledRequest {
  readonly service: string
  readonly operation: string
  readonly traceId: string
  readonly minute: number
  readonly weight: number
  /** Time that it was open during the stalls. */
  readonly waitedMs: number
  /** Weighted requests of the service that waited, of which at most 60 are listed. */
  readonly affected: number
}

/**
 * Requests open during the stalls that `condition` selects. With `ofOthers`, a request does not wait for the stalls of its own
 * trace, which are its own work. At most 5,000 stalls are followed.
 */
export function stalledRequests(
  window: AnalysisWindow,
  condition: string,
  { ofOthers }: { readonly ofOthers: boolean },
): Promise<StalledRequest[]> {
  const span = `TraceId, SpanId, ServiceName AS service, SpanName, SampleWeight, ${instanceSql} AS instance,
    toUnixTimestamp64Nano(Timestamp) AS startNs, startNs + toInt64(Duration) AS endNs`
  const second = `arrayJoin(range(toUInt64(intDiv(startNs, 1000000000)), toUInt64(intDiv(endNs, 1000000000) + 1))) AS second`
  return rows<StalledRequest>(
    window.store,
    `SELECT service, operation, traceId, minute, weight, waitedMs, sum(weight) OVER (PARTITION BY service) AS affected
     FROM (
       SELECT e.service AS service, e.SpanName AS operation, e.TraceId AS traceId, e.SpanId AS spanId,
         toFloat64(intDiv(any(e.startNs), 60000000000)) AS minute, any(e.SampleWeight) AS weight,
         sum(least(b.endNs, e.endNs, toInt64(b.second + 1) * 1000000000) - greatest(b.startNs, e.startNs, toInt64(b.second) * 1000000000)) / 1e6 AS waitedMs
       FROM (
         SELECT *, ${second} FROM (
           SELECT ${span} FROM otel_traces WHERE ${inWindow} AND ${stallsSql} AND ${condition}
           LIMIT 1 BY TraceId, SpanId LIMIT ${maxStalls})
       ) AS b
       INNER JOIN (
         SELECT *, ${second} FROM (
           SELECT ${span} FROM otel_traces WHERE ${inWindow} AND SpanKind = 'Server' AND StatusCode != 'Error' AND ${isWarm}
             AND Duration <= 60000000000 AND ServiceName IN (SELECT ServiceName FROM otel_traces WHERE ${inWindow} AND ${stallsSql} AND ${condition})
           LIMIT 1 BY TraceId, SpanId)
       ) AS e
       ON b.service = e.service AND b.instance = e.instance AND b.second = e.second
       WHERE e.startNs < b.endNs AND e.endNs > b.startNs ${ofOthers ? 'AND b.TraceId != e.TraceId' : ''}
       GROUP BY service, operation, traceId, spanId
     )
     ORDER BY cityHash64(traceId) LIMIT ${maxRequests} BY service LIMIT 10000`,
    window.parameters,
  )
}

/** One observation per request whose trace is in the sample; the saving is the time that it waited. */
export function observationsOf(requests: readonly StalledRequest[], sample: TraceSample): Observation[] {
  return requests.flatMap(({ traceId, minute, weight, waitedMs }): Observation[] => {
    const trace = sample.traces.get(traceId)
    if (trace === undefined) return []
    const { isFair, isWhole, startsInBrowser } = trace
    return [
      {
        traceId,
        minute,
        savingMs: waitedMs,
        weight,
        isFair,
        isWhole,
        startsInBrowser,
        entry: null,
        edits: [],
      },
    ]
  })
}

/** Traces to load, by service. */
export function tracesByService(requests: readonly StalledRequest[]): Map<string, string[]> {
  const traces = new Map<string, string[]>()
  for (const { service, traceId } of requests) traces.set(service, [...(traces.get(service) ?? []), traceId])
  return traces
}
