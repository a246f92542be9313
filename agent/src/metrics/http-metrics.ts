import { attr } from '@hotspan/otlp'
import type { Attributes } from '@opentelemetry/api'
import type { AgentSpan } from '../core/span.ts'
import { splitHost } from '../instrumentations/http-attributes.ts'
import type { Instrument } from './instrument.ts'
import type { Registry } from './registry.ts'
import type { HistogramSeries } from './series.ts'

/** Seconds (semantic conventions, HTTP metrics). */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** Routes, or hosts that are called; more are looked up the slow way. */
const MAX_ROWS = 500

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE', 'QUERY']
const PROTOCOLS = ['1.0', '1.1', '2.0', '3.0']

/** Series of one route or host, by a number made of the other attributes. */
type Row = Map<number, HistogramSeries>

/** What the HTTP instrumentations tell about a request that has ended. */
export interface HttpMetrics {
  /** `status` 0 when no answer was begun; seconds. */
  server(
    span: AgentSpan,
    method: string,
    secure: boolean,
    protocol: string,
    status: number,
    route: string,
    durationSec: number,
  ): void
  /** `error` is an `error.type` of another kind than the status, or empty. */
  client(
    span: AgentSpan,
    method: string,
    secure: boolean,
    host: string,
    status: number,
    error: string,
    durationSec: number,
  ): void
}

/** `http.server.request.duration` and `http.client.request.duration`: two map lookups and an array increment a request. */
export function createHttpMetrics(registry: Registry, scope: string, version: string): HttpMetrics {
  const make = (name: string, description: string): Instrument =>
    registry.instrument(scope, version, {
      kind: 'histogram',
      name,
      description,
      unit: 's',
      isInt: false,
      bounds: BOUNDS,
    })
  const served = make('http.server.request.duration', 'Duration of HTTP server requests.')
  const called = make('http.client.request.duration', 'Duration of HTTP client requests.')
  const byRoute = new Map<string, Row>()
  const byHost = new Map<string, Row>()

  return {
    server(span, method, secure, protocol, status, route, durationSec) {
      const code = codeOf(method, secure, status, PROTOCOLS.indexOf(protocol))
      const row = rowOf(byRoute, route)
      let series = row?.get(code)
      if (series === undefined) {
        const attributes: Attributes = {
          ...common(method, secure, status, 500),
          [attr.networkProtocolVersion]: protocol,
        }
        if (route !== '') attributes[attr.httpRoute] = route
        series = served.histogram(attributes)
        row?.set(code, series)
      }
      series.record(durationSec, span)
    },
    client(span, method, secure, host, status, error, durationSec) {
      const code = error === '' ? codeOf(method, secure, status, 0) : -1
      const row = rowOf(byHost, host)
      let series = code < 0 ? undefined : row?.get(code)
      if (series === undefined) {
        const { address, port } = splitHost(host, secure ? 443 : 80)
        series = called.histogram({
          ...common(method, secure, status, 400),
          ...(error === '' ? {} : { [attr.errorType]: error }),
          [attr.serverAddress]: address,
          [attr.serverPort]: port,
        })
        if (code >= 0) row?.set(code, series)
      }
      series.record(durationSec, span)
    },
  }
}

const codeOf = (method: string, secure: boolean, status: number, protocol: number): number =>
  ((status * 16 + METHODS.indexOf(method) + 1) * 2 + (secure ? 1 : 0)) * 8 + protocol + 1

function common(method: string, secure: boolean, status: number, errorFrom: number): Attributes {
  const attributes: Attributes = {
    [attr.httpRequestMethod]: METHODS.includes(method) ? method : '_OTHER',
    [attr.urlScheme]: secure ? 'https' : 'http',
  }
  if (status > 0) attributes[attr.httpResponseStatusCode] = status
  if (status >= errorFrom) attributes[attr.errorType] = String(status)
  return attributes
}

function rowOf(rows: Map<string, Row>, key: string): Row | undefined {
  let row = rows.get(key)
  if (row === undefined && rows.size < MAX_ROWS) {
    row = new Map()
    rows.set(key, row)
  }
  return row
}
