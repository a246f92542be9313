import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type ShopDatabase, startDatabase } from '@hotspan/example-shop'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { postgresMissing } from '../testing/requirements.ts'
import { findPostgres, PostgresMissingError } from './binaries.ts'

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, under another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

test('a machine without PostgreSQL is told which package to install', () => {
  expect(() => findPostgres('/nowhere', '/nowhere')).toThrow(PostgresMissingError)
  expect(() => findPostgres('/nowhere', '/nowhere')).toThrow(/apt-get install postgresql/)
})

const reason = postgresMissing()

describe.skipIf(reason)('the database of the shop', () => {
  let database: ShopDatabase
  let client: pg.Client

  beforeAll(async () => {
    database = await startDatabase()
    client = new pg.Client({ connectionString: database.url })
    await client.connect()
  })
  afterAll(async () => {
    await client?.end()
    await database?.close()
  })

  test('holds two million rows that are the same on every machine', async () => {
    const { rows } = await client.query(`
      SELECT (SELECT count(*) FROM products)::int AS products,
        (SELECT count(*) FROM reviews)::int AS reviews,
        (SELECT count(*) FROM order_lines)::int AS order_lines,
        (SELECT md5(string_agg(md5(p::text), '' ORDER BY id)) FROM products p) AS products_md5,
        (SELECT md5(string_agg(md5(r::text), '' ORDER BY id)) FROM reviews r WHERE id % 100 = 0) AS reviews_md5,
        (SELECT md5(string_agg(md5(o::text), '' ORDER BY id)) FROM order_lines o WHERE id % 100 = 0) AS lines_md5,
        (SELECT sum(rating) FROM reviews)::int AS ratings,
        (SELECT sum(quantity * unit_price_cents::bigint) FROM order_lines)::text AS turnover`)
    expect(rows[0]).toMatchInlineSnapshot(`
      {
        "lines_md5": "06c632f86db2728c4667b3c41cbfe245",
        "order_lines": 2400000,
        "products": 5000,
        "products_md5": "fe800bc68e8fa71b4e626c9502da2346",
        "ratings": 4947881,
        "reviews": 1200000,
        "reviews_md5": "174e422ad596356c47b86ee5d378bd93",
        "turnover": "62324771998",
      }
    `)
    expect(rows[0].reviews + rows[0].order_lines).toBeGreaterThanOrEqual(2_000_000)
  })

  test('spreads reviews and sales over all products', async () => {
    const { rows } = await client.query(`
      SELECT count(*)::int AS products, min(n)::int AS least
      FROM (SELECT product_id, count(*) AS n FROM reviews GROUP BY product_id) counted`)
    expect(rows[0].products).toBe(5_000)
    expect(rows[0].least).toBeGreaterThan(100)
  })

  test('is gone after close', async () => {
    const other = await startDatabase()
    expect(existsSync(other.folder)).toBe(true)
    expect(isAlive(other.pid)).toBe(true)
    await Promise.all([other.close(), other.close()])
    expect(existsSync(other.folder)).toBe(false)
    expect(isAlive(other.pid)).toBe(false)
  })

  test('is gone after the process that started it was killed', async () => {
    const owner = spawn(
      process.execPath,
      [fileURLToPath(new URL('../testing/database-owner.mjs', import.meta.url))],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const [line] = await once(createInterface(owner.stdout), 'line')
    const { folder, pid } = JSON.parse(String(line)) as { folder: string; pid: number }
    expect(isAlive(pid)).toBe(true)
    owner.kill('SIGKILL')
    await vi.waitUntil(() => !isAlive(pid) && !existsSync(folder), { timeout: 30_000, interval: 50 })
  })
})
