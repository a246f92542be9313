import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { decodeTraces, decodeTracesJson, type KeyValue, type Span, type TracesData } from '@hotspan/otlp'

export interface ReceivedSpan {
  readonly service: string
  readonly name: string
  readonly traceId: string
  readonly startNs: bigint
  readonly endNs: bigint
  readonly attributes: Readonly<Record<string, unknown>>
  readonly events: readonly {
    readonly name: string
    readonly attributes: Readonly<Record<string, unknown>>
  }[]
}

export interface TelemetryReceiver {
  readonly url: string
  readonly spans: readonly ReceivedSpan[]
  close(): Promise<void>
}

const plain = (pairs: readonly KeyValue[]): Record<string, unknown> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, typeof value === 'bigint' ? Number(value) : value]))

function received(service: string, span: Span): ReceivedSpan {
  return {
    service,
    name: span.name,
    traceId: String(span.traceId),
    startNs: span.startTimeUnixNano,
    endNs: span.endTimeUnixNano,
    attributes: plain(span.attributes),
    events: span.events.map((event) => ({ name: event.name, attributes: plain(event.attributes) })),
  }
}

function spansOf(data: TracesData): ReceivedSpan[] {
  return data.resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(plain(resource?.attributes ?? [])['service.name'])
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => received(service, span)))
  })
}

/** An OTLP/HTTP receiver that keeps the spans that it gets, from Node and from the browser. */
export async function receiveTelemetry(): Promise<TelemetryReceiver> {
  const spans: ReceivedSpan[] = []
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-headers', '*')
    const isJson = request.headers['content-type']?.includes('json') ?? false
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.method === 'POST' && request.url?.startsWith('/v1/traces')) {
        const sent = Buffer.concat(chunks)
        const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
        spans.push(...spansOf(isJson ? decodeTracesJson(body.toString()) : decodeTraces(body)))
      }
      response.setHeader('content-type', isJson ? 'application/json' : 'application/x-protobuf')
      response.end(isJson ? '{}' : undefined)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`,
    spans,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
