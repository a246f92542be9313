import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { execute, type Postgres, postgresMissing, startPostgres } from './testing/postgres.ts'
import { attributesOf, type ReceivedSpan, startSink } from './testing/sink.ts'
import { startApp } from './testing/test-app.ts'

// Two processes after one another: a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 })

const isMissing = postgresMissing()
let postgres: Postgres
beforeAll(async () => {
  if (isMissing !== undefined) return
  postgres = await startPostgres()
  await execute(
    postgres,
    "CREATE TABLE items AS SELECT i AS id, 'item ' || i AS name FROM generate_series(1, 37) i",
  )
}, 60_000)
afterAll(() => postgres?.stop())
beforeEach((context) => context.skip(isMissing !== undefined, isMissing))

/** Without cursors, of which stock makes no spans. */
const PATHS = ['/hello', '/items/3', '/callback/3', '/failing', '/outgoing', '/nowhere']

/** Spans by the request that they belong to: the second one of each path, when connections are open. */
async function spansByPath(agent: boolean): Promise<Map<string, ReceivedSpan[]>> {
  const sink = await startSink()
  const app = await startApp(
    'fastify-pg.mjs',
    {
      ...postgres.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_SEMCONV_STABILITY_OPT_IN: 'http,database',
      HOTSPAN_POOL_WAIT_MS: '0',
    },
    agent ? {} : { agent: false, nodeArgs: ['--import', './test-apps/stock-server.mjs'] },
  )
  for (let i = 0; i < 2; i++) for (const path of PATHS) await (await fetch(app.url + path)).text()
  await app.end()
  await sink.close()
  return new Map(
    PATHS.map((path) => {
      const roots = sink.spans.filter(
        (span) => span.kind === 2 && span.parentSpanId === '' && attributesOf(span)['url.path'] === path,
      )
      roots.sort((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano))
      const { traceId } = roots.at(-1)!
      const inTrace = sink.spans.filter((span) => span.traceId === traceId)
      return [path, inTrace.filter(({ name }) => !OTHER_SPANS.has(name))]
    }),
  )
}

/** A stall of a busy machine, and what opening a connection is called below the wait for it. */
const OTHER_SPANS = new Set(['event_loop.stall', 'pg.connect'])

/** What ours say beyond stock, and what stock says in other words; everything else has to be the same. */
const OTHERWISE = new Set([
  // Stock has no route for Fastify, which belongs to the name too.
  'http.route',
  // More than stock tells.
  ...['db.query.summary', 'db.operation.name', 'db.response.returned_rows', 'db.response.status_code'],
  ...['error.type', 'hotspan.db.parameters.hash'],
  // Stock writes an empty one, repeats a standard method, and leaves literals and values in.
  ...['url.query', 'http.request.method_original', 'db.query.text', 'url.full'],
  // The system's choice.
  ...['server.port', 'network.peer.port', 'client.port'],
])

/** A span without ids, times and ports. */
function view(span: ReceivedSpan, all: readonly ReceivedSpan[]): string {
  const attributes = attributesOf(span)
  const isQuery = 'db.query.text' in attributes
  const parent = all.find(({ spanId }) => spanId === span.parentSpanId)
  const kept = Object.entries(attributes).filter(([key]) => !OTHERWISE.has(key))
  return JSON.stringify({
    // Ours have the route or the summary in their names.
    name: isQuery ? 'query' : span.name.split(' ')[0],
    kind: span.kind,
    parent: parent === undefined ? 'none' : parent.kind,
    flags: span.flags,
    status: span.status.code,
    attributes: kept.sort(([a], [b]) => (a < b ? -1 : 1)),
    texts: Object.keys(attributes)
      .filter((key) => ['db.query.text', 'url.full', 'server.port'].includes(key))
      .sort(),
  })
}

test('HTTP server, fetch and pg: the same spans as the stock packages make of the same requests', async () => {
  const ours = await spansByPath(true)
  const stock = await spansByPath(false)
  for (const path of PATHS) {
    const views = (spans: readonly ReceivedSpan[]): string[] => spans.map((span) => view(span, spans)).sort()
    expect(views(ours.get(path)!), path).toEqual(views(stock.get(path)!))
  }
})
