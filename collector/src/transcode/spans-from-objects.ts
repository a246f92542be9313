import type { Resource, Scope, Span, TracesData } from '@hotspan/otlp'
import { serviceNameOf, writeAttributes } from './attribute-text.ts'
import { RowWriter } from './row-writer.ts'

export interface Rows {
  readonly rows: number
  /** RowBinary, current layout. */
  readonly payload: Buffer
  /** Gives the payload's memory back; without it the payload is its owner's. */
  readonly release?: () => void
  /** Attribute values that were cut and attributes that were left out, over all rows. */
  readonly cutValues: number
  readonly droppedAttributes: number
}

/** Names of the exporter's columns, by OTLP number. */
export const spanKindNames = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'] as const
export const statusCodeNames = ['Unset', 'Ok', 'Error'] as const

/** Rows of `otel_traces` from decoded spans: the reference that the transcoder is compared with, and the route of JSON bodies. */
export function spanRowsFromObjects(data: TracesData): Rows {
  const w = new RowWriter()
  const origin = new RowWriter(1 << 10)
  let rows = 0
  for (const { resource, scopeSpans } of data.resourceSpans) {
    for (const { scope, spans } of scopeSpans) {
      if (spans.length === 0) continue
      origin.clear()
      writeOrigin(origin, resource, scope)
      for (const span of spans) {
        writeSpan(w, span, origin)
        rows += 1
      }
    }
  }
  return finishedRows(rows, w)
}

export function finishedRows(rows: number, w: RowWriter): Rows {
  return { rows, payload: w.copy(), cutValues: w.cutValues, droppedAttributes: w.droppedAttributes }
}

/** The columns that all spans of a scope share. */
function writeOrigin(w: RowWriter, resource: Resource, scope: Scope): void {
  w.limitedString(serviceNameOf(resource.attributes))
  writeAttributes(w, resource.attributes)
  w.string(scope.name)
  w.string(scope.version)
}

function writeSpan(w: RowWriter, span: Span, origin: RowWriter): void {
  w.uint64(span.startTimeUnixNano)
  w.string(span.traceId)
  w.string(span.spanId)
  w.string(span.parentSpanId)
  w.string(span.traceState)
  w.string(span.name)
  w.string(spanKindNames[span.kind] ?? 'Unspecified')
  w.append(origin)
  writeAttributes(w, span.attributes)
  // A clock that ran backwards must not become a duration of centuries.
  w.uint64(span.endTimeUnixNano > span.startTimeUnixNano ? span.endTimeUnixNano - span.startTimeUnixNano : 0n)
  w.string(statusCodeNames[span.status.code] ?? 'Unset')
  w.string(span.status.message)
  w.varint(span.events.length)
  for (const event of span.events) w.uint64(event.timeUnixNano)
  w.varint(span.events.length)
  for (const event of span.events) w.string(event.name)
  w.varint(span.events.length)
  for (const event of span.events) writeAttributes(w, event.attributes)
  w.varint(span.links.length)
  for (const link of span.links) w.string(link.traceId)
  w.varint(span.links.length)
  for (const link of span.links) w.string(link.spanId)
  w.varint(span.links.length)
  for (const link of span.links) w.string(link.traceState)
  w.varint(span.links.length)
  for (const link of span.links) writeAttributes(w, link.attributes)
}
