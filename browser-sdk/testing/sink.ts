import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import {
  type AnyValue,
  decodeLogsJson,
  decodeTracesJson,
  type KeyValue,
  type LogRecord,
  type Span,
} from '@hotspan/otlp'

export type Flat = Record<string, AnyValue>

export const flat = (attributes: readonly KeyValue[]): Flat =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value]))

export interface Sink {
  readonly origin: string
  /** Spans of acknowledged chunks, each chunk once. */
  spans(): Span[]
  logs(): LogRecord[]
  readonly resources: Flat[]
  readonly bodyBytes: number[]
  /** Chunks that came again with an id that had been acknowledged. */
  repeats: number
  rejected: number
  /** What the sink says from now on. */
  answer: { status: number; headers?: Record<string, string>; delayMs?: number }
  /** What preflights are told; without `content-encoding` the SDK must do without compression. */
  allowHeaders: string
  /** Of the last body that was taken. */
  authorization: string | undefined
  /** Whatever could not be decoded as OTLP/JSON. */
  readonly malformed: unknown[]
  close(): Promise<void>
}

export const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

export const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/** A receiver of OTLP/JSON on an origin of its own, as strict as the reference decoder. */
export const openSink = async (): Promise<Sink> => {
  const spans: Span[] = []
  const logs: LogRecord[] = []
  const seen = new Set<string>()
  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-headers', sink.allowHeaders)
    if (request.method === 'OPTIONS') return response.writeHead(204).end()
    const { pathname, searchParams } = new URL(request.url!, 'http://sink')
    const sent = await readBody(request).catch(() => undefined)
    if (!sent) return
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
    const { status, headers, delayMs } = sink.answer
    if (delayMs) await new Promise((resolve) => setTimeout(resolve, delayMs))
    if (status === 200) {
      sink.authorization = request.headers.authorization
      sink.bodyBytes.push(body.length)
      const chunk = searchParams.get('chunk')!
      if (seen.has(chunk)) sink.repeats++
      else
        try {
          if (!/^[\da-f]{16}$/.test(chunk)) throw new Error(`chunk id ${chunk}`)
          seen.add(chunk)
          if (pathname === '/v1/traces')
            for (const { resource, scopeSpans } of decodeTracesJson(body).resourceSpans) {
              sink.resources.push(flat(resource.attributes))
              for (const scope of scopeSpans) spans.push(...scope.spans)
            }
          else if (pathname === '/v1/logs')
            for (const { scopeLogs } of decodeLogsJson(body).resourceLogs)
              for (const scope of scopeLogs) logs.push(...scope.logRecords)
          else throw new Error(`path ${pathname}`)
        } catch (error) {
          sink.malformed.push(error)
        }
    } else sink.rejected++
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{}')
  })
  const sink: Sink = {
    origin: await listen(server),
    spans: () => spans,
    logs: () => logs,
    resources: [],
    bodyBytes: [],
    repeats: 0,
    rejected: 0,
    answer: { status: 200 },
    allowHeaders: 'content-type, content-encoding',
    authorization: undefined,
    malformed: [],
    close: () => closeServer(server),
  }
  return sink
}
