import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { analyze, type Finding } from '@hotspan/analyzers'
import { type Collector, createCollector } from '@hotspan/collector'
import { attr, decodeTraces, encodeTraces, type TracesData } from '@hotspan/otlp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { execute, type Postgres, postgresMissing, startPostgres } from '../../agent/src/testing/postgres.ts'
import { startApp } from '../../agent/src/testing/test-app.ts'
import { missingEngine } from '../../collector/src/test-support/require-engine.ts'

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

/** The same telemetry as of a process that began and ended `byMs` before. */
function earlier(data: TracesData, byMs: number): TracesData {
  const byNs = BigInt(byMs) * 1_000_000n
  const resourceSpans = data.resourceSpans.map(({ resource, scopeSpans, ...rest }) => ({
    ...rest,
    resource: {
      ...resource,
      attributes: resource.attributes.map(({ key, value }) => ({
        key,
        value:
          key === attr.processCreationTime ? new Date(Date.parse(String(value)) - byMs).toISOString() : value,
      })),
    },
    scopeSpans: scopeSpans.map((scope) => ({
      ...scope,
      spans: scope.spans.map((span) => ({
        ...span,
        startTimeUnixNano: span.startTimeUnixNano - byNs,
        endTimeUnixNano: span.endTimeUnixNano - byNs,
      })),
    })),
  }))
  return { ...data, resourceSpans }
}

const missing = postgresMissing() ?? missingEngine()

describe('an N+1 through an ORM', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-orm-'))
  let postgres: Postgres | undefined
  let collector: Collector | undefined
  let findings: readonly Finding[]

  beforeEach((context) => context.skip(missing !== null, missing ?? undefined))
  beforeAll(async () => {
    if (missing !== null) return
    postgres = await startPostgres()
    await execute(
      postgres,
      "CREATE TABLE authors AS SELECT i AS id, 'author ' || i AS name FROM generate_series(1, 20) i",
      "CREATE TABLE all_books AS SELECT i AS id, 'book ' || i AS title, i % 20 + 1 AS author_id FROM generate_series(1, 100) i",
      'CREATE VIEW books AS WITH far AS MATERIALIZED (SELECT pg_sleep(0.004)) SELECT b.* FROM far, all_books b',
    )
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
  })
  afterAll(async () => {
    await collector?.close()
    postgres?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test.each([
    [
      'Drizzle',
      '/drizzle/authors',
      'drizzleBooks',
      'SELECT id, title, author_id FROM books WHERE books.author_id = ?',
    ],
    [
      'Prisma',
      '/prisma/authors',
      'prismaBooks',
      'SELECT public.books.id, public.books.title, public.books.author_id FROM public.books WHERE public.books.author_id = ? OFFSET ?',
    ],
  ])('%s: route, statement and function are named', (_orm, route, functionName, statement) => {
    const found = findings.filter(({ operation }) => operation === `GET ${route}`)
    expect(found.map(({ kind, detector }) => [kind, detector])).toEqual([['finding', 'n-plus-one']])
    expect(found[0]!.service).toBe('library')
    expect(found[0]!.location).toMatchObject({
      route: `GET ${route}`,
      statement,
      file: 'test-apps/orm-app.mjs',
      function: functionName,
    })
  })
})
