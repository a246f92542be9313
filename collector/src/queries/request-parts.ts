import { wholeWeight } from './distinct-spans.ts'

export const isRequest = "SpanKind IN ('Server', 'Consumer')"

/** What `requestParts` reads of a span. */
export const requestSource = ['ServiceName', 'Timestamp', 'StatusCode', 'Duration', 'SampleWeight']

/** Columns of a part of the answer: of some raw spans, or of the minutes of a sealed bucket. */
export const requestColumns = 'Minute, Service, Calls, Errors, Durations, QuantilesNs'

/**
 * Requests of each service and step of time in a source of spans: `Durations` can be added up, `QuantilesNs` are for a step that no
 * other part has, and read without the digests (5 of 15 ms).
 */
export function requestParts(source: string, stepSec: number): string {
  return `SELECT toDateTime(toStartOfInterval(Timestamp, toIntervalSecond(${stepSec}))) AS Minute, ServiceName AS Service, sum(SampleWeight) AS Calls,
  sumIf(SampleWeight, StatusCode = 'Error') AS Errors, quantilesTDigestWeightedState(0.5, 0.95, 0.99)(Duration, ${wholeWeight}) AS Durations,
  finalizeAggregation(Durations) AS QuantilesNs
FROM ${source} GROUP BY Minute, ServiceName`
}
