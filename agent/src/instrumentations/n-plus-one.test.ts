import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Postgres, postgresMissing, startPostgres } from '../testing/postgres.ts'
import { attributesOf, named, type ReceivedSpan, type Sink, startSink } from '../testing/sink.ts'
import { startApp, type TestApp } from '../testing/test-app.ts'

const missing = postgresMissing()

describe.skipIf(missing !== undefined)(
  `an N+1 on a real PostgreSQL${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let postgres: Postgres
    let sink: Sink
    let app: TestApp

    beforeAll(async () => {
      ;[postgres, sink] = await Promise.all([startPostgres(), startSink()])
      app = await startApp('n-plus-one-app.mjs', {
        ...postgres.env,
        OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
        OTEL_BSP_SCHEDULE_DELAY: '50',
        HOTSPAN_CALL_SITES: '1',
      })
    }, 60_000)
    afterAll(async () => {
      await app?.end('SIGKILL')
      await sink?.close()
      postgres?.stop()
    })

    test.each([
      ['NestJS', '/authors/fr/books', 'GET /authors/:country/books'],
      ['tRPC', '/trpc/authors.books', 'GET /trpc/authors.books'],
    ])(
      '%s: route, statement and place of every query',
      async (_framework, path, name) => {
        expect((await fetch(app.url + path)).status).toBe(200)
        const spans = await sink.until((all) => named(all, name).length === 1)
        const [server] = named(spans, name)
        const queries = spans.filter(({ kind, traceId }) => kind === 3 && traceId === server!.traceId)
        const told = (query: ReceivedSpan): unknown[] => {
          const attributes = attributesOf(query)
          return [attributes['db.query.text'], attributes['code.function.name'], attributes['code.file.path']]
        }
        const file = 'test-apps/n-plus-one-app.mjs'
        const statements = queries.filter((query) => query.name.startsWith('SELECT'))
        expect(statements.map(told)).toEqual([
          ['SELECT id FROM authors', 'booksOfAll', file],
          ...Array.from({ length: 7 }, () => ['SELECT id FROM books WHERE author_id = $1', 'booksOf', file]),
        ])
        const repeated = statements.slice(1)
        expect(new Set(repeated.map(({ parentSpanId }) => parentSpanId)).size).toBe(1)
        expect(new Set(repeated.map((query) => attributesOf(query)['hotspan.db.parameters.hash'])).size).toBe(
          7,
        )
      },
      30_000,
    )
  },
)
