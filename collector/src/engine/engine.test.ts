import { statSync } from 'node:fs'
import { join } from 'node:path'
import { ClickHouseError, TupleParam } from '@clickhouse/client'
import { describe, expect, test } from 'vitest'
import { missingEngine } from '../test-support/require-engine.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { socketClient } from './client.ts'
import { answers, Engine } from './engine.ts'
import { type Machine, unsupportedReason } from './platform.ts'
import { fillParameters } from './query-parameters.ts'

describe('machines', () => {
  const good: Machine = { platform: 'linux', arch: 'x64', glibcVersion: '2.36', cpuFlags: 'fpu sse avx avx2' }

  test('supported ones pass', () => {
    expect(unsupportedReason(good)).toBeNull()
    expect(unsupportedReason({ ...good, arch: 'arm64', cpuFlags: '' })).toBeNull()
    expect(unsupportedReason({ ...good, platform: 'darwin', glibcVersion: '' })).toBeNull()
  })

  test.each([
    ['win32', { platform: 'win32' }],
    ['musl', { glibcVersion: '' }],
    ['AVX2', { cpuFlags: 'fpu sse avx avx512' }],
    ['ia32', { arch: 'ia32' }],
  ])('%s is refused with the way out', (what, change) => {
    const reason = unsupportedReason({ ...good, ...change })
    expect(reason).toContain(what)
    expect(reason).toContain('HOTSPAN_CLICKHOUSE_URL')
  })
})

describe('query parameters', () => {
  test('only placeholders outside of strings, names and comments are filled', () => {
    const sql =
      'SELECT {a:String}, \'{a:String}\', `{a:String}`, "{a:String}" -- {a:String}\n /* {a:String} */ , {b:Identifier}'
    expect(
      fillParameters(
        sql,
        new Map([
          ['a', "it's"],
          ['b', 'x`y'],
        ]),
      ),
    ).toBe(
      "SELECT _CAST('it\\'s', 'String'), '{a:String}', `{a:String}`, \"{a:String}\" -- {a:String}\n /* {a:String} */ , `x\\`y`",
    )
    expect(() => fillParameters('{c:UInt8}', new Map())).toThrow('`c` is not set')
  })
})

