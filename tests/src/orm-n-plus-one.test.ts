import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { analyze, type Finding } from '@hotspan/analyzers'
import { type Collector, createCollector } from '@hotspan/collector'
import { decodeTraces, encodeTraces, type TracesData } from '@hotspan/otlp'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Postgres, postgresMissing, startPostgres } from '../../agent/src/testing/postgres.ts'
import { startApp } from '../../agent/src/testing/test-app.ts'

/**
 * From an app that asks once per row through an ORM to the finding that names its route, statement and function. A statement
 * waits 4 ms in the database, as over a network. What was traced is put a minute apart, which a finding wants to see.
 */
const apartMs = 60_000
const counts = [8, 14, 11, 17, 9, 20, 12, 15]

interface Recorder {
  readonly url: string
  readonly received: TracesData[]
  close(): void
}

async function startRecorder(): Promise<Recorder> {
  const received: TracesData[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts)
      if (request.url === '/v1/traces') {
        received.push(decodeTraces(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body))
      }
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const earlier = (data: TracesData, byMs: number): TracesData => ({
  ...data,
  resourceSpans: data.resourceSpans.map((resource) => ({
    ...resource,
    scopeSpans: resource.scopeSpans.map((scope) => ({
      ...scope,
      spans: scope.spans.map((span) => ({
        ...span,
        startTimeUnixNano: span.startTimeUnixNano - BigInt(byMs) * 1_000_000n,
        endTimeUnixNano: span.endTimeUnixNano - BigInt(byMs) * 1_000_000n,
      })),
    })),
  })),
})

describe.skipIf(postgresMissing() !== undefined)('an N+1 through an ORM', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-orm-'))
  let postgres: Postgres
  let collector: Collector
  let findings: readonly Finding[]

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
      "CREATE TABLE authors AS SELECT i AS id, 'author ' || i AS name FROM generate_series(1, 20) i",
    )
    await client.query(
      "CREATE TABLE all_books AS SELECT i AS id, 'book ' || i AS title, i % 20 + 1 AS author_id FROM generate_series(1, 100) i",
    )
    await client.query(
      'CREATE VIEW books AS WITH far AS MATERIALIZED (SELECT pg_sleep(0.004)) SELECT b.* FROM far, all_books b',
    )
    await client.end()
    const recorder = await startRecorder()
    const fromMs = Date.now()
    for (const round of [1, 0]) {
      const app = await startApp('orm-app.mjs', {
        ...postgres.env,
        OTEL_EXPORTER_OTLP_ENDPOINT: recorder.url,
        OTEL_SERVICE_NAME: 'library',
        HOTSPAN_CALL_SITES: '1',
      })
      const before = recorder.received.length
      for (const count of counts) {
        for (const orm of ['drizzle', 'prisma']) {
          const answer = await fetch(`${app.url}/${orm}/authors?count=${count}`)
          expect(((await answer.json()) as unknown[]).length).toBe(count)
        }
      }
      await app.end()
      recorder.received.splice(
        before,
        Number.POSITIVE_INFINITY,
        ...recorder.received.slice(before).map((data) => earlier(data, round * apartMs)),
      )
    }
    recorder.close()
    collector = await createCollector({ dataDir: folder, otlpHttpPort: 0, pagePort: 0, otlpGrpcPort: null })
    for (const data of recorder.received) {
      const answer = await fetch(`${collector.otlpUrl}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: Buffer.from(encodeTraces(data)),
      })
      expect(answer.status).toBe(200)
    }
    await collector.flush()
    const report = await analyze(collector.store, {
      fromMs: fromMs - 2 * apartMs,
      toMs: Date.now() + 1,
      warmUpSec: 0,
      detectors: ['n-plus-one'],
    })
    findings = report.findings
    console.log(JSON.stringify(report, null, 1).slice(0, 6000), JSON.stringify(collector.stats()))
    console.log(await (await collector.store.client.query({query:'SELECT SpanName, DbStatement, count(), min(Timestamp), max(Timestamp), avg(Duration)/1e6 ms FROM otel_traces GROUP BY ALL', format:'JSONCompactEachRow'})).text())
  })
  afterAll(async () => {
    await collector?.close()
    postgres?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test.each([
    ['Drizzle', '/drizzle/authors', 'drizzleBooks', /from "books" where "books"\."author_id" = /],
    [
      'Prisma',
      '/prisma/authors',
      'prismaBooks',
      /FROM "public"\."books" WHERE "public"\."books"\."author_id" = /,
    ],
  ])('%s: route, statement and function are named', (_orm, route, functionName, statement) => {
    const found = findings.filter(({ operation }) => operation === `GET ${route}`)
    expect(found.map(({ kind, detector }) => [kind, detector])).toEqual([['finding', 'n-plus-one']])
    expect(JSON.stringify(found[0])).toMatch(new RegExp(statement.source.replaceAll('"', '\\\\*"'), 'i'))
    expect(found[0]!.location).toMatchObject({ file: 'test-apps/orm-app.mjs', function: functionName })
  })
})
