import {
  emptyResource,
  emptyScope,
  readKeyValue,
  readResource,
  readScope,
  writeKeyValues,
  writeResource,
  writeScope,
} from './any-value-protobuf.ts'
import { ByteWriter } from './byte-writer.ts'
import { DecodeBudget, type DecodeLimits } from './decode-limits.ts'
import { readId, SPAN_ID_BYTES, TRACE_ID_BYTES, writeId } from './id-protobuf.ts'
import type {
  KeyValue,
  Resource,
  ResourceSpans,
  Scope,
  ScopeSpans,
  Span,
  SpanEvent,
  SpanLink,
  TracesData,
} from './span.ts'
import { SpanKind, StatusCode } from './span.ts'
import { WireReader } from './wire-read.ts'

/**
 * `ExportTraceServiceRequest` as protobuf (opentelemetry-proto 1.10, trace/v1/trace.proto). The reference encoder: clear, not
 * quick. Throws `TypeError` when an id is not hex of its length.
 */
export function encodeTraces(data: TracesData): Uint8Array {
  const w = new ByteWriter(4096)
  for (const resourceSpans of data.resourceSpans) {
    w.message(1, () => {
      w.message(1, () => writeResource(w, resourceSpans.resource))
      for (const scopeSpans of resourceSpans.scopeSpans) {
        w.message(2, () => {
          w.message(1, () => writeScope(w, scopeSpans.scope))
          for (const span of scopeSpans.spans) w.message(2, () => writeSpan(w, span))
          w.stringField(3, scopeSpans.schemaUrl)
        })
      }
      w.stringField(3, resourceSpans.schemaUrl)
    })
  }
  return w.finish()
}

function writeSpan(w: ByteWriter, span: Span): void {
  writeId(w, 1, span.traceId, TRACE_ID_BYTES)
  writeId(w, 2, span.spanId, SPAN_ID_BYTES)
  w.stringField(3, span.traceState)
  writeId(w, 4, span.parentSpanId, SPAN_ID_BYTES)
  w.stringField(5, span.name)
  w.uintField(6, span.kind)
  w.fixed64Field(7, span.startTimeUnixNano)
  w.fixed64Field(8, span.endTimeUnixNano)
  writeKeyValues(w, 9, span.attributes)
  w.uintField(10, span.droppedAttributesCount)
  for (const event of span.events) {
    w.message(11, () => {
      w.fixed64Field(1, event.timeUnixNano)
      w.stringField(2, event.name)
      writeKeyValues(w, 3, event.attributes)
      w.uintField(4, event.droppedAttributesCount)
    })
  }
  w.uintField(12, span.droppedEventsCount)
  for (const link of span.links) {
    w.message(13, () => {
      writeId(w, 1, link.traceId, TRACE_ID_BYTES)
      writeId(w, 2, link.spanId, SPAN_ID_BYTES)
      w.stringField(3, link.traceState)
      writeKeyValues(w, 4, link.attributes)
      w.uintField(5, link.droppedAttributesCount)
      w.fixed32Field(6, link.flags)
    })
  }
  w.uintField(14, span.droppedLinksCount)
  w.message(15, () => {
    w.stringField(2, span.status.message)
    w.uintField(3, span.status.code)
  })
  w.fixed32Field(16, span.flags)
}

/**
 * Reads an `ExportTraceServiceRequest`. Unknown fields and enum values are tolerated (an unknown kind or status becomes
 * unspecified or unset), unknown wire data is skipped. Throws only `WireError`.
 */
export function decodeTraces(bytes: Uint8Array, limits: Partial<DecodeLimits> = {}): TracesData {
  const r = new WireReader(bytes)
  const budget = new DecodeBudget(limits)
  const resourceSpans: ResourceSpans[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) resourceSpans.push(readResourceSpans(r, budget))
    else r.skip(tag)
  }
  return { resourceSpans }
}

function readResourceSpans(r: WireReader, budget: DecodeBudget): ResourceSpans {
  const outer = r.enter()
  let resource: Resource = emptyResource
  let schemaUrl = ''
  const scopeSpans: ScopeSpans[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) resource = readResource(r, budget)
    else if (tag === 18) scopeSpans.push(readScopeSpans(r, budget))
    else if (tag === 26) schemaUrl = r.string()
    else r.skip(tag)
  }
  r.leave(outer)
  return { resource, schemaUrl, scopeSpans }
}

