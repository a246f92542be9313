import { emptyResource, emptyScope } from './any-value-protobuf.ts'
import type { DecodeLimits } from './decode-limits.ts'
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './id-protobuf.ts'
import { type JsonObject, JsonReader } from './json-reader.ts'
import { keyValuesToJson, nanosToJson, resourceToJson, scopeToJson, withoutDefaults } from './json-writer.ts'
import { type Span, type SpanEvent, type SpanLink, StatusCode, type TracesData } from './span.ts'
import { knownKind, knownStatus } from './traces-protobuf.ts'

/** `ExportTraceServiceRequest` as OTLP/JSON text. */
export function encodeTracesJson(data: TracesData): string {
  return JSON.stringify({
    resourceSpans: data.resourceSpans.map((resourceSpans) => ({
      resource: resourceToJson(resourceSpans.resource),
      scopeSpans: resourceSpans.scopeSpans.map((scopeSpans) => ({
        scope: scopeToJson(scopeSpans.scope),
        spans: scopeSpans.spans.map(spanToJson),
        ...withoutDefaults({ schemaUrl: scopeSpans.schemaUrl }),
      })),
      ...withoutDefaults({ schemaUrl: resourceSpans.schemaUrl }),
    })),
  })
}

function spanToJson(span: Span): Record<string, unknown> {
  const json = withoutDefaults({
    traceId: span.traceId,
    spanId: span.spanId,
    traceState: span.traceState,
    parentSpanId: span.parentSpanId,
    flags: span.flags,
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nanosToJson(span.startTimeUnixNano),
    endTimeUnixNano: nanosToJson(span.endTimeUnixNano),
    attributes: keyValuesToJson(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map((event) =>
      withoutDefaults({
        timeUnixNano: nanosToJson(event.timeUnixNano),
        name: event.name,
        attributes: keyValuesToJson(event.attributes),
        droppedAttributesCount: event.droppedAttributesCount,
      }),
    ),
    droppedEventsCount: span.droppedEventsCount,
    links: span.links.map((link) =>
      withoutDefaults({
        traceId: link.traceId,
        spanId: link.spanId,
        traceState: link.traceState,
        attributes: keyValuesToJson(link.attributes),
        droppedAttributesCount: link.droppedAttributesCount,
        flags: link.flags,
      }),
    ),
    droppedLinksCount: span.droppedLinksCount,
  })
  json.status = withoutDefaults({ message: span.status.message, code: span.status.code })
  return json
}

/**
 * Reads an OTLP/JSON `ExportTraceServiceRequest`, as text or as bytes of UTF-8. Unknown fields are ignored, unknown enum numbers
 * become unspecified or unset. Throws only `OtlpJsonError`.
 */
export function decodeTracesJson(body: string | Uint8Array, limits: Partial<DecodeLimits> = {}): TracesData {
  const r = new JsonReader(limits)
  return {
    resourceSpans: r.list(r.parse(body), 'resourceSpans', (resourceSpans) => ({
      resource: r.message(resourceSpans, 'resource', emptyResource, (resource) => r.resource(resource)),
      schemaUrl: r.text(resourceSpans, 'schemaUrl'),
      scopeSpans: r.list(resourceSpans, 'scopeSpans', (scopeSpans) => ({
        scope: r.message(scopeSpans, 'scope', emptyScope, (scope) => r.scope(scope)),
        schemaUrl: r.text(scopeSpans, 'schemaUrl'),
        spans: r.list(scopeSpans, 'spans', (span) => readSpan(r, span)),
      })),
    })),
  }
}

const unsetStatus: Span['status'] = { code: StatusCode.Unset, message: '' }

function readSpan(r: JsonReader, span: JsonObject): Span {
  r.budget.takeRecord()
  return {
    traceId: r.id(span, 'traceId', TRACE_ID_BYTES),
    spanId: r.id(span, 'spanId', SPAN_ID_BYTES),
    traceState: r.text(span, 'traceState'),
    parentSpanId: r.id(span, 'parentSpanId', SPAN_ID_BYTES),
    flags: r.uint32(span, 'flags'),
    name: r.text(span, 'name'),
    kind: knownKind(r.enumNumber(span, 'kind')),
    startTimeUnixNano: r.uint64(span, 'startTimeUnixNano'),
    endTimeUnixNano: r.uint64(span, 'endTimeUnixNano'),
    attributes: r.keyValues(span, 'attributes'),
    droppedAttributesCount: r.uint32(span, 'droppedAttributesCount'),
    events: r.list(span, 'events', (event) => readEvent(r, event)),
    droppedEventsCount: r.uint32(span, 'droppedEventsCount'),
    links: r.list(span, 'links', (link) => readLink(r, link)),
    droppedLinksCount: r.uint32(span, 'droppedLinksCount'),
    status: r.message(span, 'status', unsetStatus, (status) => ({
      code: knownStatus(r.enumNumber(status, 'code')),
      message: r.text(status, 'message'),
    })),
  }
}

function readEvent(r: JsonReader, event: JsonObject): SpanEvent {
  r.budget.takeValue()
  return {
    timeUnixNano: r.uint64(event, 'timeUnixNano'),
    name: r.text(event, 'name'),
    attributes: r.keyValues(event, 'attributes'),
    droppedAttributesCount: r.uint32(event, 'droppedAttributesCount'),
  }
}

function readLink(r: JsonReader, link: JsonObject): SpanLink {
  r.budget.takeValue()
  return {
    traceId: r.id(link, 'traceId', TRACE_ID_BYTES),
    spanId: r.id(link, 'spanId', SPAN_ID_BYTES),
    traceState: r.text(link, 'traceState'),
    attributes: r.keyValues(link, 'attributes'),
    droppedAttributesCount: r.uint32(link, 'droppedAttributesCount'),
    flags: r.uint32(link, 'flags'),
  }
}
