import {
  type AnyValue,
  type KeyValue,
  type Span,
  SpanKind,
  type SpanLink,
  StatusCode,
  type TracesData,
} from '@hotspan/otlp'
import {
  attribute,
  ForeignFormatError,
  isRecord,
  type JsonRecord,
  nanosOfMicros,
  paddedId,
  SpanGroups,
  spanOf,
  textOf,
} from './foreign-trace.ts'

const kinds: Readonly<Record<string, Span['kind']>> = {
  client: SpanKind.Client,
  server: SpanKind.Server,
  producer: SpanKind.Producer,
  consumer: SpanKind.Consumer,
}

/** Tags that are something else in OTLP (OpenTelemetry specification, trace/sdk_exporters/jaeger). */
const consumedTags = new Set([
  'span.kind',
  'otel.status_code',
  'otel.status_description',
  'otel.scope.name',
  'otel.scope.version',
  'otel.library.name',
  'otel.library.version',
  'w3c.tracestate',
  'internal.span.format',
])

/** What Jaeger's page and API write: `{ "data": [trace] }`, or one trace, or an array of traces. Throws `ForeignFormatError`. */
export function tracesOfJaeger(document: unknown): TracesData {
  const list = isRecord(document) ? (Array.isArray(document.data) ? document.data : [document]) : document
  if (!Array.isArray(list)) throw new ForeignFormatError('expected {"data": [...]} with Jaeger traces')
  const groups = new SpanGroups()
  for (const [index, trace] of list.entries()) {
    if (!isRecord(trace) || !Array.isArray(trace.spans)) {
      throw new ForeignFormatError(`data[${index}] is no Jaeger trace: it has no spans`)
    }
    const processes = isRecord(trace.processes) ? trace.processes : {}
    for (const [place, span] of trace.spans.entries()) {
      const where = `data[${index}].spans[${place}]`
      if (!isRecord(span)) throw new ForeignFormatError(`${where} is no span`)
      const named = processes[textOf(span.processID)]
      const process = isRecord(span.process) ? span.process : isRecord(named) ? named : {}
      const tags = tagsOf(span.tags)
      const text = (name: string) => textOf(tags.get(name))
      const resource = [
        attribute('service.name', textOf(process.serviceName) || 'unknown_service'),
        ...[...tagsOf(process.tags)].map(([key, value]) => attribute(key, value)),
      ]
      const scope: [string, string] = [
        text('otel.scope.name') || text('otel.library.name'),
        text('otel.scope.version') || text('otel.library.version'),
      ]
      groups.add(resource, scope, readSpan(span, tags, where))
    }
  }
  return { resourceSpans: groups.finish() }
}

function readSpan(span: JsonRecord, tags: ReadonlyMap<string, AnyValue>, where: string): Span {
  const traceId = paddedId(span.traceID, 32, `${where}.traceID`)
  const references = (Array.isArray(span.references) ? span.references.filter(isRecord) : []).map(
    (reference) => ({
      childOf: reference.refType === 'CHILD_OF',
      traceId: paddedId(reference.traceID, 32, `${where}.references`),
      spanId: paddedId(reference.spanID, 16, `${where}.references`),
    }),
  )
  const parent = references.find((reference) => reference.childOf && reference.traceId === traceId)
  const old = textOf(span.parentSpanID)
  const links: SpanLink[] = references
    .filter((reference) => reference !== parent)
    .map((reference) => ({
      traceId: reference.traceId,
      spanId: reference.spanId,
      traceState: '',
      attributes: [attribute('opentracing.ref_type', reference.childOf ? 'child_of' : 'follows_from')],
      droppedAttributesCount: 0,
      flags: 0,
    }))
  const attributes: KeyValue[] = []
  for (const [key, value] of tags) if (!consumedTags.has(key)) attributes.push(attribute(key, value))
  return spanOf({
    traceId,
    spanId: paddedId(span.spanID, 16, `${where}.spanID`),
    parentSpanId: parent?.spanId ?? (old === '' ? '' : paddedId(old, 16, `${where}.parentSpanID`)),
    name: textOf(span.operationName),
    kind: kinds[textOf(tags.get('span.kind'))] ?? SpanKind.Internal,
    startTimeUnixNano: nanosOfMicros(span.startTime, `${where}.startTime`),
    durationNs: nanosOfMicros(span.duration ?? 0, `${where}.duration`),
    attributes,
    events: (Array.isArray(span.logs) ? span.logs.filter(isRecord) : []).map((log) => eventOf(log, where)),
    links,
    traceState: textOf(tags.get('w3c.tracestate')),
    status: statusOf(tags),
  })
}

function eventOf(log: JsonRecord, where: string): Span['events'][number] {
  const fields = tagsOf(log.fields)
  const name = textOf(fields.get('event')) || textOf(fields.get('message'))
  fields.delete('event')
  return {
    timeUnixNano: nanosOfMicros(log.timestamp ?? 0, `${where}.logs`),
    name: name || 'log',
    attributes: [...fields].map(([key, value]) => attribute(key, value)),
    droppedAttributesCount: 0,
  }
}

function statusOf(tags: ReadonlyMap<string, AnyValue>): Span['status'] {
  const code = textOf(tags.get('otel.status_code')).toUpperCase()
  if (code === 'OK') return { code: StatusCode.Ok, message: '' }
  const error = tags.get('error')
  if (code !== 'ERROR' && error !== true && error !== 'true') return { code: StatusCode.Unset, message: '' }
  return { code: StatusCode.Error, message: textOf(tags.get('otel.status_description')) }
}

/** Tags `[{ key, type, value }]` by key; whole numbers of type int64 stay whole. */
function tagsOf(list: unknown): Map<string, AnyValue> {
  const tags = new Map<string, AnyValue>()
  for (const tag of Array.isArray(list) ? list : []) {
    if (!isRecord(tag) || typeof tag.key !== 'string') continue
    tags.set(tag.key, tagValue(tag))
  }
  return tags
}

function tagValue({ type, value }: JsonRecord): AnyValue {
  if (
    type === 'int64' &&
    (typeof value === 'string' || typeof value === 'number') &&
    /^-?\d+$/.test(String(value))
  ) {
    return BigInt(value)
  }
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value
  return value === undefined || value === null ? null : JSON.stringify(value)
}
