import type { Store } from '@hotspan/collector'
import { inWindow, isWarm, rows } from './rows.ts'
import type { Settings } from './settings.ts'
import { isProbe } from './trace/entry.ts'

/** Requests of one service and operation in the window, warm-up, errors and health checks left out. */
export interface Operation {
  readonly service: string
  readonly operation: string
  readonly requests: number
  /** Requests, each counted as many times as sampling stands for. */
  readonly weightedRequests: number
  readonly p50Ms: number
  /** Weighted sum of durations, ms. */
  readonly busyMs: number
}

export interface ServiceCoverage {
  readonly name: string
  readonly spans: number
  readonly language: string
  readonly sdk: string
  readonly serverSpans: number
  readonly databaseSpans: number
  readonly databaseSpansWithoutText: number
  readonly unknownWeight: number
}

/** What is analysed: a store, a time range, and the figures that every detector measures against. */
export interface AnalysisWindow {
  readonly store: Store
  readonly scope: { readonly fromMs: number; readonly toMs: number }
  readonly settings: Settings
  readonly services: readonly ServiceCoverage[]
  readonly operations: readonly Operation[]
  /** s between the first and the last span, at least 60: what daily figures are scaled from. */
  readonly observedSec: number
  /** Query parameters of the window. */
  readonly parameters: { readonly fromMs: number; readonly toMs: number; readonly warmUpSec: number }
}

export async function openWindow(
  store: Store,
  scope: { readonly fromMs: number; readonly toMs: number },
  settings: Settings,
): Promise<AnalysisWindow> {
  const parameters = {
    fromMs: Math.floor(scope.fromMs),
    toMs: Math.ceil(scope.toMs),
    warmUpSec: settings.warmUpSec,
  }
  const services = await rows<ServiceCoverage & { firstMs: number; lastMs: number }>(
    store,
    `SELECT ServiceName AS name, toFloat64(count()) AS spans, any(ResourceAttributes['telemetry.sdk.language']) AS language,
       any(ResourceAttributes['telemetry.sdk.name']) AS sdk, toFloat64(countIf(SpanKind = 'Server')) AS serverSpans,
       toFloat64(countIf(DbSystem != '' AND SpanKind = 'Client' AND not match(SpanName, '(?i)connect'))) AS databaseSpans,
       toFloat64(countIf(DbSystem != '' AND SpanKind = 'Client' AND DbStatement = '' AND not match(SpanName, '(?i)connect')))
         AS databaseSpansWithoutText,
       toFloat64(countIf(WeightKnown = 0)) AS unknownWeight,
       toFloat64(toUnixTimestamp64Milli(min(Timestamp))) AS firstMs, toFloat64(toUnixTimestamp64Milli(max(Timestamp))) AS lastMs
     FROM otel_traces WHERE ${inWindow} GROUP BY ServiceName ORDER BY spans DESC LIMIT 1000`,
    parameters,
  )
  const operations = await rows<Operation>(
    store,
    `SELECT ServiceName AS service, SpanName AS operation, toFloat64(count()) AS requests, sum(weight) AS weightedRequests,
       quantile(0.5)(ms) AS p50Ms, sum(ms * weight) AS busyMs
     FROM (
       SELECT ServiceName, SpanName, Duration / 1e6 AS ms, SampleWeight AS weight, TraceId, SpanId
       FROM otel_traces
       WHERE ${inWindow} AND SpanKind = 'Server' AND StatusCode != 'Error' AND ${isWarm}
       LIMIT 1 BY TraceId, SpanId
     )
     GROUP BY service, operation ORDER BY busyMs DESC LIMIT 2000`,
    parameters,
  )
  const firstMs = Math.min(...services.map((service) => service.firstMs))
  const lastMs = Math.max(...services.map((service) => service.lastMs))
  return {
    store,
    scope,
    settings,
    services,
    operations: operations.filter((operation) => !isProbe(operation.operation)),
    observedSec: Math.max(60, Number.isFinite(lastMs - firstMs) ? (lastMs - firstMs) / 1000 : 0),
    parameters,
  }
}

export const operationOf = (
  window: AnalysisWindow,
  service: string,
  operation: string,
): Operation | undefined =>
  window.operations.find((known) => known.service === service && known.operation === operation)

/** Weighted ms that a service was busy with requests. */
export function busyMsOf(window: AnalysisWindow, service: string): number {
  let sum = 0
  for (const operation of window.operations) if (operation.service === service) sum += operation.busyMs
  return sum
}

export const perDay = (window: AnalysisWindow, count: number): number => (count * 86_400) / window.observedSec
