import { type Card, type CardRow, cardColumns, withRatings } from './cards.ts'
import type { ShopContext } from './context.ts'

const shown = 8
const historyLength = 12

/** The products of the same department that the model ranks highest for this customer, best first. */
export async function recommend(
  context: ShopContext,
  productId: number,
  customerId: number,
): Promise<Card[]> {
  const { pool, catalogue, scoring, faults } = context
  const candidates = catalogue.candidatesFor(productId)
  if (candidates.length === 0) return []

  const bought = await pool.query<{ productId: number }>(
    `SELECT product_id AS "productId" FROM order_lines WHERE customer_id = $1 ORDER BY ordered_at DESC, id LIMIT $2`,
    [customerId, historyLength],
  )
  const history = [productId, ...bought.rows.map((row) => row.productId)]
  const scores = await scoring.score({ candidates, history })

  const best = candidates
    .map((id, index) => ({ id, score: scores[index] ?? Number.NEGATIVE_INFINITY }))
    .sort((a, b) => b.score - a.score)
    .slice(0, shown)
    .map(({ id }) => id)
  const { rows } = await pool.query<CardRow>(
    `SELECT ${cardColumns} FROM products p JOIN categories c ON c.id = p.category_id
     WHERE p.id = ANY($1) ORDER BY array_position($1, p.id)`,
    [best],
  )
  return withRatings(pool, faults, rows)
}
