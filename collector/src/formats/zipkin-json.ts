import { type KeyValue, type Span, SpanKind, StatusCode, type TracesData } from '@hotspan/otlp'
import {
  attribute,
  derivedId,
  ForeignFormatError,
  isRecord,
  type JsonRecord,
  nanosOfMicros,
  paddedId,
  parseJson,
  SpanGroups,
  spanOf,
  textOf,
} from './foreign-trace.ts'

const kinds: Readonly<Record<string, Span['kind']>> = {
  CLIENT: SpanKind.Client,
  SERVER: SpanKind.Server,
  PRODUCER: SpanKind.Producer,
  CONSUMER: SpanKind.Consumer,
}

/** Tags that are something else in OTLP (OpenTelemetry specification, trace/sdk_exporters/zipkin). */
const consumedTags = new Set([
  'otel.status_code',
  'otel.status_description',
  'otel.scope.name',
  'otel.scope.version',
  'otel.library.name',
  'otel.library.version',
  'w3c.tracestate',
])

const maxSpans = 1_000_000

/**
 * Zipkin v2 JSON, an array of spans. Throws `ForeignFormatError`. A server span that shares its client's id (B3) gets an id of
 * its own below it, or one of the two would be taken for a repetition; spans of the server's service in the same body follow
 * it. A span without a time has the time of its first annotation, else `nowMs`.
 */
export function decodeZipkinJson(body: string | Uint8Array, nowMs = Date.now()): TracesData {
  const list = parseJson(body)
  if (!Array.isArray(list)) throw new ForeignFormatError('expected an array of Zipkin v2 spans')
  if (list.length > maxSpans) throw new ForeignFormatError(`more than ${maxSpans} spans`)
  const spans = list.map((span, index) => {
    if (!isRecord(span)) throw new ForeignFormatError(`[${index}] is no span`)
    return span
  })
  const shared = new Set<string>()
  for (const span of spans) if (span.shared === true) shared.add(placeOf(span, span.id))
  const groups = new SpanGroups()
  for (const [index, span] of spans.entries()) {
    const service = serviceOf(span.localEndpoint) || 'unknown_service'
    const tags = isRecord(span.tags) ? span.tags : {}
    const tag = (name: string) => textOf(tags[name])
    const scope: [string, string] = [
      tag('otel.scope.name') || tag('otel.library.name'),
      tag('otel.scope.version') || tag('otel.library.version'),
    ]
    groups.add([attribute('service.name', service)], scope, readSpan(span, tags, shared, index, nowMs))
  }
  return { resourceSpans: groups.finish() }
}

/** Where a span id is meant: trace, service, id. */
function placeOf(span: JsonRecord, id: unknown): string {
  return `${textOf(span.traceId)}:${serviceOf(span.localEndpoint)}:${textOf(id)}`.toLowerCase()
}

function readSpan(
  span: JsonRecord,
  tags: JsonRecord,
  shared: ReadonlySet<string>,
  index: number,
  nowMs: number,
): Span {
  const at = (key: string) => `[${index}].${key}`
  const traceId = paddedId(span.traceId, 32, at('traceId'))
  let spanId = paddedId(span.id, 16, at('id'))
  let parentSpanId = isAbsent(span.parentId) ? '' : paddedId(span.parentId, 16, at('parentId'))
  if (span.shared === true) {
    parentSpanId = spanId
    spanId = derivedId(`zipkin shared ${traceId}${spanId}`)
  } else if (parentSpanId !== '' && shared.has(placeOf(span, span.parentId))) {
    parentSpanId = derivedId(`zipkin shared ${traceId}${parentSpanId}`)
  }
  const annotations = Array.isArray(span.annotations) ? span.annotations.filter(isRecord) : []
  const events = annotations.map((annotation) => ({
    timeUnixNano: nanosOfMicros(annotation.timestamp ?? 0, at('annotations')),
    name: textOf(annotation.value),
    attributes: [],
    droppedAttributesCount: 0,
  }))
  const attributes: KeyValue[] = []
  for (const [key, value] of Object.entries(tags)) {
    if (!consumedTags.has(key))
      attributes.push(attribute(key, typeof value === 'string' ? value : JSON.stringify(value)))
  }
  addEndpoint(attributes, span.remoteEndpoint)
  const timed = !isAbsent(span.timestamp)
  // The Collector's name for it.
  if (!timed) attributes.push(attribute('otel.zipkin.absentField.startTime', 'true'))
  const start = timed
    ? nanosOfMicros(span.timestamp, at('timestamp'))
    : (events[0]?.timeUnixNano ?? BigInt(Math.round(nowMs)) * 1_000_000n)
  return spanOf({
    traceId,
    spanId,
    parentSpanId,
    name: textOf(span.name),
    kind: kinds[textOf(span.kind).toUpperCase()] ?? SpanKind.Internal,
    startTimeUnixNano: start,
    durationNs: nanosOfMicros(span.duration ?? 0, at('duration')),
    attributes,
    events,
    traceState: textOf(tags['w3c.tracestate']),
    status: statusOf(tags),
  })
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === ''

function serviceOf(endpoint: unknown): string {
  return isRecord(endpoint) ? textOf(endpoint.serviceName) : ''
}

function addEndpoint(attributes: KeyValue[], endpoint: unknown): void {
  if (!isRecord(endpoint)) return
  const service = textOf(endpoint.serviceName)
  const address = textOf(endpoint.ipv4) || textOf(endpoint.ipv6)
  if (service !== '') attributes.push(attribute('peer.service', service))
  if (address !== '') attributes.push(attribute('network.peer.address', address))
  if (typeof endpoint.port === 'number')
    attributes.push(attribute('network.peer.port', BigInt(Math.trunc(endpoint.port))))
}

function statusOf(tags: JsonRecord): Span['status'] {
  const message = textOf(tags['otel.status_description'])
  const code = textOf(tags['otel.status_code']).toUpperCase()
  if (code === 'OK') return { code: StatusCode.Ok, message: '' }
  const { error } = tags
  // Zipkin: the tag alone says that it failed; only the text "false" is met as a denial.
  const failed = code === 'ERROR' || (error !== undefined && error !== 'false' && error !== false)
  if (!failed) return { code: StatusCode.Unset, message: '' }
  return { code: StatusCode.Error, message: message || (error === 'true' ? '' : textOf(error)) }
}
