import type { KeyValue, Span, TracesData } from '@hotspan/otlp'

export const text = (key: string, value: string): KeyValue => ({ key, value })

/** A whole span from the parts that a test cares about. Times are ms from `baseMs`. */
export function madeSpan(
  baseMs: number,
  parts: {
    traceId: string
    spanId: string
    parentSpanId?: string
    name?: string
    kind?: Span['kind']
    startMs?: number
    durationMs?: number
    attributes?: readonly KeyValue[]
    status?: Span['status']
    traceState?: string
  },
): Span {
  const startTimeUnixNano = BigInt(Math.round((baseMs + (parts.startMs ?? 0)) * 1e3)) * 1000n
  return {
    traceId: parts.traceId,
    spanId: parts.spanId,
    parentSpanId: parts.parentSpanId ?? '',
    traceState: parts.traceState ?? '',
    flags: 1,
    name: parts.name ?? 'GET /',
    kind: parts.kind ?? 2,
    startTimeUnixNano,
    endTimeUnixNano: startTimeUnixNano + BigInt(Math.round((parts.durationMs ?? 1) * 1e6)),
    attributes: parts.attributes ?? [],
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: parts.status ?? { code: 0, message: '' },
  }
}

export function tracesOf(service: string, spans: readonly Span[]): TracesData {
  return {
    resourceSpans: [
      {
        resource: { attributes: [text('service.name', service)], droppedAttributesCount: 0 },
        schemaUrl: '',
        scopeSpans: [
          {
            scope: { name: 'test', version: '1', attributes: [], droppedAttributesCount: 0 },
            schemaUrl: '',
            spans,
          },
        ],
      },
    ],
  }
}

export const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
