import type { LogsData, MetricPoints, MetricsData, ProfilesData, TracesData } from '@hotspan/otlp'
import { maxDaysOfGroup } from '../journal/row-sink.ts'
import { timeOf } from '../transcode/profiles-from-objects.ts'

/** Which times records may have. Tables are partitioned by day: every day that somebody can name is a part, and work, of its own. */
export interface TimeWindow {
  /** Start of the first day that the retention keeps, ns since 1970; 1 when all is kept: a record without a time has 0. */
  readonly oldestNs: bigint
  readonly newestNs: bigint
  /** null when all is kept. */
  readonly retentionDays: number | null
}

/** UTC days of one body: no more than an insert takes, or the store could not take it alone either. */
const maxDays = maxDaysOfGroup

const dayMs = 86_400_000
const dayNs = 86_400_000_000_000n
const aheadMs = dayMs

/** Clocks may be a day ahead: further on, a record would outlive every other one, and the days of a partition end in 2149. */
export function timeWindow(retentionDays: number | null, nowMs: number): TimeWindow {
  const firstKeptMs = retentionDays === null ? 0 : Math.floor(nowMs / dayMs - retentionDays) * dayMs
  return {
    oldestNs: firstKeptMs <= 0 ? 1n : BigInt(firstKeptMs) * 1_000_000n,
    newestNs: BigInt(Math.floor(nowMs) + aheadMs) * 1_000_000n,
    retentionDays,
  }
}

/** Whether records between these times are all within the window, and on no more days than one body may have. */
export const allWithin = (window: TimeWindow, earliestNs: bigint, latestNs: bigint): boolean =>
  earliestNs > latestNs ||
  (earliestNs >= window.oldestNs &&
    latestNs <= window.newestNs &&
    latestNs - earliestNs < BigInt(maxDays - 1) * dayNs)

/** Judges the records of one body, and counts those that are left out, by reason. */
export class TimeJudge {
  readonly rejected = new Map<string, number>()
  private readonly window: TimeWindow
  private readonly maxDays: number
  private readonly days = new Set<bigint>()

  constructor(window: TimeWindow, days = maxDays) {
    this.window = window
    this.maxDays = days
  }

  admits(timeNs: bigint): boolean {
    const reason = this.reasonAgainst(timeNs)
    if (reason === null) return true
    this.rejected.set(reason, (this.rejected.get(reason) ?? 0) + 1)
    return false
  }

  private reasonAgainst(timeNs: bigint): string | null {
    const { oldestNs, newestNs, retentionDays } = this.window
    if (timeNs === 0n) return 'no time'
    if (timeNs < oldestNs) return `a time before the retention of ${retentionDays} days`
    if (timeNs > newestNs) return "a time more than a day ahead of the collector's clock"
    const day = timeNs / dayNs
    if (this.days.has(day)) return null
    if (this.days.size === this.maxDays) return `a day beyond the ${maxDays} days of one body`
    this.days.add(day)
    return null
  }
}

/** The spans whose start the judge admits. */
export function spansWithin(data: TracesData, judge: TimeJudge): TracesData {
  return {
    resourceSpans: data.resourceSpans.map((resource) => ({
      ...resource,
      scopeSpans: resource.scopeSpans.map((scope) => ({
        ...scope,
        spans: scope.spans.filter((span) => judge.admits(span.startTimeUnixNano)),
      })),
    })),
  }
}

/** The log records that the judge admits; one that nobody has given a time was observed at `receivedMs`, by us. */
export function logsWithin(data: LogsData, judge: TimeJudge, receivedMs: number): LogsData {
  const observedTimeUnixNano = BigInt(Math.floor(receivedMs)) * 1_000_000n
  return {
    resourceLogs: data.resourceLogs.map((resource) => ({
      ...resource,
      scopeLogs: resource.scopeLogs.map((scope) => ({
        ...scope,
        logRecords: scope.logRecords
          .map((record) =>
            record.timeUnixNano === 0n && record.observedTimeUnixNano === 0n
              ? { ...record, observedTimeUnixNano }
              : record,
          )
          .filter(({ timeUnixNano, observedTimeUnixNano: observed }) =>
            judge.admits(timeUnixNano === 0n ? observed : timeUnixNano),
          ),
      })),
    })),
  }
}

/** The points that the judge admits. */
export function metricsWithin(data: MetricsData, judge: TimeJudge): MetricsData {
  const within = (points: MetricPoints): MetricPoints => {
    const all: readonly { readonly timeUnixNano: bigint }[] = points.points
    // Fewer points of the same kind, which the union of kinds does not see.
    return Object.assign({ ...points }, { points: all.filter((point) => judge.admits(point.timeUnixNano)) })
  }
  return {
    resourceMetrics: data.resourceMetrics.map((resource) => ({
      ...resource,
      scopeMetrics: resource.scopeMetrics.map((scope) => ({
        ...scope,
        metrics: scope.metrics.map((metric) => ({
          ...metric,
          data: metric.data === null ? null : within(metric.data),
        })),
      })),
    })),
  }
}

/** The profiles that the judge admits. */
export function profilesWithin(data: ProfilesData, judge: TimeJudge, receivedMs: number): ProfilesData {
  return {
    ...data,
    resourceProfiles: data.resourceProfiles.map((resource) => ({
      ...resource,
      scopeProfiles: resource.scopeProfiles.map((scope) => ({
        ...scope,
        profiles: scope.profiles.filter((profile) => judge.admits(timeOf(profile, receivedMs))),
      })),
    })),
  }
}
