import type { Pool } from 'pg'
import { shopToday } from '../database/schema.ts'
import type { Faults } from '../faults.ts'

export interface CartLine {
  readonly productId: number
  readonly name: string
  readonly category: string
  readonly quantity: number
  readonly priceCents: number
  readonly weightGrams: number
}

export interface Cart {
  readonly lines: readonly CartLine[]
  readonly subtotalCents: number
  readonly discountCents: number
  readonly freeShipping: boolean
  readonly pointsEarned: number
  readonly level: string
}

/** What a customer bought in the last year of the shop's calendar; tools of the workshop earn nothing. */
interface Loyalty {
  readonly orders: number
  readonly spentCents: number
}

type LoadLoyalty = () => Promise<Loyalty>

const levels = [
  { name: 'Gold', fromCents: 12_400_000, discountRatio: 0.1, points: 3 },
  { name: 'Silver', fromCents: 11_700_000, discountRatio: 0.05, points: 2 },
  { name: 'Member', fromCents: 0, discountRatio: 0, points: 1 },
] as const

const levelOf = ({ spentCents }: Loyalty) =>
  levels.find((level) => spentCents >= level.fromCents) ?? levels[2]

async function linesOf(pool: Pool, customerId: number): Promise<CartLine[]> {
  const { rows } = await pool.query<CartLine>(
    `SELECT l.product_id AS "productId", p.name, c.name AS category, l.quantity, p.price_cents AS "priceCents",
       p.weight_grams AS "weightGrams"
     FROM cart_lines l JOIN products p ON p.id = l.product_id JOIN categories c ON c.id = p.category_id
     WHERE l.customer_id = $1 ORDER BY l.product_id LIMIT 100`,
    [customerId],
  )
  return rows
}

async function loyaltyOf(pool: Pool, customerId: number): Promise<Loyalty> {
  const { rows } = await pool.query<Loyalty>(
    `SELECT count(DISTINCT l.order_id)::int AS orders,
       coalesce(sum(l.quantity * l.unit_price_cents), 0)::int AS "spentCents"
     FROM order_lines l JOIN products p ON p.id = l.product_id JOIN categories c ON c.id = p.category_id
     WHERE l.customer_id = $1 AND l.ordered_at > timestamptz '${shopToday}' - interval '1 year'
       AND c.department <> 'Workshop'`,
    [customerId],
  )
  return rows[0] ?? { orders: 0, spentCents: 0 }
}

/** One answer for the whole request, however many parts of it ask. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => {
    answer ??= load()
    return answer
  }
}

async function discountOf(subtotalCents: number, loyalty: LoadLoyalty): Promise<number> {
  return Math.round(subtotalCents * levelOf(await loyalty()).discountRatio)
}

async function shipsFree(subtotalCents: number, loyalty: LoadLoyalty): Promise<boolean> {
  return levelOf(await loyalty()).name === 'Gold' || subtotalCents >= 10_000
}

async function pointsFor(subtotalCents: number, loyalty: LoadLoyalty): Promise<number> {
  return Math.floor(subtotalCents / 100) * levelOf(await loyalty()).points
}

async function levelName(loyalty: LoadLoyalty): Promise<string> {
  return levelOf(await loyalty()).name
}

/** The cart with everything that depends on how good a customer it is. */
export async function loadCart(pool: Pool, faults: Faults, customerId: number): Promise<Cart> {
  const lines = await linesOf(pool, customerId)
  const subtotalCents = lines.reduce((sum, line) => sum + line.priceCents * line.quantity, 0)
  const load = () => loyaltyOf(pool, customerId)
  // Fault `repeated-query`: each part of the cart asks the database again.
  const loyalty = faults.has('repeated-query') ? load : once(load)
  return {
    lines,
    subtotalCents,
    discountCents: await discountOf(subtotalCents, loyalty),
    freeShipping: await shipsFree(subtotalCents, loyalty),
    pointsEarned: await pointsFor(subtotalCents, loyalty),
    level: await levelName(loyalty),
  }
}

export async function addToCart(
  pool: Pool,
  customerId: number,
  productId: number,
  quantity: number,
): Promise<void> {
  await pool.query(
    `INSERT INTO cart_lines (customer_id, product_id, quantity) VALUES ($1, $2, $3)
     ON CONFLICT (customer_id, product_id) DO UPDATE SET quantity = least(cart_lines.quantity + excluded.quantity, 99)`,
    [customerId, productId, quantity],
  )
}

export async function removeFromCart(pool: Pool, customerId: number, productId: number): Promise<void> {
  await pool.query('DELETE FROM cart_lines WHERE customer_id = $1 AND product_id = $2', [
    customerId,
    productId,
  ])
}
