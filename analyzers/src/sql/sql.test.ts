import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeStatement, indexColumns } from './describe.ts'
import { dialectOf } from './dialect.ts'
import { normaliseStatement } from './normalise.ts'

describe('normaliseStatement', () => {
  test.each([
    ["select * from users where id = 5 and name='it''s'", 'SELECT * FROM users WHERE id = ? AND name = ?'],
    ['SELECT a FROM t WHERE id IN ($1, $2, $3)', 'SELECT a FROM t WHERE id IN (?)'],
    ['SELECT a FROM t WHERE id IN ($1)', 'SELECT a FROM t WHERE id IN (?)'],
    [
      'SELECT a FROM t WHERE id IN (SELECT id FROM u WHERE x = 1)',
      'SELECT a FROM t WHERE id IN (SELECT id FROM u WHERE x = ?)',
    ],
    ['INSERT INTO t (a, b) VALUES (1, 2), (3, 4),(5, 6)', 'INSERT INTO t(a, b) VALUES (?)'],
    ['/* trace=1 */ SELECT 1 -- why\n, 2', 'SELECT ?, ?'],
    ['SELECT\n  "a"."b"   FROM "t" LIMIT 20 OFFSET 40;', 'SELECT a.b FROM t LIMIT ? OFFSET ?'],
    ['SELECT x FROM t WHERE y > -1.5e3', 'SELECT x FROM t WHERE y > ?'],
    ['SELECT - -1, a - -1', 'SELECT ?, a - ?'],
    ["SELECT $tag$ it's $tag$, E'a\\'b'", 'SELECT ?, ?'],
    ['SELECT count(*) FROM t WHERE a = ANY($1::int[])', 'SELECT count(*) FROM t WHERE a = ANY (?::int[])'],
  ])('%s', (statement, expected) => {
    expect(normaliseStatement(statement!)).toBe(expected)
  })

  test('is idempotent on whatever is well formed', () => {
    const words =
      'SELECT FROM WHERE IN VALUES AND a b.c "Q" ( ) , = < - $1 1 0x1f \'s\' /*c*/ ? :: ; IN(1,2)'.split(' ')
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 30 }), (parts) => {
        const once = normaliseStatement(parts.join(' '))
        expect(normaliseStatement(once)).toBe(once)
      }),
    )
  })

  test('never throws, never grows without bound, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(normaliseStatement(text).length).toBeLessThanOrEqual(3 * text.length + 2)
        describeStatement(text)
      }),
    )
    expect(normaliseStatement(`SELECT ${'('.repeat(1e5)}`).length).toBeLessThan(2e5)
  })

  test('values never change the result', () => {
    fc.assert(
      fc.property(fc.nat(), fc.stringMatching(/^[a-z ]*$/), fc.nat(), fc.string(), (a, b, c, d) => {
        const statement = (n: number, s: string) =>
          `SELECT x FROM t WHERE a = ${n} AND b = '${s.replaceAll("'", "''").replaceAll('\\', '')}'`
        expect(normaliseStatement(statement(a, b))).toBe(normaliseStatement(statement(c, d)))
      }),
    )
  })
})

describe('describeStatement', () => {
  test('names tables, predicates and the index that serves them', () => {
    const described = describeStatement(
      'SELECT r.id, u.name FROM public.reviews r JOIN users AS u ON u.id = r.user_id WHERE r.product_id = $1 AND r.rating >= $2',
    )
    expect(described.tables).toEqual(['public.reviews', 'users'])
    expect(described.kind).toBe('read')
    expect(indexColumns(described)).toEqual({ table: 'public.reviews', columns: ['product_id', 'rating'] })
  })

  test.each([
    ['SELECT * FROM reviews WHERE product_id = $1', 'reviews (product_id)'],
    ['SELECT avg(rating), count(*) FROM "reviews" WHERE "product_id" = ANY($1)', 'reviews (product_id)'],
    [
      'SELECT * FROM reviews WHERE product_id = $1 ORDER BY created_at DESC LIMIT 10',
      'reviews (product_id, created_at)',
    ],
    [
      'SELECT o.* FROM order_lines o, products p WHERE o.product_id = p.id AND p.slug = $1',
      'products (slug)',
    ],
    ['UPDATE carts SET total = $1 WHERE session_id = $2', 'carts (session_id)'],
  ])('%s', (statement, expected) => {
    const { table, columns } = indexColumns(describeStatement(statement))!
    expect(`${table} (${columns.join(', ')})`).toBe(expected)
  })

  test('advice is in the words of the system', () => {
    const columns = ['product_id', 'rating']
    expect(dialectOf('postgresql').createIndex('reviews', columns)).toBe(
      'CREATE INDEX CONCURRENTLY ON reviews (product_id, rating)',
    )
    for (const system of ['mysql', 'mariadb', 'sqlite', 'other_sql'])
      expect(dialectOf(system).createIndex('shop.reviews', columns)).toBe(
        'CREATE INDEX shop_reviews_product_id_rating_idx ON shop.reviews (product_id, rating)',
      )
    expect(dialectOf('mysql').analyze('SELECT 1')).toBe('EXPLAIN ANALYZE SELECT 1')
    expect(dialectOf('other_sql').analyze('SELECT 1')).toBe('EXPLAIN SELECT 1')
  })

  test('no index for patterns, keys and statements without a filter', () => {
    for (const statement of [
      'SELECT * FROM t WHERE name ILIKE $1',
      'SELECT * FROM t WHERE id = $1',
      'SELECT count(*) FROM t',
    ])
      expect(indexColumns(describeStatement(statement))).toBeNull()
  })

  test.each([
    ['BEGIN', 'control'],
    ['COMMIT', 'control'],
    ['SELECT 1', 'control'],
    ['FETCH 100 FROM c', 'control'],
    ['SAVEPOINT a', 'control'],
    ['CREATE INDEX i ON t (a)', 'ddl'],
    ['SELECT * FROM t FOR UPDATE', 'write'],
    ['INSERT INTO t VALUES (1)', 'write'],
    ['WITH x AS (SELECT 1) SELECT * FROM x', 'read'],
    ['WITH x AS (DELETE FROM t RETURNING id) SELECT * FROM x', 'write'],
  ])('%s is %s', (statement, kind) => {
    expect(describeStatement(statement).kind).toBe(kind)
  })

  test('pages are seen: offset and keyset', () => {
    expect(describeStatement('SELECT * FROM t ORDER BY id LIMIT 10 OFFSET 20').isPage).toBe(true)
    expect(describeStatement('SELECT * FROM t WHERE id > $1 ORDER BY id LIMIT 10').isPage).toBe(true)
    expect(describeStatement('SELECT * FROM t WHERE product_id = $1 ORDER BY id LIMIT 3').isPage).toBe(false)
  })
})
