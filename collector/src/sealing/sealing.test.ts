import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { backup } from '../keeping/backup.ts'
import { keepWithin } from '../keeping/keep-within.ts'
import { restore } from '../keeping/restore.ts'
import { completeTraces } from '../queries/complete-traces.ts'
import { exemplarTraces } from '../queries/exemplar-traces.ts'
import { operations } from '../queries/operations.ts'
import { repeatedSiblings } from '../queries/repeated-siblings.ts'
import { requestSeries } from '../queries/request-series.ts'
import type { Scope } from '../queries/run-query.ts'
import { sealedBuckets } from '../queries/sealed-buckets.ts'
import { serviceGraph } from '../queries/service-graph.ts'
import { services } from '../queries/services.ts'
import { statements } from '../queries/statements.ts'
import { migrate } from '../schema/migrations.ts'
import { openStore, type Store } from '../store.ts'
import { hex } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { bucketCounts } from './bucket-counts.ts'
import { Sealer } from './sealer.ts'

const baseMs = Date.UTC(2026, 2, 20, 12)
const minute = 60_000
const buckets = 5

interface Row {
  Timestamp: string
  TraceId: string
  SpanId: string
  ParentSpanId: string
  TraceState: string
  SpanName: string
  SpanKind: string
  ServiceName: string
  Duration: number
  StatusCode: string
  SpanAttributes: Record<string, string>
}

const at = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, -1)

/** A request with queries: `calls` equal ones, then three that differ; every so many ms one. */
function trace(n: number, startMs: number, calls: number, everyMs: number, parentMs = startMs): Row[] {
  const one = (id: number, ms: number, more: Partial<Row>): Row => ({
    Timestamp: at(ms),
    TraceId: hex(n * 7919 + 1, 32),
    SpanId: hex(id, 16),
    ParentSpanId: hex(1, 16),
    TraceState: n % 4 === 0 ? 'ot=th:8' : '',
    SpanName: 'SELECT',
    SpanKind: 'Client',
    ServiceName: n % 3 === 0 ? 'orders' : 'catalog',
    Duration: 1_000_000 + n * 1013 + id * 17,
    StatusCode: (n + id) % 11 === 0 ? 'Error' : 'Unset',
    SpanAttributes: {},
    ...more,
  })
  const query = (table: string) => ({
    'db.system.name': 'postgresql',
    'db.query.text': `SELECT * FROM ${table} WHERE id = ${n}`,
    'db.query.summary': `SELECT ${table}`,
  })
  return [
    one(1, parentMs, {
      ParentSpanId: '',
      SpanName: n % 2 === 0 ? 'GET /products' : 'GET /cart',
      SpanKind: 'Server',
      Duration: 50_000_000 + n * 100_003,
    }),
    ...Array.from({ length: calls }, (_, i) =>
      one(2 + i, startMs + i * everyMs, { SpanAttributes: query('reviews') }),
    ),
    ...['users', 'prices', 'stock'].map((table, i) =>
      one(100 + i, startMs + i * everyMs, { SpanAttributes: query(table) }),
    ),
  ]
}

/** Buckets of ordinary traces; some over each boundary, one whose parent began long before, one in a bucket without its parent. */
function madeRows(): Row[] {
  const rows: Row[] = []
  let n = 0
  for (let ms = 0; ms < buckets * 5 * minute - 3000; ms += 7310)
    rows.push(...trace(++n, baseMs + ms, n % 9, 3))
  for (let boundary = 1; boundary < buckets; boundary++) {
    const edgeMs = baseMs + boundary * 5 * minute
    rows.push(...trace(++n, edgeMs - 2000, 12, 400), ...trace(++n, edgeMs - 40_000, 8, 9000))
    rows.push(
      ...trace(++n, edgeMs, 6, 100, edgeMs - 1),
      ...trace(++n, edgeMs + 1, 5, 11_000, edgeMs - 30_000),
    )
  }
  rows.push(...trace(++n, baseMs + 7 * minute, 7, 10, baseMs - 20 * minute))
  return rows
}

async function insert(store: Store, rows: readonly Row[]): Promise<void> {
  await store.client.insert({ table: 'otel_traces', values: rows, format: 'JSONEachRow' })
}

async function filledStore(rows: readonly Row[]): Promise<Store> {
  const store = await openStore({ dataDir: temporaryDirectory(), onEvent: () => undefined })
  onTestFinished(() => store.close())
  await insert(store, rows)
  return store
}

