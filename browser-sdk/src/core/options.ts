import type { Consent } from './consent.ts'
import type { Attributes } from './otlp-json.ts'

/** A span or a log record of OTLP/JSON. */
export interface OtlpRecord {
  attributes: { key: string; value: Record<string, unknown> }[]
  [field: string]: unknown
}

export interface Options {
  /** Base URL of an OTLP/HTTP receiver; a path of the page's own origin saves preflights. `/v1/traces` is appended. */
  readonly endpoint: string
  /** `service.name`. */
  readonly service: string
  /** `service.version`. */
  readonly version?: string
  /** More resource attributes, e.g. `{ 'deployment.environment.name': 'production' }`. */
  readonly resource?: Attributes
  /** Write-only key of a collector that asks for one; sent as `authorization: Bearer KEY`. */
  readonly key?: string
  /** More request headers for the receiver. Any beyond content-type makes cross-origin posts preflighted. */
  readonly headers?: Readonly<Record<string, string>>
  /** Origins besides the page's own that get `traceparent` and `tracestate`; they must allow these headers by CORS. */
  readonly propagateTo?: readonly (string | RegExp)[]
  /** Share of sessions kept, 0 to 1; all of them by default and when it is no such number. A session is whole or absent; weights travel in `tracestate`. */
  readonly sampleRatio?: number
  /** What the visitor has agreed to so far, default `granted`; `setConsent` changes it. */
  readonly consent?: Consent
  /** Query keys whose values may leave the page; every other value is replaced by `-`. */
  readonly allowQuery?: readonly string[]
  /** Last word on every URL, after our own scrubbing. */
  readonly scrubUrl?: (url: string) => string
  /**
   * Sees every span (`traces`) and event (`logs`) as OTLP/JSON before it is queued and answers with what is sent, changed or not;
   * without an answer, or when it throws, the record is dropped.
   */
  readonly beforeSend?: (record: OtlpRecord, signal: 'traces' | 'logs') => OtlpRecord | null | undefined
  /** Route template of a path, e.g. `/p/42` to `/p/:id`. Default: ids, numbers and mail addresses become `:id`. */
  readonly routeOf?: (path: string) => string | undefined
}

export let options: Options = { endpoint: '', service: '' }

export const setOptions = (given: Options): void => {
  options = given
}
