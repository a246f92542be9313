import { Agent, get, request } from 'node:http'
import { connect } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Postgres, postgresMissing, startPostgres } from './testing/postgres.ts'
import { attributesOf, byHand, named, only, type ReceivedSpan, type Sink, startSink } from './testing/sink.ts'
import { startApp, type TestApp } from './testing/test-app.ts'

const BROWSER = { 'user-agent': 'Mozilla/5.0 (test)' }

let postgres: Postgres
let sink: Sink
let app: TestApp | undefined

beforeEach(async () => {
  sink = await startSink()
})
afterEach(async () => {
  await app?.end('SIGKILL')
  app = undefined
  await sink.close()
})

/** Attributes without the ephemeral ones. */
function stable(span: ReceivedSpan): Record<string, unknown> {
  const { 'network.peer.port': _port, ...rest } = attributesOf(span)
  return rest
}

const childrenOf = (spans: readonly ReceivedSpan[], parent: ReceivedSpan): ReceivedSpan[] =>
  spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId)

async function ask(url: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { headers })
}

describe.skipIf(postgresMissing() !== undefined)('with a real PostgreSQL', () => {
  beforeAll(async () => {
    postgres = await startPostgres()
    const client = new pg.Client({
      host: postgres.host,
      port: postgres.port,
      user: 'postgres',
      database: 'postgres',
    })
    await client.connect()
    await client.query(
      "CREATE TABLE items AS SELECT i AS id, 'item ' || i AS name FROM generate_series(1, 37) i",
    )
    await client.end()
  }, 60_000)
  afterAll(() => postgres?.stop())

  const start = async (file: string, env: Record<string, string> = {}): Promise<TestApp> => {
    app = await startApp(file, { ...postgres.env, OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env })
    return app
  }

  const portOf = (url: string): number => Number(new URL(url).port)

  describe('a Fastify app (ESM)', () => {
    test('a request with a query gives exactly these two spans', async () => {
      const { url } = await start('fastify-pg.mjs', { HOTSPAN_CALL_SITES: '1' })
      await ask(`${url}/items/3?secret=hunter2`)
      const spans = await sink.until((all) => named(all, 'GET /items/:id').length === 1)
      const server = only(spans, 'GET /items/:id')
      const query = only(childrenOf(spans, server), 'SELECT items')
      expect({ ...server, attributes: stable(server) }).toMatchObject({
        kind: 2,
        parentSpanId: '',
        flags: 0x101,
        traceState: 'ot=th:0',
        scopeName: '@hotspan/agent',
        status: { code: 0, message: '' },
        attributes: {
          'http.request.method': 'GET',
          'url.scheme': 'http',
          'url.path': '/items/3',
          'url.query': 'secret=REDACTED',
          'server.address': '127.0.0.1',
          'server.port': portOf(url),
          'client.address': '127.0.0.1',
          'network.peer.address': '127.0.0.1',
          'network.protocol.version': '1.1',
          'user_agent.original': 'node',
          'http.route': '/items/:id',
          'http.response.status_code': 200,
        },
      })
      expect(Object.keys(stable(server))).toHaveLength(12)
      expect({ ...query, attributes: attributesOf(query) }).toMatchObject({
        kind: 3,
        traceId: server.traceId,
        flags: 0x101,
        attributes: {
          'db.system.name': 'postgresql',
          'db.namespace': 'postgres',
          'server.address': '127.0.0.1',
          'server.port': postgres.port,
          'db.query.text': 'SELECT id, name FROM items WHERE id = $1',
          'db.query.summary': 'SELECT items',
          'db.operation.name': 'SELECT',
          'db.response.returned_rows': 1,
          'hotspan.db.parameters.hash': expect.stringMatching(/^[0-9a-f]{16}$/),
          'code.function.name': 'loadItem',
          'code.file.path': 'test-apps/fastify-pg.mjs',
          'code.line.number': expect.any(Number),
        },
      })
      expect(Object.keys(attributesOf(query))).toHaveLength(12)
      expect(query.startTimeUnixNano >= server.startTimeUnixNano).toBe(true)
      expect(query.endTimeUnixNano <= server.endTimeUnixNano).toBe(true)
      const resource = attributesOf(server.resource)
      expect(resource).toMatchObject({
        'service.name': 'test-app',
        'telemetry.sdk.name': 'hotspan',
        'process.pid': app!.child.pid,
        'process.creation.time': expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      })
    })

    test('equal parameters have equal hashes, others do not; literals are scrubbed but counted', async () => {
      const { url } = await start('fastify-pg.mjs')
      for (const id of [3, 3, 4]) await ask(`${url}/items/${id}`)
      await ask(`${url}/callback/5`)
      const spans = await sink.until(
        (all) => named(all, 'GET /items/:id').length === 3 && named(all, 'GET /callback/:id').length === 1,
      )
      const hashes = named(spans, 'GET /items/:id').map(
        (server) =>
          attributesOf(only(childrenOf(spans, server), 'SELECT items'))['hotspan.db.parameters.hash'],
      )
      expect(hashes[0]).toBe(hashes[1])
      expect(hashes[2]).not.toBe(hashes[0])
      const callback = only(childrenOf(spans, only(spans, 'GET /callback/:id')), 'SELECT items')
      expect(attributesOf(callback)).toMatchObject({
        'db.query.text': 'SELECT name FROM items WHERE id = $1 AND name <> ?',
        'db.response.returned_rows': 1,
      })
      expect(JSON.stringify(attributesOf(callback))).not.toContain('secret')
    })

    test('a cursor read in pages is one span with all its rows', async () => {
      const { url } = await start('fastify-pg.mjs')
      await ask(`${url}/cursor`)
      const spans = await sink.until((all) => named(all, 'GET /cursor').length === 1)
      const children = childrenOf(spans, only(spans, 'GET /cursor'))
      const cursor = only(children, 'SELECT items')
      expect(attributesOf(cursor)).toMatchObject({
        'db.query.text': 'SELECT id FROM items ORDER BY id',
        'db.response.returned_rows': 37,
      })
      expect(children.filter(({ name }) => name.startsWith('SELECT'))).toHaveLength(1)
    })

    test('a failing query is an error with its code, and so is its request', async () => {
      const { url } = await start('fastify-pg.mjs')
      const answer = await ask(`${url}/failing`)
      expect(answer.status).toBe(500)
      const spans = await sink.until((all) => named(all, 'GET /failing').length === 1)
      const server = only(spans, 'GET /failing')
      const query = only(childrenOf(spans, server), 'SELECT missing_table')
      expect(server.status.code).toBe(2)
      expect(attributesOf(server)).toMatchObject({ 'http.response.status_code': 500, 'error.type': '500' })
      expect(query.status).toEqual({ code: 2, message: 'relation "missing_table" does not exist' })
      expect(attributesOf(query)).toMatchObject({ 'db.response.status_code': '42P01', 'error.type': '42P01' })
    })

    test('fetch is a client span, and the called service continues the trace', async () => {
      const { url } = await start('fastify-pg.mjs')
      await ask(`${url}/outgoing?token=hunter2`)
      const spans = await sink.until((all) => named(all, 'GET /outgoing').length === 1)
      const outer = only(spans, 'GET /outgoing')
      const client = only(childrenOf(spans, outer), 'GET')
      const inner = only(childrenOf(spans, client), 'GET /hello')
      expect(new Set([outer.traceId, client.traceId, inner.traceId]).size).toBe(1)
      expect(inner.flags).toBe(0x301)
      expect(client.kind).toBe(3)
      expect(stable(client)).toEqual({
        'http.request.method': 'GET',
        'url.full': `${url}/hello?token=REDACTED`,
        'url.scheme': 'http',
        'url.path': '/hello',
        'url.query': 'token=REDACTED',
        'server.address': '127.0.0.1',
        'server.port': portOf(url),
        'user_agent.original': 'node',
        'network.peer.address': '127.0.0.1',
        'network.protocol.version': '1.1',
        'http.response.status_code': 200,
      })
    })

    test('a remote parent is continued: ids, flags, tracestate, sampling', async () => {
      const { url } = await start('fastify-pg.mjs')
      const traceId = '0af7651916cd43dd8448eb211c80319c'
      const kept = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: 'ot=th:0,other=1' }
      await ask(`${url}/items/1`, kept)
      await ask(`${url}/items/2`, { traceparent: `00-${traceId}-b7ad6b7169203332-00` })
      await ask(`${url}/items/3`, { traceparent: `00-${traceId.toUpperCase()}-b7ad6b7169203331-01` })
      const spans = await sink.until((all) => named(all, 'GET /items/:id').length === 2)
      const [first, last] = named(spans, 'GET /items/:id')
      expect(first).toMatchObject({
        traceId,
        parentSpanId: 'b7ad6b7169203331',
        flags: 0x301,
        traceState: 'ot=th:0,other=1',
      })
      expect(attributesOf(last!)['url.path']).toBe('/items/3')
      expect(last!.parentSpanId).toBe('')
      expect(last!.traceId).not.toBe(traceId)
    })

    test('1,000 concurrent requests: every query belongs to its own request', async () => {
      const { url } = await start('fastify-pg.mjs')
      const total = 1000
      const agent = new Agent({ keepAlive: true, maxSockets: 100 })
      const one = (id: number): Promise<void> =>
        new Promise((resolve, reject) => {
          const path = id % 2 === 0 ? `/items/${id}` : `/callback/${(id % 37) + 1}?n=${id}`
          get(`${url}${path}`, { agent, headers: { traceparent: traceParentOf(id) } }, (response) => {
            response.resume()
            response.on('end', resolve)
          }).on('error', reject)
        })
      const traceParentOf = (id: number): string =>
        `00-${String(id + 1).padStart(32, '0')}-00f067aa0ba902b7-01`
      await Promise.all(Array.from({ length: total }, (_, id) => one(id)))
      agent.destroy()
      const spans = await sink.until((all) => all.filter(({ kind }) => kind === 2).length === total)
      const servers = new Map(spans.filter(({ kind }) => kind === 2).map((span) => [span.spanId, span]))
      const queries = spans.filter(({ name }) => name === 'SELECT items')
      expect(queries).toHaveLength(total)
      const asked = new Set<string>()
      for (const query of spans.filter(({ kind, parentSpanId }) => kind === 3 && parentSpanId !== '')) {
        const parent = servers.get(query.parentSpanId)
        expect(parent?.traceId).toBe(query.traceId)
        if (query.name === 'SELECT items') asked.add(query.parentSpanId)
      }
      expect(asked.size).toBe(total)
      for (const [, server] of servers) {
        expect(server.parentSpanId).toBe('00f067aa0ba902b7')
      }
    }, 60_000)

    test('requests on one kept connection, and pipelined ones, are each their own trace', async () => {
      const { url } = await start('fastify-pg.mjs')
      const socket = connect(portOf(url), '127.0.0.1')
      let received = ''
      socket.on('data', (part) => {
        received += part
      })
      const requestOf = (id: number): string => `GET /items/${id} HTTP/1.1\r\nHost: x\r\n\r\n`
      socket.write(requestOf(1) + requestOf(2) + requestOf(3))
      await sink.until((all) => named(all, 'GET /items/:id').length === 3)
      socket.write(requestOf(4))
      const spans = await sink.until((all) => named(all, 'GET /items/:id').length === 4)
      socket.destroy()
      expect(received.match(/HTTP\/1.1 200/g)).toHaveLength(4)
      const servers = named(spans, 'GET /items/:id')
      expect(new Set(servers.map(({ traceId }) => traceId)).size).toBe(4)
      for (const server of servers) {
        expect(server.parentSpanId).toBe('')
        expect(childrenOf(spans, server).filter(({ name }) => name === 'SELECT items')).toHaveLength(1)
      }
    })

    test('a client that goes away leaves a span that says so', async () => {
      const { url } = await start('fastify-pg.mjs')
      const call = request(`${url}/slow`)
      call.on('error', () => {})
      call.end()
      await app!.printed((line) => line.slow === 'begun')
      call.destroy()
      const spans = await sink.until((all) => named(all, 'GET /slow').length === 1)
      const server = only(spans, 'GET /slow')
      expect(attributesOf(server)).toMatchObject({ 'hotspan.ended_by': 'abort', 'http.route': '/slow' })
      expect(attributesOf(server)).not.toHaveProperty('http.response.status_code')
    })

    test('an exhausted pool: the wait is a span of the request that waited', async () => {
      const { url } = await start('fastify-pg.mjs', { POOL_MAX: '1' })
      await Promise.all([ask(`${url}/slow`), ask(`${url}/slow`), ask(`${url}/slow`)])
      const spans = await sink.until((all) => named(all, 'GET /slow').length === 3)
      const waits = named(spans, 'GET /slow').flatMap((server) => {
        const children = childrenOf(spans, server)
        expect(only(children, 'SELECT').parentSpanId).toBe(server.spanId)
        // Each query holds the only connection for 300 ms; shorter waits are the machine's.
        return named(children, 'pg-pool.connect').filter(
          ({ startTimeUnixNano, endTimeUnixNano }) => endTimeUnixNano - startTimeUnixNano > 200_000_000n,
        )
      })
      expect(waits).toHaveLength(2)
      expect(attributesOf(waits[0]!)).toEqual({
        'db.system.name': 'postgresql',
        'db.namespace': 'postgres',
        'server.address': '127.0.0.1',
        'server.port': postgres.port,
        'db.postgresql.idle.timeout.millis': 10_000,
      })
    })

    test.each(['00', '01'])(
      "a query's callback runs in its caller's trace, sampled or not (flags %s)",
      async (flags) => {
        const { url } = await start('fastify-pg.mjs', { POOL_MAX: '2' })
        const answers = await Promise.all(
          Array.from({ length: 20 }, async (_, i) => {
            const traceId = String(i + 1).padStart(32, '0')
            const answer = await ask(`${url}/context`, {
              traceparent: `00-${traceId}-00f067aa0ba902b7-${flags}`,
            })
            return (await answer.json()) as { asked: string; active: string }
          }),
        )
        for (const { asked, active } of answers) {
          expect(active.slice(0, 36)).toBe(asked.slice(0, 36))
          expect(active.slice(-2)).toBe(flags)
        }
      },
    )

    test('Server-Timing goes to browsers and names the trace', async () => {
      const { url } = await start('fastify-pg.mjs')
      const answer = await ask(`${url}/hello`, BROWSER)
      const plain = await ask(`${url}/hello`)
      const spans = await sink.until((all) => named(all, 'GET /hello').length === 2)
      const [server] = named(spans, 'GET /hello')
      expect(answer.headers.get('server-timing')).toBe(
        `traceparent;desc="00-${server!.traceId}-${server!.spanId}-01"`,
      )
      expect(plain.headers.get('server-timing')).toBeNull()
    })

    test('switched off, the app runs as without the agent', async () => {
      const { url } = await start('fastify-pg.mjs', { HOTSPAN_DISABLED: '1' })
      const answer = await ask(`${url}/items/3`, BROWSER)
      expect(await answer.json()).toEqual({ id: 3, name: 'item 3' })
      expect(answer.headers.get('server-timing')).toBeNull()
      expect((await app!.end()).signal).toBe('SIGTERM')
      expect(sink.requests).toHaveLength(0)
    })

    test('a sampled share carries its threshold; unsampled requests still pass the trace on', async () => {
      const { url } = await start('fastify-pg.mjs', {
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.25',
      })
      for (let i = 0; i < 100; i++) await ask(`${url}/outgoing`)
      await app!.end()
      const outer = named(sink.spans, 'GET /outgoing')
      expect(outer.length).toBeGreaterThan(5)
      expect(outer.length).toBeLessThan(60)
      for (const span of sink.spans) {
        expect(span.traceState).toBe('ot=th:c')
        expect(span.traceId.slice(-14) >= 'c0000000000000').toBe(true)
      }
      expect(named(sink.spans, 'GET /hello')).toHaveLength(outer.length)
    })
  })

  describe('a CommonJS app with http, http.get and manual spans', () => {
    test('the whole tree', async () => {
      const { url } = await start('cjs-app.cjs')
      const text = await (await ask(`${url}/`)).text()
      const spans = await sink.until((all) =>
        all.some(({ name, parentSpanId }) => name === 'GET' && parentSpanId === ''),
      )
      const outer = spans.find(({ kind, parentSpanId }) => kind === 2 && parentSpanId === '')!
      const manual = only(childrenOf(spans, outer), 'by hand')
      const query = only(childrenOf(spans, manual), 'SELECT')
      const client = childrenOf(spans, manual).find(({ kind, name }) => kind === 3 && name === 'GET')!
      const inner = childrenOf(spans, client)[0]!
      expect(query.kind).toBe(3)
      expect(inner).toMatchObject({ kind: 2, flags: 0x301, traceId: outer.traceId })
      expect(JSON.parse(text).headers.traceparent).toBe(`00-${outer.traceId}-${client.spanId}-01`)
      expect(JSON.parse(text).headers.tracestate).toBe('ot=th:0')
      expect(stable(client)).toMatchObject({
        'http.request.method': 'GET',
        'url.full': `${url}/inner`,
        'server.address': '127.0.0.1',
        'server.port': portOf(url),
        'http.response.status_code': 200,
        'network.peer.address': '127.0.0.1',
      })
      expect(manual).toMatchObject({ scopeName: 'shop', kind: 1, status: { code: 2, message: 'by hand' } })
      expect(attributesOf(manual)).toEqual({ step: 1, rows: 1 })
      expect(manual.events.map(({ name }) => name)).toEqual(['queried', 'exception'])
      expect(attributesOf(manual.events[1]!)).toMatchObject({
        'exception.type': 'TypeError',
        'exception.message': 'only recorded',
      })
    })

    test('baggage and tracestate are passed on', async () => {
      const { url } = await start('cjs-app.cjs')
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
      const answer = await ask(`${url}/baggage`, {
        traceparent,
        tracestate: 'x=1',
        baggage: 'tenant=a%20b,k=v',
      })
      const { tenant, outgoing } = (await answer.json()) as {
        tenant: string
        outgoing: Record<string, string>
      }
      expect(tenant).toBe('a b')
      expect(outgoing.baggage).toBe('tenant=a%20b,k=v')
      expect(outgoing.tracestate).toBe('x=1')
      expect(outgoing.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/)
    })
  })
})