describe.skipIf(missingEngine() !== null)('engine', () => {
  test('the client of ClickHouse works on it: parameters, inserts, errors, settings', {
    timeout: 60_000,
  }, async () => {
    const engine = await Engine.start({ storeDir: join(temporaryDirectory(), 'store') })
    expect(statSync(engine.socketPath).mode & 0o777).toBe(0o600)
    expect(Buffer.byteLength(engine.socketPath)).toBeLessThan(104)
    const client = socketClient(engine.socketPath, 'default')
    const rows = async (query: string, query_params: Record<string, unknown> = {}) =>
      (await client.query({ query, query_params, format: 'JSONEachRow' })).json()

    const hostile = "a'b\\c\n\t\0{x:String}--/*"
    expect(
      await rows(
        'SELECT {s:String} AS s, {l:Array(String)} AS l, {n:Nullable(String)} AS n, {u:UInt64} AS u, {t:Tuple(UInt8, String)}.2 AS t',
        {
          s: hostile,
          l: [hostile, 'x'],
          n: null,
          u: '18446744073709551615',
          t: new TupleParam([7, hostile]),
        },
      ),
    ).toEqual([{ s: hostile, l: [hostile, 'x'], n: null, u: '18446744073709551615', t: hostile }])

    await client.command({ query: 'CREATE TABLE t (a UInt32, s String) ENGINE = MergeTree ORDER BY a' })
    // A blank line inside a value: what the library's own inline insert cuts at.
    await client.insert({
      table: 't',
      values: [
        { a: 1, s: 'x\n\ny' },
        { a: 2, s: 'é' },
      ],
      format: 'JSONEachRow',
    })
    expect(await rows('SELECT * FROM t ORDER BY a')).toEqual([
      { a: 1, s: 'x\n\ny' },
      { a: 2, s: 'é' },
    ])

    const failure = await rows('SELECT * FROM nothing').catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ClickHouseError)
    expect(failure).toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' })
    expect(
      await rows(
        "SELECT {m:Map(String, String)} AS m, {e:Map(String, Array(UInt8))} AS e, {m:Map(String, String)}['a'] AS a",
        {
          m: { a: hostile, "k'": '' },
          e: {},
        },
      ),
    ).toEqual([{ m: { a: hostile, "k'": '' }, e: {}, a: hostile }])
    await expect(rows('SELECT {missing:String}')).rejects.toMatchObject({ code: '456' })
    await expect(rows('SELEC 1')).rejects.toMatchObject({ code: '62' })

    const asked = await client.query({
      query: "SELECT getSetting('max_threads') AS n",
      format: 'JSONEachRow',
      clickhouse_settings: { max_threads: 1, max_execution_time: 5 },
    })
    expect(await asked.json()).toEqual([{ n: 1 }])
    // A setting holds for its request; what the engine was started with comes back.
    // Also when the statements that take it back did not run: one after the other, all of these get the same connection.
    const blockSize = () => rows("SELECT toString(getSetting('max_block_size')) AS n")
    const usual = await blockSize()
    await client.command({ query: 'SELECT 1', clickhouse_settings: { max_block_size: '1234' } })
    const elsewhere = socketClient(engine.socketPath, 'no_such_database')
    await expect(elsewhere.command({ query: 'SELECT 1' })).rejects.toMatchObject({ code: '81' })
    await elsewhere.close()
    expect(await blockSize()).toEqual(usual)
    const many = await Promise.all(
      Array.from({ length: 20 }, () => rows("SELECT getSetting('max_execution_time') AS n")),
    )
    expect(new Set(many.map((each) => JSON.stringify(each)))).toEqual(new Set(['[{"n":60}]']))
    await expect(
      client.query({
        query: 'SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1',
        clickhouse_settings: { max_execution_time: 1 },
      }),
    ).rejects.toMatchObject({ code: '159' })
    const results = await Promise.all(
      Array.from({ length: 101 }, (_, i) => rows('SELECT {i:UInt32} AS i', { i })),
    )
    expect(results.flat()).toEqual(Array.from({ length: 101 }, (_, i) => ({ i })))
    await client.close()
    await engine.close()
    expect(await answers(engine.socketPath, 1000)).toBe(false)
  })

  test('one that stopped answering is killed and started again', { timeout: 60_000 }, async () => {
    const events: string[] = []
    const engine = await Engine.start({
      storeDir: join(temporaryDirectory(), 'store'),
      watchEveryMs: 50,
      answerTimeoutMs: 1000,
      onEvent: (event) => events.push(event),
    })
    const first = engine.pid!
    process.kill(first, 'SIGSTOP')
    await expect.poll(() => engine.pid !== null && engine.pid !== first, { timeout: 30_000 }).toBe(true)
    await expect.poll(() => answers(engine.socketPath, 1000), { timeout: 30_000 }).toBe(true)
    expect(events.join()).toContain('does not answer')
    expect(engine.restarts).toBe(1)
    await engine.close()
  })

  test('an idle one that keeps more memory than it may is started again, once', {
    timeout: 60_000,
  }, async () => {
    const engine = await Engine.start({
      storeDir: join(temporaryDirectory(), 'store'),
      watchEveryMs: 50,
      maxResidentBytes: 1,
    })
    const first = engine.pid
    await expect.poll(() => engine.memoryRestarts, { timeout: 30_000 }).toBe(1)
    await expect
      .poll(() => engine.pid !== first && answers(engine.socketPath, 1000), { timeout: 30_000 })
      .toBe(true)
    const second = engine.pid
    const client = socketClient(engine.socketPath, 'default')
    for (let i = 0; i < 10; i++) await (await client.query({ query: 'SELECT sleep(0.05)' })).text()
    expect(engine.pid).toBe(second)
    await client.close()
    await engine.close()
  })
})
