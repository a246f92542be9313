import type { Pool } from 'pg'
import type { Faults } from '../faults.ts'

/** A product as lists show it; money in cents, times in days. */
export interface Card {
  readonly id: number
  readonly name: string
  readonly category: string
  readonly priceCents: number
  readonly listPriceCents: number
  readonly stock: number
  readonly deliveryDays: number
  readonly reviews: number
  /** 1 to 5, two decimals; 0 without reviews. */
  readonly rating: number
}

export type CardRow = Omit<Card, 'reviews' | 'rating'>
type Rating = Pick<Card, 'reviews' | 'rating'>

/** Columns of a card, for a query over `products p JOIN categories c`. */
export const cardColumns = `p.id, p.name, c.name AS category, p.price_cents AS "priceCents",
  p.list_price_cents AS "listPriceCents", p.stock, p.delivery_days AS "deliveryDays"`

const unrated: Rating = { reviews: 0, rating: 0 }

async function ratingsOf(pool: Pool, productIds: readonly number[]): Promise<ReadonlyMap<number, Rating>> {
  const { rows } = await pool.query<Rating & { productId: number }>(
    `SELECT product_id AS "productId", count(*)::int AS reviews, round(avg(rating), 2)::float8 AS rating
     FROM reviews WHERE product_id = ANY($1) GROUP BY product_id`,
    [productIds],
  )
  return new Map(rows.map(({ productId, reviews, rating }) => [productId, { reviews, rating }]))
}

async function ratingOf(pool: Pool, productId: number): Promise<Rating> {
  const { rows } = await pool.query<Rating>(
    `SELECT count(*)::int AS reviews, coalesce(round(avg(rating), 2), 0)::float8 AS rating
     FROM reviews WHERE product_id = $1`,
    [productId],
  )
  return rows[0] ?? unrated
}

/** Fault `n-plus-one`: asks for the stars of each card by a query of its own. */
async function rateOneByOne(pool: Pool, rows: readonly CardRow[]): Promise<Card[]> {
  const cards: Card[] = []
  for (const row of rows) cards.push({ ...row, ...(await ratingOf(pool, row.id)) })
  return cards
}

async function rateTogether(pool: Pool, rows: readonly CardRow[]): Promise<Card[]> {
  if (rows.length === 0) return []
  const ratings = await ratingsOf(
    pool,
    rows.map((row) => row.id),
  )
  return rows.map((row) => ({ ...row, ...(ratings.get(row.id) ?? unrated) }))
}

/** Adds the stars to products that a list is about to show. */
export const withRatings = (pool: Pool, faults: Faults, rows: readonly CardRow[]): Promise<Card[]> =>
  faults.has('n-plus-one') ? rateOneByOne(pool, rows) : rateTogether(pool, rows)
