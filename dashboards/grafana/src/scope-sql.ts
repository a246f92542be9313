import { reference } from './grafana-reference.ts'

/** SQL that several panels start from. */

/** A table of the chosen project. */
export const tableOf = (name: string): string => `\`${reference('database')}\`.${name}`

export const SERVICE = reference('service', 'singlequote')
export const FRONTEND = reference('frontend', 'singlequote')

/** What a reader calls a request: `GET /products`, or the span's name when there is no route. */
export const ROUTE = "if(HttpRoute = '', SpanName, concat(HttpMethod, ' ', HttpRoute))"

/**
 * Requests that the chosen service answered, each once: a span can be stored twice when its sender repeated a body.
 * `weight` is how many requests a sampled one stands for (1 when unknown).
 */
export const requests = `(
  SELECT Timestamp, TraceId, SpanId, ${ROUTE} AS route, Duration / 1e6 AS ms, StatusCode, SampleWeight AS weight
  FROM ${tableOf('otel_traces')}
  WHERE $__timeFilter(Timestamp) AND ServiceName = ${SERVICE} AND SpanKind = 'Server'
    AND $__conditionalAll(${ROUTE} IN (${reference('route', 'singlequote')}), $route)
  LIMIT 1 BY TraceId, SpanId
)`

/** Weighted percentiles as an array; the engine takes whole weights only. */
export function percentiles(value: string, weight: string, levels: readonly number[]): string {
  return `quantilesTDigestWeighted(${levels.join(', ')})(${value}, toUInt64(greatest(1, round(${weight}))))`
}
