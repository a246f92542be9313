import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeMongoCommand } from './mongodb-text.ts'
import { describeCommand, keyShape } from './redis-text.ts'
import { describeSql } from './sql-text.ts'

describe('MySQL', () => {
  test.each([
    [
      `SELECT \`a\`, "it\\"s", 'b\\'c' FROM \`shop\`.\`items\` WHERE n = 0x1F # 'comment'\n AND m = 2 -- more`,
      'SELECT `a`, ?, ? FROM `shop`.`items` WHERE n = ? AND m = ?',
      'SELECT shop.items',
    ],
    ['/* a /* b */ SELECT $a FROM t', 'SELECT $a FROM t', 'SELECT t'],
    ["REPLACE INTO items VALUES (1, 'x')", 'REPLACE INTO items VALUES (?, ?)', 'REPLACE items'],
    ["SELECT 'ends with a backslash\\\\' FROM t", 'SELECT ? FROM t', 'SELECT t'],
    [
      'SELECT name FROM items WHERE id IN (?, ?)',
      'SELECT name FROM items WHERE id IN (?, ?)',
      'SELECT items',
    ],
  ])('%s', (sql, text, summary) => {
    expect(describeSql(sql, 'mysql')).toMatchObject({ text, summary })
  })

  test('no literal survives, however it is quoted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom("'", '"'), (secret, quote) => {
        const escaped = secret.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)
        const { text } = describeSql(
          `SELECT a FROM t WHERE b = ${quote}${escaped}${quote} AND c = ?`,
          'mysql',
        )
        expect(text).toBe('SELECT a FROM t WHERE b = ? AND c = ?')
      }),
    )
  })
})

describe('Redis', () => {
  test.each([
    ['get', ['product:3'], 'get product:?'],
    ['GET', ['hits'], 'GET hits'],
    ['set', ['user:bob', 'secret', 'EX', 5], 'set user:? ?'],
    ['hset', ['shop:cart:9f8e', 'a', 'b'], 'hset shop:cart:? ?'],
    ['get', ['bob@example.com'], 'get ?'],
    ['get', [Buffer.from('product:3')], 'get product:?'],
    ['auth', ['password'], 'auth ?'],
    ['eval', ['return 1', 0], 'eval ?'],
    ['ping', [], 'ping'],
    ['get', [''], 'get ?'],
  ])('%s %j', (name, args, text) => {
    expect(describeCommand(name, args, 0)).toBe(text)
  })

  test('no digit and nothing but words of a key is reported', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (key) => {
        const shape = keyShape(key)
        expect(shape).toMatch(/^[A-Za-z_?:/.|-]*$/)
        expect(shape.length).toBeLessThanOrEqual(Math.max(key.length, 1) * 2)
      }),
    )
  })
})

describe('MongoDB', () => {
  test.each([
    [
      { find: 'books', filter: { _id: { $in: [1, 2, 3] }, at: new Date(0) }, lsid: { id: 1 } },
      '{"find":"?","filter":{"_id":{"$in":["?"]},"at":"?"}}',
    ],
    [{ insert: 'books', documents: [{ a: 1, b: { c: 'x' } }, { other: 1 }] }, '{"a":"?","b":{"c":"?"}}'],
    [
      { aggregate: 'books', pipeline: [{ $match: { a: 1 } }, { $group: { _id: '$a' } }] },
      '{"aggregate":"?","pipeline":[{"$match":{"a":"?"}},{"$group":{"_id":"?"}}]}',
    ],
    [{ find: 'books', filter: new Map([['a', 1]]) }, '{"find":"?","filter":{"a":"?"}}'],
  ])('%j', (command, text) => {
    expect(describeMongoCommand(command)).toBe(text)
  })

  test('no value survives, and the text is bounded, whatever the documents are', () => {
    fc.assert(
      fc.property(fc.object({ key: fc.constantFrom('a', 'b', '$in'), values: [fc.nat()] }), (filter) => {
        const text = describeMongoCommand({ find: 'books', filter })
        expect(text).not.toMatch(/\d/)
        expect(text.length).toBeLessThanOrEqual(4096)
      }),
    )
    const circular: Record<string, unknown> = {}
    circular.self = circular
    expect(describeMongoCommand({ find: 'books', filter: circular }).length).toBeLessThan(200)
  })
})
