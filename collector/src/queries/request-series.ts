import type { Store } from '../store.ts'
import { distinctSpansOf } from './distinct-spans.ts'
import { isRequest, requestParts, requestSource } from './request-parts.ts'
import { type QueryBounds, runQuery, type Scope } from './run-query.ts'
import { type SealedBucket, scopeRange, sealedBuckets, sealedRows } from './sealed-buckets.ts'
import { joined, type TimeRange, within, without } from './time-ranges.ts'

/** Rate, errors and duration of one service in one step of time. Weighted by sampling. */
export interface RequestPoint {
  readonly service: string
  /** Start of the step, epoch ms. */
  readonly atMs: number
  readonly requests: number
  readonly errors: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

export interface RequestSeriesArgs {
  /** Seconds of a step. Default 60; made longer where the scope would have more than 11,000 steps. */
  readonly stepSec?: number
  readonly service?: string
  readonly operation?: string
}

const maxSteps = 11_000

/** Requests that services answered, over time: server and consumer spans. Steps without a request have no row. */
export async function requestSeries(
  store: Store,
  scope: Scope,
  args: RequestSeriesArgs = {},
  bounds: QueryBounds = {},
): Promise<RequestPoint[]> {
  const leastSec = Math.ceil((scope.toMs - scope.fromMs) / 1000 / maxSteps)
  const stepSec = Math.max(Math.floor(args.stepSec ?? 60), leastSec, 1)
  const conditions = [isRequest]
  if (args.service !== undefined) conditions.push('ServiceName = {service:String}')
  if (args.operation !== undefined) conditions.push('SpanName = {operation:String}')
  const known = await sealedBuckets(store, scope, bounds)
  const range = scopeRange(scope)
  // Sealed buckets know services by the minute.
  const isKnown = args.operation === undefined && stepSec % 60 === 0
  const minutes = isKnown ? known.map((bucket) => wholeMinutes(bucket, range)) : []
  const raw = without(range, minutes)
  // No two parts share a minute: what it comes to is finished. Longer steps are added up.
  const isFinished = stepSec === 60
  const columns = isFinished
    ? 'Service AS service, toUInt32(Minute) AS at, Calls AS requests, Errors AS errors, QuantilesNs AS ns'
    : 'Service AS service, Minute AS minute, Calls AS calls, Errors AS failed, Durations AS durations'
  const parts: string[] = []
  if (minutes.length > 0) {
    const more = args.service === undefined ? [] : ['Service = {service:String}']
    if (minutes.some((part, i) => part.fromNs > known[i]!.fromNs || part.toNs < known[i]!.toNs))
      more.push(within(joined(minutes), 'Minute'))
    const condition = more.map((one) => ` AND ${one}`).join('')
    parts.push(`SELECT ${columns} FROM ${sealedRows('requests', known)}${condition}`)
  }
  if (raw.length > 0 || minutes.length === 0) {
    const spans = distinctSpansOf(raw, known, requestSource, conditions.join(' AND '))
    parts.push(`SELECT ${columns} FROM (${requestParts(spans, stepSec)})`)
  }
  const all = parts.join(' UNION ALL ')
  const rows = await runQuery<{
    service: string
    at: number
    requests: number
    errors: number
    ns: number[]
  }>(
    store,
    isFinished
      ? all
      : `SELECT service, toUInt32(toStartOfInterval(minute, toIntervalSecond(${stepSec}))) AS at, sum(calls) AS requests, sum(failed) AS errors,
  quantilesTDigestWeightedMerge(0.5, 0.95, 0.99)(durations) AS ns FROM (${all}) GROUP BY service, at`,
    { service: args.service ?? '', operation: args.operation ?? '' },
    bounds,
  )
  return rows
    .map(({ service, at, requests, errors, ns: [p50 = 0, p95 = 0, p99 = 0] }) => ({
      service,
      atMs: at * 1000,
      requests,
      errors,
      p50Ms: p50 / 1e6,
      p95Ms: p95 / 1e6,
      p99Ms: p99 / 1e6,
    }))
    .sort((a, b) => compare(a.service, b.service) || a.atMs - b.atMs)
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const minuteNs = 60_000_000_000n

/** The minutes of a bucket that lie whole in the range, or hold no span outside of it. */
function wholeMinutes(bucket: SealedBucket, range: TimeRange): TimeRange {
  const fromNs =
    bucket.firstNs >= range.fromNs ? bucket.fromNs : ((range.fromNs + minuteNs - 1n) / minuteNs) * minuteNs
  const toNs = bucket.lastNs < range.toNs ? bucket.toNs : (range.toNs / minuteNs) * minuteNs
  return {
    fromNs: fromNs > bucket.fromNs ? fromNs : bucket.fromNs,
    toNs: toNs < bucket.toNs ? toNs : bucket.toNs,
  }
}
