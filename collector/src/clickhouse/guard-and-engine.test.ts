import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { closedSystemTables, openSystemTables } from '../engine/system-tables.ts'
import { openStore, type Store } from '../store.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { closedFunctions, openFunctions } from './guest-functions.ts'
import { StatementRefused, sqlTokens } from './sql-tokens.ts'
import { guardStatement } from './statement-guard.ts'

const slow = { timeout: 60_000 }
// Equal in every run; with HOTSPAN_TEST_SEED the random statements are others.
const seed = Number(process.env.HOTSPAN_TEST_SEED ?? 1013)

describe.skipIf(missingEngine() !== null)('what the guard reads, beside what the engine reads', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  let store: Store

  const rows = async <T>(query: string, query_params = {}): Promise<T[]> =>
    (await store.client.query({ query, query_params, format: 'JSONEachRow' })).json<T>()

  beforeAll(async () => {
    store = await openStore({ dataDir })
  }, 60_000)

  afterAll(async () => {
    await store.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  test('every function and every system table of this engine has been judged', slow, async () => {
    const functions = await rows<{ name: string }>('SELECT name FROM system.functions')
    expect(
      functions.filter(({ name }) => !openFunctions.has(name.toLowerCase()) && !closedFunctions.has(name)),
    ).toEqual([])
    expect(
      functions.filter(({ name }) => openFunctions.has(name.toLowerCase()) && closedFunctions.has(name)),
    ).toEqual([])
    const tables = await rows<{ name: string }>("SELECT name FROM system.tables WHERE database = 'system'")
    expect(tables.filter(({ name }) => !openSystemTables.has(name) && !closedSystemTables.has(name))).toEqual(
      [],
    )
  })

  test(
    'quoted names: the engine reads what the guard has read, or the statement is refused',
    slow,
    async () => {
      const piece = fc.constantFrom(
        'a',
        'file',
        'x',
        '6',
        '\\',
        '\\\\',
        '\\x69',
        '\\151',
        '\\u0069',
        '``',
        '""',
        "'",
        "''",
        '--',
        '/*',
        '*/',
        '#',
        '$',
        ' ',
        '.',
        'ü',
        '\n',
        '{',
        '}',
        ';',
      )
      const quoted = fc
        .tuple(fc.constantFrom('`', '"'), fc.array(piece, { minLength: 1, maxLength: 6 }))
        .map(([quote, parts]) => `${quote}${parts.join('')}${quote}`)
      const names = new Map<string, string>()
      for (const text of fc.sample(quoted, { seed, numRuns: 4000 })) {
        try {
          const [token, ...rest] = sqlTokens(text)
          if (rest.length === 0 && token?.kind === 'name' && token.value !== '') names.set(token.value, text)
        } catch (error) {
          expect(error).toBeInstanceOf(StatementRefused)
        }
      }
      expect(names.size).toBeGreaterThan(500)
      const read = async (sqls: Iterable<string>) => {
        const sql = `SELECT ${[...sqls].map((name) => `1 AS ${name}`).join(', ')}`
        return Object.keys((await rows<Record<string, number>>(sql))[0]!)
      }
      expect(new Set(await read(names.values()))).toEqual(new Set(names.keys()))
      const sent = [...names.values()].map((text) =>
        guardStatement(`SELECT 1 AS ${text}`, 'x').sql.slice('SELECT 1 AS '.length),
      )
      expect(new Set(await read(sent))).toEqual(new Set(names.keys()))
    },
  )

  test('statements: the engine reads the same in what came and in what is sent on', slow, async () => {
    const part = fc.constantFrom(
      ...[
        "'a'",
        "'it''s'",
        "'\\''",
        "'\\x27'",
        "'\\\\'",
        "'--'",
        "'/*'",
        "'`'",
        '`a`',
        '`a``b`',
        '"c"',
        '"c""d"',
        "`'`",
        '"\'"',
      ],
      ...[
        'x',
        'lower',
        'x.y',
        '1',
        '1.5',
        '1e3',
        '0x1F',
        '.5',
        '1_000',
        '-',
        '+',
        '*',
        '/',
        '||',
        '->',
        '<=',
        '>=',
        '!=',
        '<>',
        '==',
        '<',
        '>',
      ],
      ...[
        '(',
        ')',
        '[',
        ']',
        ',',
        '?',
        ':',
        '.',
        ' ',
        '\n',
        '-- c\n',
        '--',
        '/* c */',
        '/*',
        '*/',
        '# c\n',
        '#! c\n',
        ' AS ',
        ' IN ',
        ' AND ',
        ' FROM t',
      ],
      ...[
        "lower('A')",
        '(1, 2)',
        '[1, 2]',
        '(x -> x)',
        'CASE WHEN 1 THEN 2 END',
        'x BETWEEN 1 AND 2',
        "INTERVAL '1' DAY",
      ],
    )
    const statement = fc
      .array(part, { minLength: 1, maxLength: 9 })
      .map((parts) => `SELECT ${parts.join('')}`)
    const pairs: [string, string][] = []
    for (const sql of fc.sample(statement, { seed, numRuns: 6000 })) {
      try {
        pairs.push([sql, guardStatement(sql, 'x').sql])
      } catch (error) {
        expect(error).toBeInstanceOf(StatementRefused)
      }
    }
    const formatted = await rows<{ came: string; came_as: string | null; sent_as: string | null }>(
      `SELECT pair.1 AS came, formatQuerySingleLineOrNull(pair.1) AS came_as, formatQuerySingleLineOrNull(pair.2) AS sent_as
      FROM (SELECT arrayJoin(arrayZip({came:Array(String)}, {sent:Array(String)})) AS pair)`,
      { came: pairs.map(([came]) => came), sent: pairs.map(([, sent]) => sent) },
    )
    // What the engine cannot read as it came is no matter, if what is sent is not another statement.
    const readable = formatted.filter(({ came_as }) => came_as !== null)
    expect(readable.length).toBeGreaterThan(200)
    expect(readable.filter(({ came_as, sent_as }) => sent_as !== null && came_as !== sent_as)).toEqual([])
  })
})
