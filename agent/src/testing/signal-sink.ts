import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import {
  decodeLogs,
  decodeMetrics,
  decodeTraces,
  type LogRecord,
  type Metric,
  type Resource,
  type Span,
} from '@hotspan/otlp'

export interface SignalSink {
  readonly url: string
  readonly spans: Span[]
  readonly logs: (LogRecord & { readonly resource: Resource; readonly scopeName: string })[]
  /** Each export of metrics, in order. */
  readonly metrics: { readonly resource: Resource; readonly metrics: readonly Metric[] }[]
  /** Status that the next requests get; 200 unless set. */
  answer: number
  until(enough: (sink: SignalSink) => boolean): Promise<SignalSink>
  close(): Promise<void>
}

/** An OTLP/HTTP endpoint of all three signals, read by the reference decoders. */
export async function startSignalSink(): Promise<SignalSink> {
  let waiting: (() => void)[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const whole = Buffer.concat(parts)
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole
      if (sink.answer === 200) receive(request.url ?? '', body)
      response.writeHead(sink.answer).end()
      const woken = waiting
      waiting = []
      for (const wake of woken) wake()
    })
  })
  const receive = (url: string, body: Uint8Array): void => {
    if (url === '/v1/traces') {
      for (const { scopeSpans } of decodeTraces(body).resourceSpans)
        for (const { spans } of scopeSpans) sink.spans.push(...spans)
    } else if (url === '/v1/logs') {
      for (const { resource, scopeLogs } of decodeLogs(body).resourceLogs)
        for (const { scope, logRecords } of scopeLogs)
          for (const record of logRecords) sink.logs.push({ ...record, resource, scopeName: scope.name })
    } else if (url === '/v1/metrics') {
      for (const { resource, scopeMetrics } of decodeMetrics(body).resourceMetrics)
        sink.metrics.push({ resource, metrics: scopeMetrics.flatMap(({ metrics }) => metrics) })
    }
  }
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const sink: SignalSink = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    logs: [],
    metrics: [],
    answer: 200,
    async until(enough) {
      while (!enough(sink)) await new Promise<void>((resolve) => waiting.push(resolve))
      return sink
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return sink
}
