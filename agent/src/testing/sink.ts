import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { decodeTraces, type Resource, type Span } from '@hotspan/otlp'

/** One received span with its resource and scope. */
export interface ReceivedSpan extends Span {
  readonly resource: Resource
  readonly scopeName: string
}

export interface Sink {
  readonly url: string
  readonly spans: ReceivedSpan[]
  /** Headers of each request, in order. */
  readonly requests: Record<string, string | string[] | undefined>[]
  /** Resolves with all spans once `enough` holds; the test's own time limit ends a wait in vain. */
  until(enough: (spans: readonly ReceivedSpan[]) => boolean): Promise<readonly ReceivedSpan[]>
  close(): Promise<void>
}

/** An OTLP/HTTP endpoint that decodes what it gets with the reference decoder. Bodies that do not decode answer 400. */
export async function startSink(): Promise<Sink> {
  const spans: ReceivedSpan[] = []
  const requests: Sink['requests'] = []
  let waiting: (() => void)[] = []
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      requests.push(request.headers)
      const body = Buffer.concat(parts)
      try {
        const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
        for (const { resource, scopeSpans } of decodeTraces(plain).resourceSpans) {
          for (const { scope, spans: received } of scopeSpans) {
            for (const span of received) spans.push({ ...span, resource, scopeName: scope.name })
          }
        }
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
      } catch (error) {
        response.writeHead(400).end(String(error))
      }
      const woken = waiting
      waiting = []
      for (const wake of woken) wake()
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    async until(enough) {
      while (!enough(spans)) await new Promise<void>((resolve) => waiting.push(resolve))
      return spans
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Attributes as an object; 64-bit integers as numbers. */
export const attributesOf = (span: Pick<Span, 'attributes'>): Record<string, unknown> =>
  Object.fromEntries(
    span.attributes.map(({ key, value }) => [key, typeof value === 'bigint' ? Number(value) : value]),
  )

export const named = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan[] =>
  spans.filter((span) => span.name === name)

/** Spans of the app's own tracers: a busy machine may add stalls of the event loop to ours. */
export const byHand = (spans: readonly ReceivedSpan[]): ReceivedSpan[] =>
  spans.filter(({ scopeName }) => scopeName !== '@hotspan/agent')

/** The only span of that name. */
export function only(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = named(spans, name)
  if (found.length !== 1) {
    throw new Error(
      `${found.length} spans are named '${name}'; there are: ${spans.map((span) => span.name).join(', ')}`,
    )
  }
  return found[0]!
}
