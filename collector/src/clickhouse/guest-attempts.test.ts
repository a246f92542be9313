import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { ClickHouseClient } from '@clickhouse/client'
import { encodeTraces } from '@hotspan/otlp'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createToken } from '../access/token-file.ts'
import { type Collector, createCollector } from '../collector.ts'
import { closedSystemTables, openSystemTables } from '../engine/system-tables.ts'
import { hex, madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { closedFunctions } from './guest-functions.ts'

const slow = { timeout: 60_000 }
const secret = 'nobody-elses-business'

describe.skipIf(missingEngine() !== null)('guests of the ClickHouse interface, as attackers', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  const shop = createToken(dataDir, { kind: 'read', project: 'shop' }).token
  const bankWrites = createToken(dataDir, { kind: 'write', project: 'bank' }).token
  const path = join(dataDir, 'secret.txt')
  let collector: Collector
  let engine: ClickHouseClient

  const ask = async (token: string, sql: string, query = '', headers: Record<string, string> = {}) => {
    const answer = await fetch(`${collector.clickHouseUrl}/?${query}`, {
      method: 'POST',
      headers: { 'x-clickhouse-key': token, ...headers },
      body: sql,
    })
    return { status: answer.status, text: await answer.text() }
  }
  const rows = async <T>(query: string, query_params = {}): Promise<T[]> =>
    (await engine.query({ query, query_params, format: 'JSONEachRow' })).json<T>()

  beforeAll(async () => {
    writeFileSync(path, secret)
    collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      pagePort: 0,
      clickHousePort: 0,
      clickHouseInserts: true,
    })
    engine = collector.store.client
    const span = madeSpan(Date.now(), { traceId: hex(1, 32), spanId: hex(1, 16), name: secret })
    const sent = await fetch(`${collector.otlpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf', authorization: `Bearer ${bankWrites}` },
      body: Buffer.from(encodeTraces(tracesOf(secret, [span]))),
    })
    expect(sent.status).toBe(200)
    await collector.flush()
    // Both projects are known from here on.
    expect((await ask(shop, 'SELECT 1')).text).toBe('1\n')
    expect((await ask(bankWrites, 'DESC otel_traces')).status).toBe(200)
  }, 60_000)

  afterAll(async () => {
    await collector.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  test('a read token gets at no file of the machine', slow, async () => {
    const call = (name: string) => `SELECT ${name}('${path}')`
    const attempts = [
      ...[
        'file',
        '`file`',
        '"file"',
        '`f\\x69le`',
        '`f\\151le`',
        '`f\\u0069le`',
        '"\\x66\\x69\\x6c\\x65"',
        '`f\\ile`',
      ].map(call),
      ...[
        'file/**/',
        'file -- x\n',
        'file # x\n',
        'file #!\n',
        '/*/**/file',
        'file\f',
        'file\u00a0',
        'file\u200b',
      ].map(call),
      `SELECT arrayMap(file, ['${path}'])`,
      `SELECT arrayMap(\`file\`, ['${path}'])`,
      `SELECT arrayMap(x -> file(x), ['${path}'])`,
      `SELECT arrayMap((file), ['${path}'])`,
      `SELECT arrayMap(file AS f, ['${path}'])`,
      `SELECT mapApply(file, map('${path}', 1))`,
      `WITH (x -> file(x)) AS f SELECT f('${path}')`,
      `SELECT * APPLY file FROM (SELECT '${path}')`,
      `SELECT * APPLY(file) FROM (SELECT '${path}')`,
      `SELECT * APPLY x -> file(x) FROM (SELECT '${path}')`,
      `SELECT COLUMNS('p') APPLY file FROM (SELECT '${path}' AS p)`,
      `SELECT $t$ ' $t$, file('${path}') --'`,
      `SELECT '\\', file('${path}'), '\\''`,
      `SELECT 'a'' , file('${path}'), '`,
      `SELECT \`a\`\`, file('${path}'), \`b\``,
      `SELECT 1 AS "x\\", file('${path}') AS "y"`,
      `SELECT CAST(file('${path}') AS String)`,
      `SELECT if(1, file('${path}'), '')`,
      `SELECT 1 WHERE file('${path}') = ''`,
      `SELECT throwIf(1, file('${path}'))`,
      `EXPLAIN SYNTAX SELECT file('${path}')`,
      `EXPLAIN PLAN SELECT file('${path}')`,
      `EXPLAIN QUERY TREE SELECT file('${path}')`,
      `DESCRIBE (SELECT file('${path}'))`,
      `SELECT catboostEvaluate('${path}', 1)`,
      `SELECT * FROM file('${path}', 'LineAsString')`,
      `SELECT * FROM FILE('${path}', LineAsString, 'x String')`,
      `SELECT * FROM filesystem('${dataDir}')`,
      `SELECT * FROM fileCluster('default', '${path}', 'LineAsString')`,
      `SELECT * FROM url('file://${path}', 'LineAsString')`,
      `SELECT * FROM sqlite('${path}', 'x')`,
      `SELECT * FROM executable('cat', 'TSV', 'a String')`,
      `SELECT * FROM icebergLocal('${dataDir}')`,
      `SELECT * FROM deltaLakeLocal('${dataDir}')`,
      `SELECT * FROM view(SELECT file('${path}'))`,
      `SELECT * FROM viewIfPermitted(SELECT file('${path}') ELSE null('x String'))`,
      `SELECT * FROM viewExplain('EXPLAIN PLAN', '', (SELECT file('${path}')))`,
      `SELECT * FROM eval('SELECT file(''${path}'')')`,
      `SELECT * FROM '${path}'`,
      `SELECT * FROM \`${path}\``,
      `SELECT 1 INTO OUTFILE '${path}.out'`,
      `SELECT 1 INTO/**/OUTFILE '${path}.out' TRUNCATE`,
      `SELECT 1 FORMAT Template SETTINGS format_template_resultset = '${path}'`,
      `SELECT 1 FORMAT Template SETTINGS max_threads = -1, format_template_resultset = '${path}'`,
      `SELECT 1 FORMAT Protobuf SETTINGS format_schema = '${path}:M'`,
      `SELECT formatRow('Template', 1) SETTINGS \`format_template_row\` = '${path}'`,
      `CREATE FUNCTION f AS x -> file(x)`,
      `BACKUP TABLE otel_traces TO File('${path}.bak')`,
    ]
    for (const sql of attempts) {
      const { status, text } = await ask(shop, sql)
      expect(text, sql).not.toContain(secret)
      expect(status, sql).toBeGreaterThanOrEqual(400)
    }
    const urls: [string, string][] = [
      [`param_f=file&query=${encodeURIComponent(`SELECT {f:Identifier}('${path}')`)}`, ''],
      [`param_f=file&query=${encodeURIComponent(`SELECT {f /**/ : Identifier}('${path}')`)}`, ''],
      [`param_f=f%5Cx69le&query=${encodeURIComponent(`SELECT {f:Identifier}('${path}')`)}`, ''],
      [`param_f=x%60(file('${path}'))%60&query=${encodeURIComponent('SELECT {f:Identifier}')}`, ''],
      [
        `param_t=String')%2C file('${path}')%2C('&query=${encodeURIComponent('SELECT {t:String}, {t:Identifier}')}`,
        '',
      ],
      [`param_a=1&query=${encodeURIComponent(`SELECT {a:UInt8'), file('${path}'}`)}`, ''],
      [`format_template_resultset=${path}`, 'SELECT 1 FORMAT Template'],
      [`format_schema=${path}`, 'SELECT 1'],
      ['default_format=Template%20SETTINGS', 'SELECT 1'],
      [`query=SELECT&default_format=${encodeURIComponent(`TSV; SELECT file('${path}')`)}`, '1'],
      ['role=operator', `SELECT file('${path}')`],
    ]
    for (const [query, body] of urls) {
      const { text } = await ask(shop, body, query)
      expect(text, query).not.toContain(secret)
    }
    const zipped = await fetch(`${collector.clickHouseUrl}/`, {
      method: 'POST',
      headers: { 'x-clickhouse-key': shop, 'content-encoding': 'gzip', 'x-hotspan-role': 'operator' },
      body: gzipSync(`SELECT \`f\\x69le\`('${path}')`),
    })
    expect(zipped.status).toBe(403)
  })

  test(
    'a read token learns nothing of other projects, of what they ask, and of the machine',
    slow,
    async () => {
      const attempts = [
        ...[...closedSystemTables].flatMap((table) => [
          `SELECT * FROM system.${table}`,
          `SELECT * FROM "system"."${table}"`,
        ]),
        'SELECT query FROM `s\\x79stem`.`processes`',
        'SELECT query FROM system/**/./**/processes',
        'SELECT query FROM system\n.\nprocesses',
        'SELECT query FROM SYSTEM.processes',
        'SELECT query FROM `system.processes`',
        'SELECT * FROM (SELECT * FROM system.errors)',
        'WITH e AS (SELECT * FROM system.errors) SELECT * FROM e',
        'SELECT 1 IN system.processes',
        'SELECT 1 FROM otel_traces JOIN system.processes ON 1',
        'SELECT 1, (SELECT any(query) FROM system.processes)',
        "SELECT * FROM merge('system', 'processes')",
        "SELECT * FROM cluster('default', system.processes)",
        "SELECT * FROM remote('127.0.0.1', system, processes)",
        'SELECT * FROM loop(system, processes)',
        ...[
          'SHOW PROCESSLIST',
          'SHOW FULL PROCESSLIST',
          'SHOW GRANTS',
          'SHOW ACCESS',
          'SHOW USERS',
          'SHOW ENGINES',
          'SHOW CLUSTERS',
          'SHOW MERGES',
        ],
        ...[
          "SHOW SETTINGS LIKE '%'",
          'SHOW CREATE USER default',
          'SHOW CREATE ROLE operator',
          'SHOW CREATE DATABASE hotspan_bank',
        ],
        ...[
          'SHOW CREATE hotspan_bank.otel_traces',
          'SHOW TABLES FROM hotspan_bank',
          'SHOW COLUMNS FROM otel_traces FROM hotspan_bank',
          'SHOW INDEX FROM hotspan_bank.otel_traces',
        ],
        ...[
          'DESC hotspan_bank.otel_traces',
          'EXPLAIN SELECT * FROM hotspan_bank.otel_traces',
          'EXPLAIN AST SELECT * FROM system.processes',
        ],
        'EXISTS hotspan_bank.otel_traces',
        ...[...closedFunctions].map((name) => `SELECT ${name}()`),
        "SELECT joinGet('hotspan_bank.otel_traces', 'SpanName', 1)",
        'SELECT * FROM hotspan_bank.otel_traces',
        'SELECT * FROM `hotspan_bank`.otel_traces',
        'SELECT * FROM `hotspan_bank.otel_traces`',
        'SELECT * FROM hotspan_bank.`.inner.x`',
        'SELECT * FROM mergeTreeIndex(hotspan_bank, otel_traces)',
        'SELECT * FROM mergeTreeProjection(hotspan_bank, otel_traces, x)',
        'SELECT * FROM otel_traces UNION ALL SELECT * FROM hotspan_bank.otel_traces',
        'SELECT * FROM otel_traces WHERE TraceId IN (SELECT TraceId FROM hotspan_bank.otel_traces)',
        "SELECT dictGet('hotspan_bank.x', 'y', 1)",
        "SELECT 1 SETTINGS additional_table_filters = {'hotspan_bank.otel_traces': '1'}",
        "SELECT 1 SETTINGS max_threads = -1, additional_result_filter = 'hasColumnInTable(''hotspan_bank'', ''x'', ''y'')'",
        ...[
          'SELECT 1; SELECT 2',
          'SELECT 1;; SET ROLE operator',
          'SELECT 1 PARALLEL WITH SELECT 2',
          'SET ROLE operator',
          'USE hotspan_bank',
          'SET readonly = 0',
        ],
        ...[
          'KILL QUERY WHERE 1',
          'SYSTEM SHUTDOWN',
          'SYSTEM FLUSH LOGS',
          'OPTIMIZE TABLE otel_traces',
          'CHECK TABLE otel_traces',
          'ATTACH TABLE x',
          'GRANT operator TO default',
        ],
        ...[
          'CREATE TEMPORARY TABLE x (a UInt8)',
          'CREATE VIEW v AS SELECT 1',
          'CREATE OR REPLACE VIEW v AS SELECT * FROM hotspan_bank.otel_traces',
          'EXECUTE AS default SELECT 1',
        ],
        'INSERT INTO otel_traces SELECT * FROM hotspan_bank.otel_traces',
        'INSERT INTO otel_traces FORMAT Native',
        'WITH x AS (SELECT 1) INSERT INTO otel_traces SELECT * FROM x',
      ]
      for (const sql of attempts) {
        const { status, text } = await ask(shop, sql)
        // Nothing is an answer too: SHOW of what a role does not see.
        if (status < 400) expect(text.trim(), sql).toMatch(/^0?$/)
        expect(text, sql).not.toContain(secret)
      }
      const own =
        "SELECT count() FROM system.tables WHERE database LIKE 'hotspan%' AND database != 'hotspan_shop'"
      expect((await ask(shop, own)).text).toBe('0\n')
      for (const query of ['database=hotspan_bank', 'database=system', 'user=operator&database=system']) {
        expect((await ask(shop, 'SELECT * FROM processes', query)).status, query).toBeGreaterThanOrEqual(400)
      }
    },
  )

  test('a write token reads nothing, whatever it describes', slow, async () => {
    for (const sql of [
      `DESCRIBE format(JSONEachRow, (SELECT concat('{"', ServiceName, '":1}') FROM otel_traces LIMIT 1))`,
      `DESC TABLE format('JSONEachRow', (SELECT concat('{"', ServiceName, '":1}') FROM otel_traces LIMIT 1))`,
      'DESCRIBE (SELECT * FROM otel_traces)',
      'DESCRIBE view(SELECT 1 FROM otel_traces)',
      'DESC otel_traces SETTINGS max_threads = 1',
      'DESC (otel_traces)',
      'EXPLAIN SELECT 1',
      'EXISTS otel_traces',
      'SHOW TABLES',
      'SELECT SpanName FROM otel_traces',
      'INSERT INTO otel_traces SELECT SpanName FROM otel_traces',
      "INSERT INTO otel_traces SETTINGS max_threads = -1, format_schema = 'x' FORMAT Native",
    ]) {
      const { status, text } = await ask(bankWrites, sql)
      expect(status, sql).toBeGreaterThanOrEqual(400)
      expect(text, sql).not.toContain(secret)
    }
  })

  test(
    "behind the guard stands the engine: a role's question sees no rows of what is closed, and no other project",
    slow,
    async () => {
      const owner = JSON.parse(readFileSync(join(dataDir, 'owner.json'), 'utf8')) as { engineSocket: string }
      const guest = async (sql: string) => {
        const found = await new Promise<string>((resolve, reject) => {
          get(
            {
              socketPath: owner.engineSocket,
              path: `/?query=${encodeURIComponent(sql)}`,
              headers: { 'x-hotspan-role': 'reader_of_hotspan_shop' },
            },
            async (answer) => {
              let text = ''
              for await (const chunk of answer.setEncoding('utf8')) text += chunk
              resolve(text)
            },
          ).once('error', reject)
        })
        return found.trim()
      }
      const existing = await rows<{ name: string }>(
        "SELECT name FROM system.tables WHERE database = 'system'",
      )
      for (const { name } of existing) {
        if (openSystemTables.has(name)) continue
        expect(await guest(`SELECT count() FROM system.${name}`), name).toMatch(/^0$|ACCESS_DENIED|Exception/)
      }
      expect(await guest('SELECT * FROM hotspan_bank.otel_traces')).toContain('ACCESS_DENIED')
      expect(await guest(`SELECT * FROM file('${path}', 'LineAsString')`)).toContain('ACCESS_DENIED')
    },
  )

  test('clients that hang up while they wait keep no turn', slow, async () => {
    const endless =
      '/?max_execution_time=60&query=' +
      encodeURIComponent('SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1')
    const begin = () => {
      const asking = get(collector.clickHouseUrl + endless, { headers: { 'x-clickhouse-key': shop } })
      asking.once('error', () => undefined)
      onTestFinished(() => void asking.destroy())
      return asking
    }
    const running = async () =>
      Number(
        (
          await rows<{ n: string }>(
            "SELECT count() AS n FROM system.processes WHERE query LIKE '%sipHash64 ( number )%' AND query NOT LIKE '%processes%'",
          )
        )[0]!.n,
      )
    const slowOnes = Array.from({ length: 4 }, begin)
    await expect.poll(running, slow).toBe(4)
    const waiting = Array.from({ length: 4 }, begin)
    await Promise.all(
      waiting.map((asking) => new Promise<void>((resolve) => asking.once('finish', () => resolve()))),
    )
    const ping = () => fetch(`${collector.clickHouseUrl}/ping`).then((answer) => answer.text())
    // Answered after those before it have been read.
    await ping()
    const last = ask(shop, 'SELECT 1')
    for (const asking of waiting) asking.destroy()
    await ping()
    for (const asking of slowOnes) asking.destroy()
    expect((await last).text).toBe('1\n')
    expect(await Promise.all(Array.from({ length: 8 }, () => ask(shop, 'SELECT 2')))).toEqual(
      Array(8).fill({ status: 200, text: '2\n' }),
    )
    await expect.poll(running, slow).toBe(0)
  })

  test(
    'an answer past its bound is refused with the bound and the way out, and its memory goes back',
    slow,
    async () => {
      const before = collector.stats().engineMemoryBytes
      const answers = await Promise.all(
        [70_000, 150_000, 150_000, 250_000].map((n) =>
          ask(shop, `SELECT repeat('x', 1000) FROM numbers(${n})`),
        ),
      )
      for (const { status, text } of answers) {
        expect(status).toBe(500)
        expect(text).toMatch(
          /^Code: (?:241|396)\..*64 MiB is the bound of one answer here: .*LIMIT.*time range.*FORMAT/s,
        )
      }
      const wide = await ask(
        shop,
        `SELECT number AS ${'n'.repeat(1000)} FROM numbers(100000) FORMAT JSONEachRow`,
      )
      expect(wide.text).toContain('64 MiB is the bound')
      const zipped = await fetch(
        `${collector.clickHouseUrl}/?enable_http_compression=1&query=${encodeURIComponent("SELECT repeat('x', 1000) FROM numbers(50000)")}`,
        { headers: { 'x-clickhouse-key': shop, 'accept-encoding': 'gzip' } },
      )
      expect(zipped.headers.get('content-encoding')).toBe('gzip')
      expect(await zipped.text()).toHaveLength(50_000 * 1001)
      // Where the system tells: otherwise both are 0.
      await expect
        .poll(() => collector.stats().engineMemoryBytes, slow)
        .toBeLessThanOrEqual(before + 300 * 1024 * 1024)
      expect(collector.stats().engineMemoryRestarts).toBe(0)
    },
  )
})
