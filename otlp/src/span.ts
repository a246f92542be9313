/**
 * The OTLP data model as plain records (opentelemetry-proto 1.10, `trace/v1/trace.proto`, `common/v1/common.proto`).
 * Ids are lower-case hex, absent ids are `''`. Epoch nanoseconds are `bigint` at package doors.
 */

/** One attribute value. `bigint` is OTLP `int_value`, `number` is `double_value`; `null` is a value that was not set. */
export type AnyValue =
  | string
  | boolean
  | bigint
  | number
  | Uint8Array
  | null
  | readonly AnyValue[]
  | KeyValueList

export interface KeyValueList {
  readonly kvlist: readonly KeyValue[]
}

export interface KeyValue {
  readonly key: string
  readonly value: AnyValue
}

/** OTLP `Span.SpanKind`. */
export const SpanKind = {
  Unspecified: 0,
  Internal: 1,
  Server: 2,
  Client: 3,
  Producer: 4,
  Consumer: 5,
} as const
export type SpanKind = (typeof SpanKind)[keyof typeof SpanKind]

/** OTLP `Status.StatusCode`. */
export const StatusCode = { Unset: 0, Ok: 1, Error: 2 } as const
export type StatusCode = (typeof StatusCode)[keyof typeof StatusCode]

export interface SpanEvent {
  readonly timeUnixNano: bigint
  readonly name: string
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
}

export interface SpanLink {
  readonly traceId: string
  readonly spanId: string
  readonly traceState: string
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
  readonly flags: number
}

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly traceState: string
  readonly parentSpanId: string
  readonly flags: number
  readonly name: string
  readonly kind: SpanKind
  readonly startTimeUnixNano: bigint
  readonly endTimeUnixNano: bigint
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
  readonly events: readonly SpanEvent[]
  readonly droppedEventsCount: number
  readonly links: readonly SpanLink[]
  readonly droppedLinksCount: number
  readonly status: { readonly code: StatusCode; readonly message: string }
}

export interface Resource {
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
}

export interface Scope {
  readonly name: string
  readonly version: string
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
}

export interface ScopeSpans {
  readonly scope: Scope
  readonly schemaUrl: string
  readonly spans: readonly Span[]
}

export interface ResourceSpans {
  readonly resource: Resource
  readonly schemaUrl: string
  readonly scopeSpans: readonly ScopeSpans[]
}

/** `ExportTraceServiceRequest`. */
export interface TracesData {
  readonly resourceSpans: readonly ResourceSpans[]
}
