import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parametersHash } from './parameters-hash.ts'
import { describeSql } from './sql-text.ts'

test.each([
  ['SELECT * FROM products', 'SELECT products', 'SELECT'],
  ["select id from Products p where name = 'x' and n in (1, 2.5, -3e-4)", 'SELECT Products', 'SELECT'],
  ['SELECT a FROM orders o JOIN order_lines l ON l.o = o.id', 'SELECT orders order_lines', 'SELECT'],
  ['INSERT INTO carts (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET n = 1', 'INSERT carts', 'INSERT'],
  ['INSERT INTO a SELECT * FROM b', 'INSERT a SELECT b', 'INSERT'],
  ['UPDATE shop.products SET price = 5 WHERE id = $1', 'UPDATE shop.products', 'UPDATE'],
  ['DELETE FROM "Odd ""Name""" WHERE id = 1', 'DELETE Odd "Name"', 'DELETE'],
  ['WITH top AS (SELECT id FROM reviews) SELECT * FROM top', 'SELECT reviews SELECT top', 'SELECT'],
  ['SELECT * FROM (SELECT 1) x', 'SELECT SELECT', 'SELECT'],
  ['SELECT x FROM t FOR UPDATE', 'SELECT t', 'SELECT'],
  ['SELECT a IS DISTINCT FROM b FROM t', 'SELECT t', 'SELECT'],
  ['BEGIN', 'BEGIN', 'BEGIN'],
  ['CREATE TABLE IF NOT EXISTS things (id int)', 'CREATE things', 'CREATE'],
  ['/* a /* nested */ comment */ SELECT 1 -- trailing', 'SELECT', 'SELECT'],
  ['', 'SQL', ''],
])('%s', (sql, summary, operation) => {
  expect(describeSql(sql)).toMatchObject({ summary, operation })
})

test.each([
  [
    "SELECT 'it''s', E'a\\'b', $$dollar 'q'$$, $tag$ x $tag$, B'101', 12, 1.5e-7, 0xFF",
    'SELECT ?, ?, ?, ?, ?, ?, ?, ?',
  ],
  [
    'SELECT $1, col1, "Column 2" -- it\'s a comment\n FROM t2 WHERE a = $12',
    'SELECT $1, col1, "Column 2" FROM t2 WHERE a = $12',
  ],
  ["SELECT 'never ends", 'SELECT ?'],
  ['SELECT  a ,\n\tb', 'SELECT a , b'],
])('%s is scrubbed', (sql, text) => {
  expect(describeSql(sql).text).toBe(text)
})

test('no literal survives, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer(), (secret, number) => {
      const quoted = `'${secret.replaceAll("'", "''")}'`
      const { text, hasLiterals } = describeSql(
        `SELECT a FROM t WHERE b = ${quoted} AND c = ${Math.abs(number)} /* ${number} */`,
      )
      expect(hasLiterals).toBe(true)
      expect(text).toBe('SELECT a FROM t WHERE b = ? AND c = ?')
    }),
  )
})

test('any text at all is described within its bounds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12_000 }), (sql) => {
      const { summary, text } = describeSql(sql)
      expect(summary.length).toBeLessThanOrEqual(255)
      expect(text.length).toBeLessThanOrEqual(2 * 8192)
    }),
  )
})

test('the hash tells equal parameters from others', () => {
  expect(parametersHash([5], undefined)).toBe(parametersHash(['5'], undefined))
  expect(parametersHash(['ab', 'c'], undefined)).not.toBe(parametersHash(['a', 'bc'], undefined))
  expect(parametersHash([null], undefined)).not.toBe(parametersHash(['null'], undefined))
  expect(parametersHash([new Date(5)], undefined)).toBe(parametersHash([new Date(5)], undefined))
  expect(parametersHash(undefined, "SELECT 'a'")).not.toBe(parametersHash(undefined, "SELECT 'b'"))
  const circular: Record<string, unknown> = {}
  circular.self = circular
  expect(parametersHash([circular], undefined)).toMatch(/^[0-9a-f]{16}$/)
})

test('200,000 different values rarely share a hash', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 200_000; i++) seen.add(parametersHash([i], undefined))
  expect(seen.size).toBeGreaterThan(199_995)
})
