import type { Pool } from 'pg'
import { shopToday } from '../database/schema.ts'
import type { ShopContext } from './context.ts'
import { carriersFor, type Quote, quoteOf } from './shipping.ts'

export interface Product {
  readonly id: number
  readonly name: string
  readonly description: string
  readonly categoryId: number
  readonly category: string
  readonly priceCents: number
  readonly listPriceCents: number
  readonly weightGrams: number
  readonly stock: number
  readonly deliveryDays: number
}

export interface Review {
  readonly id: number
  readonly author: string
  readonly rating: number
  readonly createdAt: string
  readonly body: string
}

/** How many reviews gave one to five stars; index 0 is one star. */
export type StarCounts = readonly number[]

export interface Sales {
  /** Pieces sold in the last 90 days of the shop's calendar. */
  readonly pieces: number
  readonly orders: number
}

/** Place of a product among those of its category; 1 is the most popular. */
export interface Popularity {
  readonly place: number
  readonly products: number
}

export interface Bestseller {
  readonly id: number
  readonly name: string
  readonly priceCents: number
}

export interface ProductPage {
  readonly product: Product
  readonly reviews: readonly Review[]
  readonly stars: StarCounts
  readonly sales: Sales
  readonly popularity: Popularity
  readonly bestsellers: readonly Bestseller[]
  readonly quotes: readonly Quote[]
}

export const reviewsPerPage = 10

export async function productOf(pool: Pool, id: number): Promise<Product | undefined> {
  const { rows } = await pool.query<Product>(
    `SELECT p.id, p.name, p.description, p.category_id AS "categoryId", c.name AS category, p.price_cents AS "priceCents",
       p.list_price_cents AS "listPriceCents", p.weight_grams AS "weightGrams", p.stock, p.delivery_days AS "deliveryDays"
     FROM products p JOIN categories c ON c.id = p.category_id WHERE p.id = $1`,
    [id],
  )
  return rows[0]
}

export async function reviewsOf(pool: Pool, productId: number, page: number): Promise<Review[]> {
  const { rows } = await pool.query<Review>(
    `SELECT r.id, u.name AS author, r.rating, r.created_at AS "createdAt", r.body
     FROM reviews r JOIN customers u ON u.id = r.customer_id
     WHERE r.product_id = $1 ORDER BY r.created_at DESC LIMIT $2 OFFSET $3`,
    [productId, reviewsPerPage, page * reviewsPerPage],
  )
  return rows
}

async function starsOf(pool: Pool, productId: number): Promise<StarCounts> {
  const { rows } = await pool.query<{ rating: number; reviews: number }>(
    'SELECT rating, count(*)::int AS reviews FROM reviews WHERE product_id = $1 GROUP BY rating',
    [productId],
  )
  return [1, 2, 3, 4, 5].map((stars) => rows.find((row) => row.rating === stars)?.reviews ?? 0)
}

/** Reads the sales index; without it (fault `missing-index`) the whole of `order_lines`. */
async function salesOf(pool: Pool, productId: number): Promise<Sales> {
  const { rows } = await pool.query<Sales>(
    `SELECT coalesce(sum(quantity), 0)::int AS pieces, count(DISTINCT order_id)::int AS orders
     FROM order_lines WHERE product_id = $1 AND ordered_at > timestamptz '${shopToday}' - interval '90 days'`,
    [productId],
  )
  return rows[0] ?? { pieces: 0, orders: 0 }
}

async function popularityOf(pool: Pool, { id, categoryId }: Product): Promise<Popularity> {
  const { rows } = await pool.query<Popularity>(
    `SELECT count(*)::int AS products,
       (1 + count(*) FILTER (WHERE popularity > (SELECT popularity FROM products WHERE id = $2)))::int AS place
     FROM products WHERE category_id = $1`,
    [categoryId, id],
  )
  return rows[0] ?? { place: 0, products: 0 }
}

async function bestsellersOf(pool: Pool, { id, categoryId }: Product): Promise<Bestseller[]> {
  const { rows } = await pool.query<Bestseller>(
    `SELECT id, name, price_cents AS "priceCents" FROM products
     WHERE category_id = $1 AND id <> $2 ORDER BY popularity DESC, id LIMIT 4`,
    [categoryId, id],
  )
  return rows
}

/** Nothing here needs another's answer, so all of it is asked at once. */
async function loadTogether(
  { pool, partnerUrl }: ShopContext,
  product: Product,
  country: string,
): Promise<ProductPage> {
  const [reviews, stars, sales, popularity, bestsellers, quotes] = await Promise.all([
    reviewsOf(pool, product.id, 0),
    starsOf(pool, product.id),
    salesOf(pool, product.id),
    popularityOf(pool, product),
    bestsellersOf(pool, product),
    Promise.all(
      carriersFor(product.weightGrams).map((carrier) =>
        quoteOf(partnerUrl, carrier, product.weightGrams, country),
      ),
    ),
  ])
  return { product, reviews, stars, sales, popularity, bestsellers, quotes }
}

/** Fault `serial-calls`: the same work, each step waiting for the one before. */
async function loadOneByOne(
  { pool, partnerUrl }: ShopContext,
  product: Product,
  country: string,
): Promise<ProductPage> {
  const reviews = await reviewsOf(pool, product.id, 0)
  const stars = await starsOf(pool, product.id)
  const sales = await salesOf(pool, product.id)
  const popularity = await popularityOf(pool, product)
  const bestsellers = await bestsellersOf(pool, product)
  const quotes: Quote[] = []
  for (const carrier of carriersFor(product.weightGrams)) {
    quotes.push(await quoteOf(partnerUrl, carrier, product.weightGrams, country))
  }
  return { product, reviews, stars, sales, popularity, bestsellers, quotes }
}

/** Everything that the page of one product shows; undefined when there is no such product. */
export async function loadProductPage(
  context: ShopContext,
  id: number,
  country: string,
): Promise<ProductPage | undefined> {
  const product = await productOf(context.pool, id)
  if (product === undefined) return undefined
  return context.faults.has('serial-calls')
    ? loadOneByOne(context, product, country)
    : loadTogether(context, product, country)
}
