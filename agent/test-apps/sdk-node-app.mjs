// The stock NodeSDK with parts of ours (PARTS: which), an HTTP server, a query and a span by hand through the API.
import {
  HotspanContextManager,
  HotspanInstrumentation,
  HotspanSpanExporter,
  HotspanSpanProcessor,
} from '@hotspan/agent/sdk-node'
import { trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace'

const processors = {
  stock: () => new BatchSpanProcessor({ exporter: new OTLPTraceExporter() }),
  exporter: () => new BatchSpanProcessor({ exporter: new HotspanSpanExporter() }),
  processor: () => new HotspanSpanProcessor(),
}
const processor = processors[process.env.PARTS]()
const sdk = new NodeSDK({
  contextManager: new HotspanContextManager(),
  spanProcessors: [processor],
  instrumentations: [new HotspanInstrumentation({ processors: [processor], callSites: true })],
})
sdk.start()

const { createServer } = await import('node:http')
const { default: Fastify } = await import('fastify')
const app = Fastify({ forceCloseConnections: true })
const tracer = trace.getTracer('by-hand', '2.0')
app.get('/items/:id', async (request) =>
  tracer.startActiveSpan(
    'by hand',
    { attributes: { id: request.params.id, list: ['a', 'b'], ratio: 0.5 } },
    async (span) => {
      span.addEvent('asked', { ok: true })
      span.addLink({ context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 } })
      const answer = await fetch(`http://127.0.0.1:${inner.address().port}/`)
      span.recordException(new TypeError('only recorded'))
      span.end()
      return answer.json()
    },
  ),
)
const inner = createServer((request, response) => response.end(JSON.stringify(request.headers)))
await new Promise((resolve) => inner.listen(0, '127.0.0.1', resolve))
await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${JSON.stringify({ port: app.server.address().port })}\n`)
process.on('SIGUSR2', () =>
  sdk.shutdown().then(() => {
    process.stdout.write(`${JSON.stringify({ shutdown: true, counts: processor.counts ?? null })}\n`)
    process.exit()
  }),
)
