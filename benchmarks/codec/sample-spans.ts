import {
  SpanKind as ApiKind,
  type Attributes,
  type HrTime,
  type Link,
  SpanStatusCode,
} from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { AnyValue, KeyValue, Span, TracesData } from '../../otlp/dist/index.js'

export const batchSpans = 512

const resourceAttributes = {
  'service.name': 'shop-api',
  'service.instance.id': '0d9e1a9c-6f0a-4f53-9c7e-1f2a3b4c5d6e',
  'process.pid': 4711,
  'telemetry.sdk.language': 'nodejs',
}

interface Plain {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: ApiKind
  readonly start: HrTime
  readonly end: HrTime
  readonly attributes: Attributes
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')

/** Traces of a server span with three queries, as an HTTP API makes them: 13 and 8 attributes. Deterministic. */
function plainSpans(): Plain[] {
  return Array.from({ length: batchSpans }, (_, i) => {
    const trace = i >> 2
    const isServer = i % 4 === 0
    const startNs = 123_456_789 + i * 1000
    const attributes: Attributes = isServer
      ? {
          'http.request.method': 'GET',
          'url.scheme': 'http',
          'url.path': `/products/${trace}`,
          'url.query': 'page=1',
          'http.route': '/products/:id',
          'http.response.status_code': 200,
          'server.address': '127.0.0.1',
          'server.port': 3000,
          'network.protocol.version': '1.1',
          'network.peer.address': '127.0.0.1',
          'network.peer.port': 40_000 + trace,
          'client.address': '127.0.0.1',
          'user_agent.original':
            'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156',
        }
      : {
          'db.system.name': 'postgresql',
          'db.namespace': 'shop',
          'db.query.text': 'SELECT id, name, price FROM products WHERE category_id = $1 ORDER BY id LIMIT 20',
          'db.query.summary': 'SELECT products',
          'db.operation.name': 'SELECT',
          'db.response.returned_rows': 20,
          'server.address': '127.0.0.1',
          'server.port': 5432,
        }
    return {
      traceId: hex(trace + 1, 32),
      spanId: hex(i + 1, 16),
      parentSpanId: isServer ? '' : hex((i & ~3) + 1, 16),
      name: isServer ? 'GET /products/:id' : 'SELECT products',
      kind: isServer ? ApiKind.SERVER : ApiKind.CLIENT,
      start: [1_795_264_000, startNs],
      end: [1_795_264_000, startNs + 2_500_000],
      attributes,
    }
  })
}

const noLinks: Link[] = []

/** The batch as the OpenTelemetry SDK hands it to an exporter. */
export function sdkBatch(): ReadableSpan[] {
  const resource = resourceFromAttributes(resourceAttributes)
  // One object, as a tracer has: the serializer groups by identity.
  const instrumentationScope = { name: 'bench', version: '1.0.0' }
  return plainSpans().map((span) => ({
    name: span.name,
    kind: span.kind,
    spanContext: () => ({ traceId: span.traceId, spanId: span.spanId, traceFlags: 1 }),
    parentSpanContext: span.parentSpanId
      ? { traceId: span.traceId, spanId: span.parentSpanId, traceFlags: 1 }
      : undefined,
    startTime: span.start,
    endTime: span.end,
    status: { code: SpanStatusCode.UNSET },
    attributes: span.attributes,
    links: noLinks,
    events: [],
    duration: [0, 2_500_000],
    ended: true,
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  })) as unknown as ReadableSpan[]
}

/** The same batch in our span model. */
export function modelBatch(): TracesData {
  const nanos = ([seconds, rest]: HrTime) => BigInt(seconds) * 1_000_000_000n + BigInt(rest)
  const spans = plainSpans().map(
    (span): Span => ({
      traceId: span.traceId,
      spanId: span.spanId,
      traceState: '',
      parentSpanId: span.parentSpanId,
      flags: 0x101,
      name: span.name,
      // The API counts kinds from 0, the protocol from 1.
      kind: (span.kind + 1) as Span['kind'],
      startTimeUnixNano: nanos(span.start),
      endTimeUnixNano: nanos(span.end),
      attributes: keyValues(span.attributes),
      droppedAttributesCount: 0,
      events: [],
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: { code: 0, message: '' },
    }),
  )
  const scope = { name: 'bench', version: '1.0.0', attributes: [], droppedAttributesCount: 0 }
  const resource = { attributes: keyValues(resourceAttributes), droppedAttributesCount: 0 }
  return { resourceSpans: [{ resource, schemaUrl: '', scopeSpans: [{ scope, schemaUrl: '', spans }] }] }
}

function keyValues(attributes: Attributes): KeyValue[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: (typeof value === 'number' ? BigInt(value) : value) as AnyValue,
  }))
}