function readScopeSpans(r: WireReader, budget: DecodeBudget): ScopeSpans {
  const outer = r.enter()
  let scope: Scope = emptyScope
  let schemaUrl = ''
  const spans: Span[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) scope = readScope(r, budget)
    else if (tag === 18) spans.push(readSpan(r, budget))
    else if (tag === 26) schemaUrl = r.string()
    else r.skip(tag)
  }
  r.leave(outer)
  return { scope, schemaUrl, spans }
}

/** Enum numbers this version does not know fall back to 0. */
export function knownKind(value: number): SpanKind {
  return value >= SpanKind.Unspecified && value <= SpanKind.Consumer
    ? (value as SpanKind)
    : SpanKind.Unspecified
}

export function knownStatus(value: number): StatusCode {
  return value >= StatusCode.Unset && value <= StatusCode.Error ? (value as StatusCode) : StatusCode.Unset
}

function readSpan(r: WireReader, budget: DecodeBudget): Span {
  budget.takeRecord(r.at)
  const outer = r.enter()
  const attributes: KeyValue[] = []
  const events: SpanEvent[] = []
  const links: SpanLink[] = []
  const span = {
    traceId: '',
    spanId: '',
    traceState: '',
    parentSpanId: '',
    flags: 0,
    name: '',
    kind: SpanKind.Unspecified as SpanKind,
    startTimeUnixNano: 0n,
    endTimeUnixNano: 0n,
    attributes,
    droppedAttributesCount: 0,
    events,
    droppedEventsCount: 0,
    links,
    droppedLinksCount: 0,
    status: { code: StatusCode.Unset as StatusCode, message: '' },
  }
  while (r.more()) {
    const tag = r.tag()
    switch (tag) {
      case 10:
        span.traceId = readId(r, TRACE_ID_BYTES)
        break
      case 18:
        span.spanId = readId(r, SPAN_ID_BYTES)
        break
      case 26:
        span.traceState = r.string()
        break
      case 34:
        span.parentSpanId = readId(r, SPAN_ID_BYTES)
        break
      case 42:
        span.name = r.string()
        break
      case 48:
        span.kind = knownKind(r.int32())
        break
      case 57:
        span.startTimeUnixNano = r.fixed64BigInt()
        break
      case 65:
        span.endTimeUnixNano = r.fixed64BigInt()
        break
      case 74:
        attributes.push(readKeyValue(r, budget))
        break
      case 80:
        span.droppedAttributesCount = r.uint32()
        break
      case 90:
        events.push(readEvent(r, budget))
        break
      case 96:
        span.droppedEventsCount = r.uint32()
        break
      case 106:
        links.push(readLink(r, budget))
        break
      case 112:
        span.droppedLinksCount = r.uint32()
        break
      case 122:
        span.status = readStatus(r)
        break
      case 133:
        span.flags = r.fixed32()
        break
      default:
        r.skip(tag)
    }
  }
  r.leave(outer)
  return span
}

function readStatus(r: WireReader): Span['status'] {
  const outer = r.enter()
  let code: StatusCode = StatusCode.Unset
  let message = ''
  while (r.more()) {
    const tag = r.tag()
    if (tag === 18) message = r.string()
    else if (tag === 24) code = knownStatus(r.int32())
    else r.skip(tag)
  }
  r.leave(outer)
  return { code, message }
}

function readEvent(r: WireReader, budget: DecodeBudget): SpanEvent {
  budget.takeValue(r.at)
  const outer = r.enter()
  const attributes: KeyValue[] = []
  const event = { timeUnixNano: 0n, name: '', attributes, droppedAttributesCount: 0 }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 9) event.timeUnixNano = r.fixed64BigInt()
    else if (tag === 18) event.name = r.string()
    else if (tag === 26) attributes.push(readKeyValue(r, budget))
    else if (tag === 32) event.droppedAttributesCount = r.uint32()
    else r.skip(tag)
  }
  r.leave(outer)
  return event
}

function readLink(r: WireReader, budget: DecodeBudget): SpanLink {
  budget.takeValue(r.at)
  const outer = r.enter()
  const attributes: KeyValue[] = []
  const link = { traceId: '', spanId: '', traceState: '', attributes, droppedAttributesCount: 0, flags: 0 }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) link.traceId = readId(r, TRACE_ID_BYTES)
    else if (tag === 18) link.spanId = readId(r, SPAN_ID_BYTES)
    else if (tag === 26) link.traceState = r.string()
    else if (tag === 34) attributes.push(readKeyValue(r, budget))
    else if (tag === 40) link.droppedAttributesCount = r.uint32()
    else if (tag === 53) link.flags = r.fixed32()
    else r.skip(tag)
  }
  r.leave(outer)
  return link
}
