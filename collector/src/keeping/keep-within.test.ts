import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createCollector } from '../collector.ts'
import type { Store } from '../store.ts'
import { openStore } from '../store.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { diskUse } from './disk-use.ts'
import { keepWithin, tableBytes } from './keep-within.ts'
import { maxMergedPartBytes, storeLimits } from './limits.ts'

/** Rows of one day whose text does not compress: about 700 bytes each. */
async function fill(store: Store, day: string, rows: number, seed: number): Promise<void> {
  await store.client.command({
    query: `INSERT INTO otel_traces (Timestamp, TraceId, SpanId, StatusMessage)
SELECT toDateTime64('${day} 12:00:00', 9) + number, hex(cityHash64(${seed}, number)), hex(number), randomString(700, number + ${seed})
FROM numbers(${rows})`,
  })
}

async function days(store: Store): Promise<string[]> {
  const answer = await store.client.query({
    query: 'SELECT DISTINCT toString(toDate(Timestamp)) AS day FROM otel_traces ORDER BY day',
    format: 'JSONEachRow',
  })
  return (await answer.json<{ day: string }>()).map(({ day }) => day)
}

const nowMs = Date.UTC(2026, 2, 20, 9)

describe.skipIf(missingEngine() !== null)('retention and size cap', () => {
  test('days past the retention go with their lookup rows; then the oldest days; runs and findings stay', {
    timeout: 60_000,
  }, async () => {
    const store = await openStore({ dataDir: temporaryDirectory(), onEvent: () => undefined })
    onTestFinished(() => store.close())
    for (const [i, day] of ['2026-03-11', '2026-03-17', '2026-03-18', '2026-03-20'].entries())
      await fill(store, day, 10_007, i)
    for (const table of ['hotspan_profiles', 'hotspan_profile_functions'])
      await store.client.command({
        query: `INSERT INTO ${table} (Timestamp) VALUES ('2026-03-11 12:00:00'), ('2026-03-20 08:00:00')`,
      })
    await store.client.command({
      query: `INSERT INTO hotspan_findings VALUES ('a', 'b', 'c', '2020-01-01 00:00:00', '{}')`,
    })
    const retention = await keepWithin(store.client, { retentionDays: 5, maxBytes: null }, nowMs)
    expect(await days(store)).toEqual(['2026-03-17', '2026-03-18', '2026-03-20'])
    expect(retention.map(({ table, why }) => `${table} ${why}`).sort()).toEqual([
      'hotspan_default.hotspan_profile_functions retention',
      'hotspan_default.hotspan_profiles retention',
      'hotspan_default.otel_traces retention',
      'hotspan_default.otel_traces_trace_id_ts retention',
    ])
    const bytes = await tableBytes(store.client)
    // A clock that was wrong: its day would be the newest for ever.
    await fill(store, '2100-01-01', 1_009, 9)
    await keepWithin(store.client, { retentionDays: null, maxBytes: bytes }, nowMs)
    expect(await days(store)).toEqual(['2026-03-17', '2026-03-18', '2026-03-20'])
    await keepWithin(store.client, { retentionDays: null, maxBytes: bytes * 0.8 }, nowMs)
    expect(await days(store)).toEqual(['2026-03-18', '2026-03-20'])
    expect(await tableBytes(store.client)).toBeLessThan(bytes * 0.8)
    expect(await keepWithin(store.client, { retentionDays: 5, maxBytes: bytes }, nowMs)).toEqual([])
    const kept = await store.client.query({
      query: 'SELECT count() AS n FROM hotspan_findings',
      format: 'JSONEachRow',
    })
    expect(await kept.json()).toEqual([{ n: '1' }])
  })

  test('within the last day the oldest parts go, and the newest stays whatever its size', {
    timeout: 60_000,
  }, async () => {
    const store = await openStore({ dataDir: temporaryDirectory(), onEvent: () => undefined })
    onTestFinished(() => store.close())
    await store.client.command({ query: 'SYSTEM STOP MERGES' })
    for (let part = 0; part < 5; part++) await fill(store, '2026-03-20', 5_003, part)
    const bytes = await tableBytes(store.client)
    const dropped = await keepWithin(store.client, { retentionDays: null, maxBytes: bytes * 0.55 }, nowMs)
    expect(dropped.map(({ what, table }) => `${what} ${table}`)).toEqual(
      Array(3).fill('part hotspan_default.otel_traces'),
    )
    const answer = await store.client.query({
      query: `SELECT groupArray(name) AS names FROM (SELECT name FROM system.parts WHERE active AND table = 'otel_traces' ORDER BY min_block_number)`,
      format: 'JSONEachRow',
    })
    expect((await answer.json<{ names: string[] }>())[0]!.names).toEqual(['20260320_5_5_0', '20260320_6_6_0'])
    await keepWithin(store.client, { retentionDays: null, maxBytes: 1 }, nowMs)
    expect(await days(store)).toEqual(['2026-03-20'])
  })

  test('dropped parts that a running query still holds are not paid for by another day', {
    timeout: 60_000,
  }, async () => {
    const store = await openStore({ dataDir: temporaryDirectory(), onEvent: () => undefined })
    onTestFinished(() => store.close())
    await fill(store, '2026-03-17', 30_011, 1)
    await fill(store, '2026-03-18', 10_007, 2)
    await fill(store, '2026-03-20', 10_007, 3)
    const bytes = await tableBytes(store.client)
    const asking = store.client
      .query({
        query: `SELECT sleepEachRow(0.05) FROM otel_traces SETTINGS max_block_size = 10, max_threads = 1, log_comment = 'holds its parts'`,
      })
      .then((answer) => answer.text())
      .catch(String)
    onTestFinished(async () => {
      await store.client.command({
        query: `KILL QUERY WHERE Settings['log_comment'] = 'holds its parts'`,
      })
      await asking
    })
    await expect
      .poll(
        async () => {
          const answer = await store.client.query({
            query: `SELECT read_rows FROM system.processes WHERE Settings['log_comment'] = 'holds its parts'`,
            format: 'JSONEachRow',
          })
          return Number((await answer.json<{ read_rows: string }>())[0]?.read_rows ?? 0)
        },
        { timeout: 30_000 },
      )
      .toBeGreaterThan(0)
    const limits = { retentionDays: null, maxBytes: bytes * 0.5 }
    expect((await keepWithin(store.client, limits, nowMs)).length).toBeGreaterThan(0)
    expect(await tableBytes(store.client)).toBeGreaterThan(bytes * 0.5)
    expect(await keepWithin(store.client, limits, nowMs)).toEqual([])
    expect(await days(store)).toEqual(['2026-03-18', '2026-03-20'])
  })

  test('a collector holds its cap by itself, tells what it drops, and shows its disk use', {
    timeout: 180_000,
  }, async () => {
    const dataDir = temporaryDirectory()
    const events: string[] = []
    const filled = await openStore({ dataDir, onEvent: () => undefined })
    const today = new Date().toISOString().slice(0, 10)
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
    await fill(filled, yesterday, 50_021, 1)
    await fill(filled, yesterday, 50_021, 2)
    await fill(filled, today, 10_007, 3)
    await filled.close()
    const collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      pagePort: 0,
      maxStoreBytes: 50e6,
      retentionDays: 3,
      onEvent: (event) => events.push(event),
    })
    onTestFinished(() => collector.close())
    await expect.poll(() => days(collector.store), { timeout: 60_000 }).toEqual([today])
    await expect.poll(() => collector.stats().droppedBytes, { timeout: 60_000 }).toBeGreaterThan(50e6)
    // What a query still reads stays on the disk until that query ends.
    await expect
      .poll(() => collector.stats().diskBytes, { timeout: 60_000 })
      .toSatisfy((bytes: number) => bytes > 0 && bytes < 50e6)
    const { diskBytes, diskLimitBytes, diskFreeBytes, retentionDays, state } = collector.stats()
    expect(diskBytes).toBeGreaterThan(1e6)
    expect({ diskLimitBytes, retentionDays, state }).toEqual({
      diskLimitBytes: 50e6,
      retentionDays: 3,
      state: 'ok',
    })
    expect(diskFreeBytes).toBeGreaterThan(0)
    expect(events.join('\n')).toMatch(/dropped partition .* of hotspan_default.otel_traces .*size cap/)
    const use = await diskUse(dataDir)
    expect(use.storeBytes).toBeGreaterThan(1e6)
    expect(use.journalBytes).toBeGreaterThan(0)
  })
})

describe('limits', () => {
  test('from the environment, with the way out when they make no sense', () => {
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(storeLimits()).toEqual({ retentionDays: 30, maxBytes: 10e9 })
    vi.stubEnv('HOTSPAN_RETENTION_DAYS', '0')
    vi.stubEnv('HOTSPAN_STORE_MAX_GB', '0.5')
    expect(storeLimits()).toEqual({ retentionDays: null, maxBytes: 5e8 })
    expect(storeLimits({ retentionDays: 2, maxStoreBytes: 0 })).toEqual({ retentionDays: 2, maxBytes: null })
    vi.stubEnv('HOTSPAN_STORE_MAX_GB', 'much')
    expect(() => storeLimits()).toThrow(/HOTSPAN_STORE_MAX_GB is "much"; expected gigabytes/)
    expect(() => storeLimits({ maxStoreBytes: 7 })).toThrow(/at least/)
  })

  test('merges make no part that would be most of the store', () => {
    expect(maxMergedPartBytes(10e9)).toBe(1e9)
    expect(maxMergedPartBytes(50e6)).toBe(20e6)
    expect(maxMergedPartBytes(null)).toBe(150e9)
  })
})
