import { describe, expect, onTestFinished, test } from 'vitest'
import { createCollector } from '../collector.ts'
import { openStore, type Store } from '../store.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { dropUnusedBuilds } from './keep-builds.ts'

const functions =
  '{"schemaVersion":1,"lineStarts":[0],"names":["a"],"sources":["src/a.ts"],"functions":[["k1","t",0,9,0,0,1]]}'
const map = '{"version":3,"names":[],"sources":["src/a.ts"],"mappings":"AAAA"}'

const id = (digit: string): string => digit.repeat(32)

async function storeBuild(store: Store, buildId: string, ageDays: number): Promise<void> {
  const uploadedAt = (Date.now() / 1000 - ageDays * 86_400).toFixed(3)
  await store.client.insert({
    table: 'hotspan_source_maps',
    values: ['a.js', 'b.js'].map((file) => ({
      build_ids: [buildId],
      file,
      functions,
      map,
      uploaded_at: uploadedAt,
    })),
    format: 'JSONEachRow',
  })
}

/** Telemetry of a build in one of the tables. */
async function sent(store: Store, table: string, buildId: string): Promise<void> {
  await store.client.command({
    query: `INSERT INTO ${table} (Timestamp, ResourceAttributes) VALUES (now64(9), {'hotspan.build.id': '${buildId}'})`,
  })
}

async function builds(store: Store): Promise<string[]> {
  const answer = await store.client.query({
    query: 'SELECT DISTINCT build_ids[1] AS id FROM hotspan_source_maps ORDER BY id',
    format: 'JSONEachRow',
  })
  return (await answer.json<{ id: string }>()).map((row) => row.id)
}

describe.skipIf(missingEngine() !== null)('how long source maps are kept', () => {
  test('builds go when they are old and nothing stored came from them', { timeout: 60_000 }, async () => {
    const store = await openStore({ dataDir: temporaryDirectory(), onEvent: () => undefined })
    onTestFinished(() => store.close())
    for (const digit of ['a', 'b', 'c']) await storeBuild(store, id(digit), 31)
    await storeBuild(store, id('d'), 0)
    await sent(store, 'otel_traces', id('a'))
    await sent(store, 'otel_logs', id('b'))
    expect(await dropUnusedBuilds(store, 40)).toEqual([])
    expect(await dropUnusedBuilds(store, 30)).toEqual([id('c')])
    await expect.poll(() => builds(store), { timeout: 20_000 }).toEqual([id('a'), id('b'), id('d')])
    await store.client.command({ query: 'TRUNCATE TABLE otel_traces' })
    expect(await dropUnusedBuilds(store, 30)).toEqual([id('a')])
  })

  test('the collector does it, says so and counts', { timeout: 60_000 }, async () => {
    const dataDir = temporaryDirectory()
    const before = await openStore({ dataDir, onEvent: () => undefined })
    await storeBuild(before, id('e'), 4)
    await storeBuild(before, id('f'), 2)
    await before.close()
    const events: string[] = []
    const collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      otlpGrpcPort: null,
      pagePort: 0,
      retentionDays: 3,
      onEvent: (event) => events.push(event),
    })
    onTestFinished(() => collector.close())
    await expect.poll(() => collector.stats().sourceMaps.dropped, { timeout: 20_000 }).toBe(1)
    expect(events.join('\n')).toContain(`dropped the source maps of build ${id('e')}: uploaded 3 days ago`)
    await expect.poll(() => builds(collector.store), { timeout: 20_000 }).toEqual([id('f')])
  })
})