/** Knows of no seals, as on a server. */
const rawOf = (store: Store): Store => ({ ...store, mode: 'server' })

async function sealed(store: Store, sealer = new Sealer({ quietMs: 0, runMs: 60_000 })): Promise<Sealer> {
  await sealer.run(store)
  return sealer
}

/** What is answered from seals. */
async function summedUp(store: Store, scope: Scope): Promise<Record<string, readonly object[]>> {
  return {
    statements: await statements(store, scope),
    siblings: await repeatedSiblings(store, scope),
    requests: await requestSeries(store, scope),
    operations: await operations(store, scope, { kinds: ['Server', 'Client'] }),
  }
}

async function answers(store: Store, scope: Scope): Promise<Record<string, readonly object[]>> {
  return {
    ...(await summedUp(store, scope)),
    statementsOfOne: await statements(store, scope, { service: 'orders' }),
    siblingsOfMore: await repeatedSiblings(store, scope, { minCalls: 7 }),
    requestsBySteps: await requestSeries(store, scope, { stepSec: 300, service: 'catalog' }),
    requestsBySeconds: await requestSeries(store, scope, { stepSec: 10 }),
    requestsOfOne: await requestSeries(store, scope, { operation: 'GET /cart' }),
    services: await services(store, scope),
    graph: await serviceGraph(store, scope),
    traces: await completeTraces(store, scope),
    exemplars: await exemplarTraces(store, scope, { service: 'orders', operation: 'GET /cart' }),
  }
}

/** Of a digest, whose value depends on the order of what it took up: within 2 %. */
const isQuantile = /^(?:p\d+Ms|quantiles)$/

function expectSame(
  got: Record<string, readonly object[]>,
  expected: Record<string, readonly object[]>,
): void {
  for (const [question, rows] of Object.entries(expected)) {
    expect(got[question], question).toHaveLength(rows.length)
    for (const [i, row] of rows.entries()) {
      for (const [field, value] of Object.entries(row)) {
        const where = `${question} ${i} ${field}`
        const other = (got[question]![i] as Record<string, unknown>)[field]
        if (typeof value === 'number') {
          const allowed = isQuantile.test(field) ? 0.02 : 1e-9
          expect(Math.abs((other as number) - value), `${where}: ${other}, raw ${value}`).toBeLessThanOrEqual(
            Math.abs(value) * allowed,
          )
        } else if (!isQuantile.test(field)) expect(other, where).toEqual(value)
      }
    }
  }
}

const whole = { fromMs: baseMs - minute, toMs: baseMs + 26 * minute }
const scopes: readonly Scope[] = [
  // Whole buckets, whole minutes, neither, in one bucket, a second over a boundary.
  { fromMs: baseMs + 5 * minute, toMs: baseMs + 20 * minute },
  { fromMs: baseMs + 2 * minute, toMs: baseMs + 23 * minute },
  { fromMs: baseMs + 123_456, toMs: baseMs + 17 * minute + 1001 },
  { fromMs: baseMs + 6 * minute + 5, toMs: baseMs + 8 * minute + 7 },
  { fromMs: baseMs + 10 * minute - 500, toMs: baseMs + 10 * minute + 500 },
]

async function count(store: Store, query: string): Promise<number> {
  const answer = await store.client.query({ query, format: 'JSONEachRow' })
  return Number(Object.values((await answer.json<Record<string, unknown>>())[0] ?? {})[0])
}

