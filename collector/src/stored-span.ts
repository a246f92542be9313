/** A span as the store gives it back. */
export interface StoredSpan {
  readonly traceId: string
  readonly spanId: string
  /** '' for a root. */
  readonly parentSpanId: string
  readonly traceState: string
  readonly name: string
  readonly kind: 'server' | 'client' | 'internal' | 'producer' | 'consumer' | 'unspecified'
  readonly service: string
  /** Epoch nanoseconds. */
  readonly startNs: bigint
  readonly durationNs: number
  readonly statusCode: 'unset' | 'ok' | 'error'
  readonly statusMessage: string
  readonly attributes: Record<string, string>
  readonly resource: Record<string, string>
  readonly scopeName: string
  readonly events: {
    readonly timeNs: bigint
    readonly name: string
    readonly attributes: Record<string, string>
  }[]
  readonly links: {
    readonly traceId: string
    readonly spanId: string
    readonly attributes: Record<string, string>
  }[]
  /** Spans that this one stands for (sampling); 1 when unknown. */
  readonly weight: number
  readonly weightKnown: boolean
}

/** One row of `spanColumns` in JSONEachRow. */
export interface SpanRow {
  traceId: string
  spanId: string
  parentSpanId: string
  traceState: string
  name: string
  kind: string
  service: string
  startNs: string
  durationNs: string
  statusCode: string
  statusMessage: string
  attributes: Record<string, string>
  resource: Record<string, string>
  scopeName: string
  eventTimes: string[]
  eventNames: string[]
  eventAttributes: Record<string, string>[]
  linkTraceIds: string[]
  linkSpanIds: string[]
  linkAttributes: Record<string, string>[]
  weight: number
  weightKnown: number
}

/** Select list over `otel_traces` that `spanOfRow` reads. */
export const spanColumns = `TraceId AS traceId, SpanId AS spanId, ParentSpanId AS parentSpanId, TraceState AS traceState, SpanName AS name,
  lower(SpanKind) AS kind, ServiceName AS service, toUnixTimestamp64Nano(Timestamp) AS startNs, Duration AS durationNs,
  lower(StatusCode) AS statusCode, StatusMessage AS statusMessage, SpanAttributes AS attributes, ResourceAttributes AS resource,
  ScopeName AS scopeName, arrayMap(t -> toUnixTimestamp64Nano(t), Events.Timestamp) AS eventTimes, Events.Name AS eventNames,
  Events.Attributes AS eventAttributes, Links.TraceId AS linkTraceIds, Links.SpanId AS linkSpanIds, Links.Attributes AS linkAttributes,
  SampleWeight AS weight, WeightKnown AS weightKnown`

export function spanOfRow(row: SpanRow): StoredSpan {
  return {
    traceId: row.traceId,
    spanId: row.spanId,
    parentSpanId: row.parentSpanId,
    traceState: row.traceState,
    name: row.name,
    kind: row.kind as StoredSpan['kind'],
    service: row.service,
    startNs: BigInt(row.startNs),
    durationNs: Number(row.durationNs),
    statusCode: row.statusCode as StoredSpan['statusCode'],
    statusMessage: row.statusMessage,
    attributes: row.attributes,
    resource: row.resource,
    scopeName: row.scopeName,
    events: row.eventTimes.map((time, index) => ({
      timeNs: BigInt(time),
      name: row.eventNames[index] ?? '',
      attributes: row.eventAttributes[index] ?? {},
    })),
    links: row.linkTraceIds.map((traceId, index) => ({
      traceId,
      spanId: row.linkSpanIds[index] ?? '',
      attributes: row.linkAttributes[index] ?? {},
    })),
    weight: Number(row.weight),
    weightKnown: Number(row.weightKnown) === 1,
  }
}