describe('routers and clients without a database', () => {
  test('Express: the route of a nested router, and userland undici as a client', async () => {
    app = await startApp('express-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url })
    await ask(`${app.url}/outer/7`)
    await ask(`${app.url}/nowhere`)
    const spans = await sink.until((all) => all.filter(({ kind }) => kind === 2).length === 3)
    const outer = only(spans, 'GET /outer/:id')
    const client = only(childrenOf(spans, outer), 'GET')
    const inner = only(childrenOf(spans, client), 'GET /api/v1/items/:id')
    expect(attributesOf(inner)).toMatchObject({
      'http.route': '/api/v1/items/:id',
      'url.path': '/api/v1/items/7',
    })
    const missing = spans.find((span) => attributesOf(span)['http.response.status_code'] === 404)!
    expect(missing.name).toBe('GET')
    expect(missing.status.code).toBe(0)
  })
})

describe('threads and the end of a process', () => {
  test('a worker thread is traced, and both flush when they end by themselves', async () => {
    app = await startApp('worker-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url })
    expect(await app.ended).toEqual({ code: 0, signal: null })
    const worker = only(sink.spans, 'worker')
    // The first, or the second where our loader has to be a thread.
    const { thread } = attributesOf(worker)
    expect([1, 2]).toContain(thread)
    expect(attributesOf(worker.resource)['thread.id']).toBe(thread)
    expect(attributesOf(only(sink.spans, 'main').resource)).not.toHaveProperty('thread.id')
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends a plain server, and nothing is lost', async (signal) => {
    app = await startApp('end-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url })
    expect(await app.end(signal)).toEqual({ code: null, signal })
    expect(byHand(sink.spans).map(({ name }) => name)).toEqual(['span 0', 'span 1', 'span 2'])
  })

  test("an app's own SIGTERM handler decides when the process ends", async () => {
    app = await startApp('end-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ON_SIGNAL: 'close' })
    expect(await app.end()).toEqual({ code: 0, signal: null })
    expect(byHand(sink.spans)).toHaveLength(3)
  })

  test('an endpoint that is down delays the end by the deadline at most', async () => {
    await sink.close()
    app = await startApp('end-app.mjs', {
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      HOTSPAN_FLUSH_DEADLINE_MS: '200',
    })
    expect(await app.end()).toEqual({ code: null, signal: 'SIGTERM' })
    expect(app.stderr()).not.toContain('at ')
  })
})
