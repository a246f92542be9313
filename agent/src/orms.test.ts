import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { execute, type Postgres, postgresMissing, startPostgres } from './testing/postgres.ts'
import { attributesOf, named, only, type ReceivedSpan, type Sink, startSink } from './testing/sink.ts'
import { startApp, type TestApp } from './testing/test-app.ts'

const missing = postgresMissing()

describe('ORMs on a real PostgreSQL', () => {
  let postgres: Postgres | undefined
  let sink: Sink
  let app: TestApp | undefined

  beforeEach((context) => context.skip(missing !== undefined, missing))
  beforeAll(async () => {
    if (missing !== undefined) return
    postgres = await startPostgres()
    await execute(
      postgres,
      "CREATE TABLE authors AS SELECT i AS id, 'author ' || i AS name FROM generate_series(1, 20) i",
      "CREATE TABLE books AS SELECT i AS id, 'book ' || i AS title, i % 20 + 1 AS author_id FROM generate_series(1, 100) i",
    )
  }, 60_000)
  afterAll(() => postgres?.stop())
  beforeEach(async () => {
    sink = await startSink()
  })
  afterEach(async () => {
    await app?.end('SIGKILL')
    app = undefined
    await sink?.close()
  })

  const env = (more: Record<string, string>): Record<string, string> => ({
    ...postgres?.env,
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    HOTSPAN_DISABLED_INSTRUMENTATIONS: 'event-loop',
    ...more,
  })

  /** Queries of the request to `path`, in order of their start, waits for connections left out. */
  async function queriesOf(path: string, route: string): Promise<ReceivedSpan[]> {
    const answer = await fetch(`${app!.url}${path}`)
    expect(answer.status).toBe(200)
    const spans = await sink.until((all) => named(all, `GET ${route}`).length === 1)
    const server = only(spans, `GET ${route}`)
    return spans
      .filter(({ parentSpanId, name }) => parentSpanId === server.spanId && !name.includes('connect'))
      .sort((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano))
  }

  const site = (span: ReceivedSpan): string => {
    const { 'code.file.path': file, 'code.function.name': name } = attributesOf(span)
    return `${file} ${name}`
  }

  const APP = 'test-apps/orm-app.mjs'

  test('Drizzle: route, statement, and the app function that awaited the query', async () => {
    app = await startApp('orm-app.mjs', env({ HOTSPAN_CALL_SITES: '1' }))
    const [one] = await queriesOf('/drizzle/authors/3', '/drizzle/authors/:id')
    expect(attributesOf(one!)).toMatchObject({
      'db.query.text': 'select "id", "name" from "authors" where "authors"."id" = $1',
      'db.query.summary': 'SELECT authors',
      'db.response.returned_rows': 1,
      'code.line.number': expect.any(Number),
    })
    expect(site(one!)).toBe(`${APP} drizzleAuthor`)
    const many = await queriesOf('/drizzle/authors?count=7', '/drizzle/authors')
    expect(many.map(({ name }) => name)).toEqual(['SELECT authors', ...Array(7).fill('SELECT books')])
    expect(many.map(site)).toEqual([`${APP} drizzleAuthors`, ...Array(7).fill(`${APP} drizzleBooks`)])
    expect(new Set(many.slice(1).map((span) => attributesOf(span)['hotspan.db.parameters.hash'])).size).toBe(
      7,
    )
    const writes = await queriesOf('/drizzle/writes', '/drizzle/writes')
    expect(writes.map(({ name }) => name)).toEqual([
      'BEGIN',
      'INSERT books',
      'UPDATE books',
      'DELETE books',
      'COMMIT',
    ])
    for (const write of writes.slice(1, 4)) expect(site(write)).toMatch(/^test-apps\/orm-app\.mjs /)
  })

  test('Prisma: route, statement, and the app function, through its batches and transactions', async () => {
    app = await startApp('orm-app.mjs', env({ HOTSPAN_CALL_SITES: '1' }))
    const [one] = await queriesOf('/prisma/authors/3', '/prisma/authors/:id')
    expect(attributesOf(one!)).toMatchObject({
      'db.query.text': expect.stringMatching(/^SELECT .* FROM "public"\."authors" WHERE .*"id" = \$1/),
      'db.query.summary': 'SELECT public.authors',
      'db.response.returned_rows': 1,
      'code.line.number': expect.any(Number),
    })
    expect(site(one!)).toBe(`${APP} prismaAuthor`)
    const many = await queriesOf('/prisma/authors?count=7', '/prisma/authors')
    expect(many.map(({ name }) => name)).toEqual([
      'SELECT public.authors',
      ...Array(7).fill('SELECT public.books'),
    ])
    expect(many.map(site)).toEqual([`${APP} prismaAuthors`, ...Array(7).fill(`${APP} prismaBooks`)])
    // Three look-ups that begin together are one statement.
    const batch = await queriesOf('/prisma/batch', '/prisma/batch')
    expect(batch.map(({ name }) => name)).toEqual(['SELECT public.authors'])
    expect(site(batch[0]!)).toBe(`${APP} prismaBatch`)
    const transaction = await queriesOf('/prisma/transaction', '/prisma/transaction')
    expect(transaction.map(({ name }) => name)).toEqual([
      'BEGIN',
      'SELECT public.authors',
      'SELECT public.books',
      'COMMIT',
    ])
    for (const query of transaction) expect(site(query)).toMatch(/^test-apps\/orm-app\.mjs /)
  })

  test('without call sites the ORMs are left alone', async () => {
    app = await startApp('orm-app.mjs', env({}))
    for (const path of ['/drizzle/authors', '/prisma/authors']) {
      const queries = await queriesOf(`${path}?count=3`, path)
      expect(queries).toHaveLength(4)
      for (const query of queries) expect(attributesOf(query)).not.toHaveProperty('code.file.path')
    }
  })

  test('Drizzle from CommonJS', async () => {
    app = await startApp('drizzle-app.cjs', env({ HOTSPAN_CALL_SITES: '1' }))
    await app.ended
    const query = only(sink.spans, 'SELECT authors')
    expect(query.parentSpanId).toBe(only(sink.spans, 'work').spanId)
    expect(site(query)).toBe('test-apps/drizzle-app.cjs loadAuthor')
  })
})