describe.skipIf(missingEngine() !== null)('sealed buckets on a real engine', () => {
  test('every question has the same answer sealed and raw, with duplicates, late spans and calls over boundaries', {
    timeout: 120_000,
  }, async () => {
    const rows = madeRows()
    const store = await filledStore(rows)
    // Sent twice, in the second bucket only.
    const twice = rows.filter((_, i) => i % 10 === 0).filter((row) => row.Timestamp.slice(14, 16) === '06')
    expect(twice.length).toBeGreaterThan(3)
    await insert(store, twice)
    const sealer = await sealed(store)
    expect(sealer.sealedBuckets).toBe(buckets + 1)
    const known = await sealedBuckets(store, whole)
    expect(known.map(({ eachOnce }) => eachOnce)).toEqual([true, false, true, true, true])
    const raw = await answers(rawOf(store), whole)
    expect(raw.siblings!.length).toBeGreaterThan(3)
    expectSame(await answers(store, whole), raw)
    for (const scope of scopes) expectSame(await summedUp(store, scope), await summedUp(rawOf(store), scope))

    // A span that comes late counts at once, and is sealed later.
    const before = (await operations(store, whole, { kinds: ['Server'] })).reduce(
      (n, row) => n + row.spans,
      0,
    )
    await insert(store, trace(5000, baseMs + 12 * minute, 9, 5))
    expect(await sealedBuckets(store, whole)).toHaveLength(buckets - 1)
    const after = (await operations(store, whole, { kinds: ['Server'] })).reduce((n, row) => n + row.spans, 0)
    expect(after).toBe(before + 1)
    expectSame(await summedUp(store, whole), await summedUp(rawOf(store), whole))
    await sealer.run(store)
    expect(await sealedBuckets(store, whole)).toHaveLength(buckets)
    expectSame(await summedUp(store, whole), await summedUp(rawOf(store), whole))

    // One in the minute before a boundary changes what its neighbour says of groups over it.
    await insert(store, trace(5001, baseMs + 10 * minute - 1000, 9, 5))
    expect(
      (await sealedBuckets(store, whole)).map(({ fromNs }) => Number(fromNs / 1_000_000n) - baseMs),
    ).toEqual([0, 15 * minute, 20 * minute])
    expectSame(await summedUp(store, whole), await summedUp(rawOf(store), whole))
  })

  test('counts come from the parts, not from the spans, also after an insert that came twice', {
    timeout: 60_000,
  }, async () => {
    const store = await filledStore(madeRows())
    const settings = { insert_deduplication_token: 'segment 7' }
    const values = trace(6000, baseMs + 3 * minute, 5, 3)
    for (let i = 0; i < 2; i++)
      await store.client.insert({
        table: 'otel_traces',
        values,
        format: 'JSONEachRow',
        clickhouse_settings: settings,
      })
    const query = `SELECT sum(rows) AS n FROM (${bucketCounts('otel_traces')}) SETTINGS force_optimize_projection = 1`
    expect(await count(store, query)).toBe(await count(store, 'SELECT count() FROM otel_traces'))
  })

  test('a backup brings the seals along', { timeout: 120_000 }, async () => {
    const dataDir = temporaryDirectory()
    const store = await openStore({ dataDir, onEvent: () => undefined })
    await insert(store, madeRows())
    await sealed(store)
    const before = await summedUp(store, whole)
    const to = join(temporaryDirectory(), 'copy')
    await store.close()
    await backup({ dataDir, to })
    const restoredDir = join(temporaryDirectory(), 'restored')
    await restore({ from: to, dataDir: restoredDir, onEvent: () => undefined })
    const restored = await openStore({ dataDir: restoredDir, onEvent: () => undefined })
    onTestFinished(() => restored.close())
    expect(await sealedBuckets(restored, whole)).toHaveLength(buckets)
    expectSame(await summedUp(restored, whole), before)
  })

  test('the parts of an older store get their counts in the background', { timeout: 60_000 }, async () => {
    const store = await filledStore(madeRows())
    await migrate(store.client, 'hotspan_old', 7)
    const columns = 'Timestamp, TraceId, SpanId, SpanKind, ServiceName, Duration'
    await store.client.command({
      query: `INSERT INTO hotspan_old.otel_traces (${columns}) SELECT ${columns} FROM otel_traces`,
    })
    const rows = await count(store, 'SELECT count() FROM otel_traces')
    const counted = () =>
      count(store, `SELECT sum(rows) AS n FROM (${bucketCounts('hotspan_old.otel_traces')})`)
    await migrate(store.client, 'hotspan_old', 8)
    expect(await counted()).toBe(rows)
    const withCounts = `SELECT countIf(NOT has(projections, 'span_counts')) FROM system.parts WHERE active AND database = 'hotspan_old' AND table = 'otel_traces'`
    await expect.poll(() => count(store, withCounts), { timeout: 30_000 }).toBe(0)
    expect(await counted()).toBe(rows)
  })

  test('nothing is sealed while spans come, nor before its time, nor again and again', {
    timeout: 60_000,
  }, async () => {
    const store = await filledStore(madeRows())
    let nowMs = baseMs + 11 * minute
    const sealer = new Sealer({ now: () => nowMs, runMs: 60_000 })
    await sealer.run(store)
    nowMs += 59_000
    await insert(store, trace(7000, baseMs + 2 * minute, 5, 3))
    await sealer.run(store)
    expect(sealer.sealedBuckets).toBe(0)
    nowMs += 2000
    await sealer.run(store)
    // Only that of the early parent: the first is not quiet yet, and the second had not ended two minutes ago when it was looked at.
    expect(sealer.sealedBuckets).toBe(1)
    nowMs += 61_000
    await sealer.run(store)
    expect(sealer.sealedBuckets).toBe(3)
    // A late span: it is sealed again, but not within a minute of the last time.
    await insert(store, trace(7001, baseMs + 2 * minute, 5, 3))
    await sealer.run(store)
    nowMs = Date.now() - 1000
    await sealer.run(store)
    expect(sealer.sealedBuckets).toBe(3)
    nowMs = Date.now() + 62_000
    await sealer.run(store)
    expect(sealer.sealedBuckets).toBe(1 + buckets + 1)
  })

  test('a sealing that is cut short, or overtaken by a span, answers nothing', {
    timeout: 60_000,
  }, async () => {
    const store = await filledStore(madeRows())
    const commands = store.client.command.bind(store.client)
    const failing = (what: () => Promise<void>): Store => ({
      ...store,
      client: Object.create(store.client, {
        command: {
          value: async (params: Parameters<typeof commands>[0]) => {
            if (params.query.includes("SELECT 'bucket'")) await what()
            return commands(params)
          },
        },
      }) as Store['client'],
    })
    const killed = failing(() => Promise.reject(new Error('killed')))
    await sealed(killed)
    expect(
      await count(store, `SELECT count() FROM hotspan_sealed_buckets WHERE Kind = 'statements'`),
    ).toBeGreaterThan(0)
    expect(await sealedBuckets(store, whole)).toEqual([])
    let n = 8000
    const overtaken = failing(() => insert(store, trace(++n, baseMs + 6 * minute, 5, 3)))
    const sealer = await sealed(overtaken)
    const second = (await sealedBuckets(store, whole)).filter(
      ({ fromNs }) => Number(fromNs / 1_000_000n) === baseMs + 5 * minute,
    )
    expect(second).toEqual([])
    expect(sealer.sealedBuckets).toBeLessThan(buckets + 1)
    expectSame(await summedUp(store, whole), await summedUp(rawOf(store), whole))
  })

  test('a seal does not outlive its day, nor one part of it', { timeout: 60_000 }, async () => {
    const rows = madeRows()
    const dayMs = 86_400_000
    const store = await filledStore(rows)
    await insert(
      store,
      rows.map((row) => ({ ...row, Timestamp: row.Timestamp.replace('2026-03-20', '2026-03-21') })),
    )
    await sealed(store)
    const nextDay = { fromMs: whole.fromMs + dayMs, toMs: whole.toMs + dayMs }
    expect(await sealedBuckets(store, whole)).toHaveLength(buckets)
    expect(await sealedBuckets(store, nextDay)).toHaveLength(buckets)
    // As when it is killed before the second table.
    await store.client.command({ query: "ALTER TABLE otel_traces DROP PARTITION '2026-03-20'" })
    expect(await sealedBuckets(store, whole)).toEqual([])
    expect(await statements(store, whole)).toEqual([])
    const dropped = await keepWithin(
      store.client,
      { retentionDays: 1, maxBytes: null },
      Date.UTC(2026, 2, 22, 9),
    )
    expect(dropped.map(({ table }) => table)).toContain('hotspan_default.hotspan_sealed_buckets')
    expect(await count(store, `SELECT uniqExact(toDate(Bucket)) FROM hotspan_sealed_buckets`)).toBe(1)
    expect(await sealedBuckets(store, nextDay)).toHaveLength(buckets)
    // The size cap takes parts of a day: what they held is not answered for any more.
    await store.client.command({ query: 'SYSTEM STOP MERGES otel_traces' })
    await insert(store, trace(9000, baseMs + dayMs + 2 * minute, 9, 5))
    await sealed(store)
    const part = `SELECT name FROM system.parts WHERE active AND table = 'otel_traces' ORDER BY min_block_number DESC LIMIT 1`
    const [newest] = await (await store.client.query({ query: part, format: 'JSONEachRow' })).json<{
      name: string
    }>()
    await store.client.command({ query: `ALTER TABLE otel_traces DROP PART '${newest!.name}'` })
    expectSame(await summedUp(store, nextDay), await summedUp(rawOf(store), nextDay))
  })
})
