import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { encodeLogs, encodeMetrics, encodeProfiles, encodeTraces } from '@hotspan/otlp'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createToken } from '../access/token-file.ts'
import { type Collector, createCollector } from '../collector.ts'
import { traceById } from '../queries/trace-by-id.ts'
import { openStore } from '../store.ts'
import { oneLog } from '../test-support/made-logs.ts'
import { everyKindOfMetric, metricsOf } from '../test-support/made-metrics.ts'
import { profileOf } from '../test-support/made-profiles.ts'
import { hex, madeSpan, text, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { missingStockCollector, startStockCollector } from '../test-support/stock-collector.ts'

const noStockCollector = missingStockCollector()
const patient = { timeout: 30_000 }
const slow = { timeout: 60_000 }

describe.skipIf(missingEngine() !== null)('ClickHouse HTTP interface', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  const shop = createToken(dataDir, { kind: 'read', project: 'shop' }).token
  const bank = createToken(dataDir, { kind: 'read', project: 'bank' }).token
  const shopWrites = createToken(dataDir, { kind: 'write', project: 'shop' }).token
  const bankWrites = createToken(dataDir, { kind: 'write', project: 'bank' }).token
  let collector: Collector
  const traces = new Map<string, string>()

  const send = async (token: string | null, traceId: string) => {
    const span = madeSpan(Date.now(), {
      traceId,
      spanId: hex(9, 16),
      attributes: [text('secret', `of ${traceId}`)],
    })
    const profile = profileOf('s', Date.now(), [{ stack: [`of ${traceId}`], value: 1 }])
    for (const [path, body] of [
      ['/v1/traces', encodeTraces(tracesOf('s', [span]))],
      ['/v1development/profiles', encodeProfiles(profile)],
    ] as const) {
      const answer = await fetch(collector.otlpUrl + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-protobuf',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        body: Buffer.from(body),
      })
      expect(answer.status).toBe(200)
    }
  }
  const clientOf = (token: string | null): ClickHouseClient => {
    const client = createClient({
      url: collector.clickHouseUrl!,
      log: { level: ClickHouseLogLevel.OFF },
      ...(token === null ? { set_basic_auth_header: false } : { username: 'any', password: token }),
    })
    onTestFinished(() => client.close())
    return client
  }
  const rows = async (client: ClickHouseClient, query: string, query_params = {}) =>
    (await client.query({ query, query_params, format: 'JSONEachRow' })).json<Record<string, unknown>>()
  const ask = (path: string, headers: Record<string, string> = {}, body?: string) =>
    fetch(collector.clickHouseUrl + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...(body === undefined ? {} : { body }),
    })

  beforeAll(async () => {
    collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      pagePort: 0,
      clickHousePort: 0,
      clickHouseInserts: true,
    })
    for (const [index, [name, token]] of [
      ['default', null],
      ['shop', shopWrites],
      ['bank', bankWrites],
    ].entries() as ArrayIterator<[number, [string, string | null]]>) {
      traces.set(name, hex(index + 1, 32))
      await send(token, hex(index + 1, 32))
    }
    await collector.flush()
  }, 60_000)

  afterAll(async () => {
    await collector.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  test(
    '@clickhouse/client asks with typed parameters, formats, compression; errors keep code and name',
    slow,
    async () => {
      const client = clientOf(null)
      expect(await client.ping()).toMatchObject({ success: true })
      expect(
        await rows(client, 'SELECT TraceId, Duration FROM otel_traces WHERE TraceId = {id:String}', {
          id: traces.get('default'),
        }),
      ).toMatchObject([{ TraceId: traces.get('default') }])
      const many = await client.query({
        query: 'SELECT number FROM numbers(20000)',
        format: 'JSONCompactEachRow',
        clickhouse_settings: { output_format_json_quote_64bit_integers: 0, max_execution_time: 10 },
      })
      expect(await many.json()).toHaveLength(20_000)
      await expect(rows(client, 'SELECT nothing FROM otel_traces')).rejects.toMatchObject({
        code: '47',
        type: 'UNKNOWN_IDENTIFIER',
      })
    },
  )

  test(
    "Grafana's questions: GET with the statement in the address, its probes, the trace view",
    slow,
    async () => {
      const get = async (query: string) =>
        (await ask(`/?default_format=JSON&query=${encodeURIComponent(query)}`)).json() as Promise<{
          data: unknown[]
        }>
      expect((await ask('/ping')).status).toBe(200)
      expect((await get('SELECT version()')).data).toHaveLength(1)
      expect((await get('SELECT name FROM system.databases')).data).toContainEqual({
        name: 'hotspan_default',
      })
      expect(
        (await get("SELECT name, type FROM system.columns WHERE table = 'otel_traces'")).data.length,
      ).toBeGreaterThan(20)
      expect((await get('DESC TABLE hotspan_default.otel_traces')).data.length).toBeGreaterThan(20)
      const view = `WITH '${traces.get('default')}' AS trace_id,
      (SELECT min(Start) FROM "hotspan_default"."otel_traces_trace_id_ts" WHERE TraceId = trace_id) AS trace_start,
      (SELECT max(End) + 1 FROM "hotspan_default"."otel_traces_trace_id_ts" WHERE TraceId = trace_id) AS trace_end
      SELECT "TraceId" AS traceID, "SpanId" AS spanID, "ParentSpanId" AS parentSpanID, "ServiceName" AS serviceName,
        "SpanName" AS operationName, multiply(toUnixTimestamp64Nano("Timestamp"), 0.000001) AS startTime,
        multiply("Duration", 0.000001) AS duration,
        arrayMap(key -> map('key', key, 'value', "SpanAttributes"[key]), mapKeys("SpanAttributes")) AS tags
      FROM "hotspan_default"."otel_traces"
      WHERE traceID = trace_id AND startTime >= toUnixTimestamp(trace_start) * 1000 LIMIT 1000`
      expect((await get(view)).data).toMatchObject([
        { traceID: traces.get('default'), operationName: 'GET /' },
      ])
    },
  )

  test('one project cannot read another, tried in every way that came to mind', slow, async () => {
    const mine = clientOf(shop)
    expect(await rows(mine, 'SELECT TraceId FROM otel_traces')).toEqual([{ TraceId: traces.get('shop') }])
    expect(await rows(clientOf(bank), 'SELECT TraceId FROM otel_traces')).toEqual([
      { TraceId: traces.get('bank') },
    ])
    const secret = `of ${traces.get('bank')}`
    const functions = 'SELECT FunctionName AS name FROM hotspan_profile_functions'
    expect(await rows(mine, functions)).toEqual([{ name: `of ${traces.get('shop')}` }])
    expect(await rows(clientOf(bank), functions)).toEqual([{ name: secret }])
    expect(await rows(mine, 'SELECT length(Payload) > 0 AS has FROM hotspan_profiles')).toEqual([{ has: 1 }])
    const attempts = [
      'SELECT * FROM hotspan_bank.otel_traces',
      'SELECT * FROM `hotspan_bank`.`otel_traces`',
      'SELECT * FROM hotspan_bank.otel_traces_trace_id_ts',
      'SELECT * FROM hotspan_default.otel_traces',
      'SELECT * FROM hotspan_bank.hotspan_profiles',
      'SELECT FunctionName FROM hotspan_bank.hotspan_profile_functions',
      'SELECT Payload FROM hotspan_profiles AS a JOIN hotspan_bank.hotspan_profiles AS b ON 1 = 1',
      'SELECT (SELECT any(SpanAttributes) FROM hotspan_bank.otel_traces)',
      'SELECT 1 IN hotspan_bank.otel_traces',
      `SELECT '${traces.get('bank')}' IN (SELECT TraceId FROM hotspan_bank.otel_traces)`,
      'WITH x AS (SELECT * FROM hotspan_bank.otel_traces) SELECT * FROM x',
      'SELECT * FROM view(SELECT * FROM hotspan_bank.otel_traces)',
      'SELECT * FROM otel_traces AS a JOIN hotspan_bank.otel_traces AS b ON 1 = 1',
      "SELECT * FROM merge('hotspan_.*', 'otel_traces')",
      "SELECT * FROM `merge`('hotspan_.*', 'otel_traces')",
      "SELECT * FROM remote('127.0.0.1', 'hotspan_bank.otel_traces')",
      'SELECT * FROM loop(hotspan_bank, otel_traces)',
      'SELECT * FROM mergeTreeIndex(hotspan_bank, otel_traces)',
      "SELECT * FROM file('data/hotspan_bank/otel_traces/*/data.bin', 'LineAsString')",
      "SELECT file('/etc/hostname')",
      "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
      'DESCRIBE hotspan_bank.otel_traces',
      'SHOW CREATE TABLE hotspan_bank.otel_traces',
      'EXPLAIN ESTIMATE SELECT * FROM hotspan_bank.otel_traces',
      'SELECT query FROM system.processes',
      'SHOW PROCESSLIST',
      'SELECT 1; SET ROLE operator; SELECT * FROM hotspan_bank.otel_traces',
      'SET ROLE operator',
      'USE hotspan_bank',
      'DROP TABLE otel_traces',
      'TRUNCATE TABLE otel_traces',
      'ALTER TABLE otel_traces DELETE WHERE 1',
      'CREATE TABLE x (a UInt8) ENGINE = Memory',
      'CREATE TEMPORARY TABLE x (a UInt8)',
      "BACKUP DATABASE hotspan_bank TO File('/var/x')",
      'SYSTEM FLUSH LOGS',
      'GRANT operator TO default',
    ]
    for (const sql of attempts) {
      const answer = await ask('/', { 'x-clickhouse-key': shop }, sql)
      const told = await answer.text()
      expect(answer.status, sql).toBeGreaterThanOrEqual(400)
      expect(told, sql).not.toContain(secret)
    }
    const outside = await ask(
      '/?database=hotspan_bank',
      { 'x-clickhouse-key': shop },
      'SELECT * FROM otel_traces',
    )
    expect(outside.status).toBe(403)
    // A name as a parameter is put in before the statement is looked at.
    const named = `/?param_f=${encodeURIComponent('file')}&query=${encodeURIComponent("SELECT {f:Identifier}('/etc/hostname')")}`
    expect((await ask(named, { 'x-clickhouse-key': shop })).status).toBe(403)
    const databases = await rows(mine, "SELECT name FROM system.databases WHERE name LIKE 'hotspan%'")
    expect(databases).toEqual([{ name: 'hotspan_shop' }])
    expect(
      await rows(mine, "SELECT DISTINCT database FROM system.tables WHERE database LIKE 'hotspan%'"),
    ).toEqual([{ database: 'hotspan_shop' }])
    expect(
      await rows(mine, "SELECT count() AS n FROM system.parts WHERE database != 'hotspan_shop'"),
    ).toEqual([{ n: '0' }])
    // The collector's own connections have all rights again.
    const store = await openStore({ dataDir, project: 'bank' })
    expect(await traceById(store, traces.get('bank')!)).toHaveLength(1)
    await store.close()
  })

  test('tokens: unknown 401, write tokens and browser keys do not read, pages do not ask', slow, async () => {
    const select = '/?query=SELECT+1'
    expect((await ask(select)).status).toBe(200)
    expect((await ask(select, { 'x-clickhouse-key': 'hsr_wrong' })).status).toBe(401)
    expect((await ask(`${select}&user=x&password=${shop}`)).status).toBe(200)
    expect((await ask(select, { 'x-clickhouse-key': shopWrites })).status).toBe(403)
    const key = createToken(dataDir, {
      kind: 'browser',
      project: 'shop',
      origins: ['https://a.example'],
    }).token
    await expect.poll(async () => (await ask(select, { 'x-clickhouse-key': key })).status, patient).toBe(403)
    expect((await ask(select, { origin: 'http://localhost:3000' })).status).toBe(403)
    const rebound = await new Promise<number>((resolve, reject) => {
      request(collector.clickHouseUrl + select, { headers: { host: 'evil.example' } }, (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      })
        .once('error', reject)
        .end()
    })
    expect(rebound).toBe(403)
    expect(await ask('/', {}, 'SELECT 1 FORMAT Null').then((answer) => answer.status)).toBe(200)
    expect((await ask('/?compress=1', {}, 'SELECT 1')).status).toBe(400)
  })

  test('inserts of @clickhouse/client go into the own project only', slow, async () => {
    const timestamp = new Date().toISOString().replace('T', ' ').replace('Z', '000001')
    const row = { Timestamp: timestamp, TraceId: 'f'.repeat(32), SpanName: 'by client' }
    const insert = (token: string | null, table: string) =>
      clientOf(token).insert({ table, values: [row], format: 'JSONEachRow' })
    await insert(shopWrites, 'otel_traces')
    await insert(null, 'otel_traces')
    await expect(insert(shopWrites, 'hotspan_bank.otel_traces')).rejects.toThrow('not your database')
    await expect(insert(shop, 'otel_traces')).rejects.toThrow('read token')
    await expect(insert(null, 'hotspan_findings')).rejects.toThrow('takes inserts')
    await expect(insert(null, 'hotspan_profiles')).rejects.toThrow('takes inserts')
    const found = "SELECT count() AS n FROM otel_traces WHERE SpanName = 'by client'"
    expect(await rows(clientOf(shop), found)).toEqual([{ n: '1' }])
    expect(await rows(clientOf(bank), found)).toEqual([{ n: '0' }])
  })

  test.for([false, true])(
    `the stock Collector's ClickHouse exporter writes spans, logs and metrics, create_schema %s`,
    slow,
    async (createSchema, { skip }) => {
      skip(noStockCollector !== null, noStockCollector ?? undefined)
      const service = `go ${createSchema}`
      const go = await startStockCollector(`  clickhouse:
    endpoint: "${collector.clickHouseUrl}?compress=none&distributed_foreground_insert=1"
    username: any
    password: ${shopWrites}
    database: hotspan_shop
    create_schema: ${createSchema}
    compress: none
    async_insert: false
    sending_queue: { enabled: false }
    retry_on_failure: { enabled: false }`)
      const traceId = (createSchema ? 'e' : 'd').repeat(32)
      const spans = Array.from({ length: 1013 }, (_, i) =>
        madeSpan(Date.now(), {
          traceId,
          spanId: hex(i + 1, 16),
          name: `span ${i}`,
          attributes: [text('db.query.text', 'SELECT 1'), text('http.route', '/x')],
        }),
      )
      const sent: [string, Uint8Array][] = [
        ['traces', encodeTraces(tracesOf(service, spans))],
        ['logs', encodeLogs(oneLog(service, 'written by the exporter'))],
        ['metrics', encodeMetrics(metricsOf(service, everyKindOfMetric(Date.now())))],
      ]
      for (const [signal, body] of sent) {
        const answer = await fetch(`${go.otlpUrl}/v1/${signal}`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-protobuf' },
          body: Buffer.from(body),
        })
        expect(answer.status, `${signal}: ${await answer.text()} ${go.output()}`).toBe(200)
      }
      const store = await openStore({ dataDir, project: 'shop' })
      onTestFinished(() => store.close())
      const stored = await traceById(store, traceId)
      expect(stored).toHaveLength(1013)
      expect(stored[0]).toMatchObject({ service, attributes: { 'http.route': '/x' }, kind: 'server' })
      const count = async (table: string) =>
        Number(
          (
            await rows(clientOf(shop), `SELECT count() AS n FROM ${table} WHERE ServiceName = '${service}'`)
          )[0]!.n,
        )
      expect(await count('otel_logs')).toBe(1)
      expect(await count('otel_metrics_gauge')).toBe(3)
      expect(await count('otel_metrics_histogram')).toBe(2)
      expect(await count('otel_metrics_exponential_histogram')).toBe(1)
      expect(await count('otel_metrics_summary')).toBe(1)
      // The hot columns are filled by the table, whoever inserts.
      expect(
        await rows(
          clientOf(shop),
          `SELECT DISTINCT HttpRoute FROM otel_traces WHERE ServiceName = '${service}'`,
        ),
      ).toEqual([{ HttpRoute: '/x' }])
    },
  )
})
