import { ROOT_CONTEXT, SpanKind, type Tracer, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { start, stats, stop } from '../../agent/dist/index.js'

/** A tracer with everything behind it up to the socket. */
export interface SpanPath {
  readonly tracer: Tracer
  /** Resolves when all that was made has been sent. */
  drain(): Promise<void>
  close(): Promise<void>
}

/** As its documentation recommends for production: batch processor, OTLP protobuf; queue large enough that nothing is dropped. */
export function stockPath(endpoint: string): SpanPath {
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces` })
  const processor = new BatchSpanProcessor({ exporter, maxQueueSize: 65_536, maxExportBatchSize: 512 })
  const resource = resourceFromAttributes({ 'service.name': 'bench' })
  const provider = new TracerProvider({ resource, spanProcessors: [processor] })
  return {
    tracer: provider.getTracer('bench', '1.0.0'),
    drain: () => provider.forceFlush(),
    close: () => provider.shutdown(),
  }
}

export function hotspanPath(endpoint: string): SpanPath {
  // Only the core is measured: no instrumentation may add spans of its own.
  const without = ['http-server', 'fastify', 'undici', 'pg', 'onnxruntime', 'event-loop', 'server-timing']
  if (!start({ endpoint, service: 'bench', without })) throw new Error('the agent did not start')
  return {
    tracer: trace.getTracer('bench', '1.0.0'),
    async drain() {
      while (stats().spans.queued > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    close: stop,
  }
}

/** One trace as in the codec's batch: a server span and three queries. */
export function makeTrace(tracer: Tracer, index: number): void {
  const server = tracer.startSpan(
    'GET /products/:id',
    {
      kind: SpanKind.SERVER,
      attributes: {
        'http.request.method': 'GET',
        'url.scheme': 'http',
        'url.path': `/products/${index}`,
        'url.query': 'page=1',
        'server.address': '127.0.0.1',
        'server.port': 3000,
        'network.protocol.version': '1.1',
        'network.peer.address': '127.0.0.1',
        'network.peer.port': 40_000 + (index % 1000),
        'client.address': '127.0.0.1',
        'user_agent.original':
          'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156',
      },
    },
    ROOT_CONTEXT,
  )
  const inside = trace.setSpan(ROOT_CONTEXT, server)
  for (let i = 0; i < 3; i++) {
    const query = tracer.startSpan(
      'SELECT products',
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'db.system.name': 'postgresql',
          'db.namespace': 'shop',
          'db.query.text': 'SELECT id, name, price FROM products WHERE category_id = $1 ORDER BY id LIMIT 20',
          'db.query.summary': 'SELECT products',
          'db.operation.name': 'SELECT',
          'server.address': '127.0.0.1',
          'server.port': 5432,
        },
      },
      inside,
    )
    query.setAttribute('db.response.returned_rows', 20)
    query.end()
  }
  server.setAttribute('http.route', '/products/:id')
  server.setAttribute('http.response.status_code', 200)
  server.end()
}
