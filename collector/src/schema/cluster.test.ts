import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClickHouseClient } from '@clickhouse/client'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { socketClient } from '../engine/client.ts'
import { Engine } from '../engine/engine.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { migrate, migrations } from './migrations.ts'
import { type ServerLayout, serverLayout } from './server-layout.ts'

/** What `migrate` would say to a server, and what a server with empty tables answers. */
async function statementsFor(layout: ServerLayout): Promise<string[]> {
  const said: string[] = []
  const recorder = {
    command: async ({ query }: { query: string }) => void said.push(query),
    query: async () => ({ json: async () => [] }),
  } as unknown as ClickHouseClient
  await migrate(recorder, 'hotspan_shop', migrations.at(-1)!.version, layout)
  return said
}

const onCluster: ServerLayout = {
  cluster: 'main',
  retentionDays: 30,
  cold: { afterDays: 7, storagePolicy: 'tiered' },
}

describe('layout of a server', () => {
  const env = { HOTSPAN_CLICKHOUSE_URL: 'http://x:8123' }

  test('comes from variables, each checked', () => {
    expect(serverLayout({})).toBeNull()
    expect(serverLayout(env)).toEqual({ cluster: null, retentionDays: null, cold: null })
    const all = {
      HOTSPAN_CLICKHOUSE_CLUSTER: 'main',
      HOTSPAN_RETENTION_DAYS: '30',
      HOTSPAN_COLD_AFTER_DAYS: '7',
      HOTSPAN_STORAGE_POLICY: 'tiered',
    }
    expect(serverLayout({ ...env, ...all })).toEqual(onCluster)
    const refused = (more: Record<string, string>) => () => serverLayout({ ...env, ...more })
    expect(refused({ HOTSPAN_CLICKHOUSE_CLUSTER: "a' b" })).toThrow(/name of a cluster/)
    expect(refused({ HOTSPAN_RETENTION_DAYS: 'long' })).toThrow(/HOTSPAN_RETENTION_DAYS is "long"/)
    expect(refused({ HOTSPAN_COLD_AFTER_DAYS: '3' })).toThrow(/HOTSPAN_STORAGE_POLICY/)
    expect(refused({ ...all, HOTSPAN_COLD_AFTER_DAYS: '30' })).toThrow(/fewer days/)
  })

  test('every table is replicated on its shard with a Distributed one in front; traces are spread by their id', async () => {
    const said = await statementsFor(onCluster)
    for (const statement of said) {
      if (/^(CREATE|ALTER)/.test(statement)) expect(statement).toContain(' ON CLUSTER `main`')
    }
    const created = said.flatMap(
      (one) => /^CREATE TABLE IF NOT EXISTS `hotspan_shop`\.(\w+)/.exec(one)?.[1] ?? [],
    )
    const fronts = created.filter((name) => !name.endsWith('_local') && name !== 'hotspan_migrations')
    expect(fronts.length).toBeGreaterThan(10)
    for (const name of fronts) {
      expect(created).toContain(`${name}_local`)
      expect(
        said.some((one) =>
          one.includes(
            `.${name} ON CLUSTER \`main\` AS \`hotspan_shop\`.${name}_local ENGINE = Distributed(`,
          ),
        ),
      ).toBe(true)
    }
    expect(said.find((one) => one.includes('.otel_traces ON'))).toContain(
      '`otel_traces_local`, cityHash64(TraceId))',
    )
    for (const one of said.filter(
      (text) =>
        /_local ON CLUSTER/.test(text) && text.startsWith('CREATE TABLE') && !text.includes('Distributed'),
    ))
      expect(one).toMatch(
        /ENGINE = Replicated(Replacing)?MergeTree\('\/clickhouse\/tables\/\{uuid\}\/\{shard\}', '\{replica\}'/,
      )
    expect(said.filter((one) => one.includes('MODIFY TTL'))).toHaveLength(10)
    expect(said.filter((one) => one.includes("TO VOLUME 'cold'"))).toHaveLength(10)
  })
})

describe.skipIf(missingEngine() !== null)('migrations on a real engine', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  let engine: Engine
  let client: ClickHouseClient

  beforeAll(async () => {
    engine = await Engine.start({ storeDir: join(directory, 'store') })
    client = socketClient(engine.socketPath, 'default')
    return async () => {
      await client.close()
      await engine.close()
      rmSync(directory, { recursive: true, force: true })
    }
  }, 60_000)

  const rows = async <T>(query: string): Promise<T[]> =>
    (await client.query({ query, format: 'JSONEachRow' })).json<T>()

  test('cluster DDL parses whole, and its local tables are those of one machine, column by column', async () => {
    const said = await statementsFor(onCluster)
    for (const query of said) {
      const [row] = await (
        await client.query({
          query: 'SELECT formatQuery({sql:String}) AS text',
          query_params: { sql: query.replace(/\{(\w+):(\w+)\}/g, "'x'") },
          format: 'JSONEachRow',
        })
      ).json<{ text: string }>()
      expect(row!.text.length).toBeGreaterThan(20)
    }
    await migrate(client, 'hotspan_one')
    await client.command({ query: 'CREATE DATABASE hotspan_shop' })
    for (const query of said) {
      // The front tables need a server; here their local ones are made.
      if (query.includes('Distributed(')) continue
      if (/^ALTER TABLE \S+\.otel_traces ON CLUSTER/.test(query)) continue
      if (/^(CREATE DATABASE|INSERT|ALTER TABLE .* MODIFY (TTL|SETTING))/.test(query)) continue
      const local = query
        .replace(' ON CLUSTER `main`', '')
        .replace(/Replicated(Replacing)?MergeTree\('[^']*', '[^']*'(?:, )?/, '$1MergeTree(')
      await client.command({ query: local })
    }
    const columns = (database: string, suffix: string) =>
      rows(`SELECT replaceRegexpOne(table, '${suffix}$', '') AS t, name, type, default_expression, compression_codec
FROM system.columns WHERE database = '${database}' AND table NOT LIKE '%_mv' AND table != 'hotspan_migrations' ORDER BY t, position`)
    expect(await columns('hotspan_shop', '_local')).toEqual(await columns('hotspan_one', '_none'))
    for (const query of said) {
      const front = /Distributed\(`main`, `hotspan_shop`, `(\w+)`, (.+)\)$/.exec(query)
      if (front !== null) await rows(`SELECT ${front[2]} AS key FROM hotspan_shop.${front[1]} LIMIT 1`)
    }
    await client.command({
      query: `INSERT INTO hotspan_shop.otel_traces_local (Timestamp, TraceId, SpanId) VALUES ('2026-11-20 10:00:00', 'aa', 'bb')`,
    })
    expect(await rows('SELECT TraceId FROM hotspan_shop.otel_traces_trace_id_ts_local')).toEqual([
      { TraceId: 'aa' },
    ])
  })

  test('several that start at once make one set of tables', { timeout: 60_000 }, async () => {
    const clients = Array.from({ length: 5 }, () => socketClient(engine.socketPath, 'default'))
    onTestFinished(async () => {
      for (const one of clients) await one.close()
    })
    await Promise.all(clients.map((one) => migrate(one, 'hotspan_many')))
    const [made] = await rows<{ version: number }>(
      'SELECT max(version) AS version FROM hotspan_many.hotspan_migrations',
    )
    expect(made!.version).toBe(migrations.at(-1)!.version)
    const names = (database: string) =>
      rows(`SELECT name FROM system.tables WHERE database = '${database}' ORDER BY name`)
    await migrate(client, 'hotspan_alone')
    expect(await names('hotspan_many')).toEqual(await names('hotspan_alone'))
  })

  test('the retention of a server is a TTL of every telemetry table, changed when asked for and only then', {
    timeout: 60_000,
  }, async () => {
    const kept = { cluster: null, retentionDays: 30, cold: null }
    await migrate(client, 'hotspan_ttl', undefined, kept)
    const ttls = () =>
      rows<{
        name: string
        engine: string
      }>(`SELECT name, extract(engine_full, 'TTL .* SETTINGS') AS engine FROM system.tables
WHERE database = 'hotspan_ttl' AND name LIKE 'otel_%' AND name NOT LIKE '%_mv' ORDER BY name`)
    const first = await ttls()
    expect(first).toHaveLength(8)
    for (const { engine: text } of first)
      expect(text).toMatch(/^TTL toDateTime\(\w+\) \+ toIntervalDay\(30\)/)
    await client.command({
      query: `INSERT INTO hotspan_ttl.otel_traces (Timestamp, TraceId) SELECT now() - toIntervalDay(number * 40), 'a' FROM numbers(2)`,
    })
    await client.command({ query: 'OPTIMIZE TABLE hotspan_ttl.otel_traces FINAL' })
    expect(await rows('SELECT count() AS n FROM hotspan_ttl.otel_traces')).toEqual([{ n: '1' }])
    await migrate(client, 'hotspan_ttl', undefined, { ...kept, retentionDays: null })
    expect(await ttls()).toEqual(first)
    await migrate(client, 'hotspan_ttl', undefined, { ...kept, retentionDays: 7 })
    for (const { engine: text } of await ttls()) expect(text).toMatch(/toIntervalDay\(7\)/)
  })
})
