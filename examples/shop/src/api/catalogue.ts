import type { Pool } from 'pg'
import { candidateCount } from '../recommendations/model.ts'

/** Which products can be recommended beside another one; read once at the start, since it changes once a day in a real shop. */
export interface Catalogue {
  /** The most popular products of the same department, never the product itself. */
  candidatesFor(productId: number): readonly number[]
}

export async function loadCatalogue(pool: Pool): Promise<Catalogue> {
  const { rows } = await pool.query<{ department: string; ids: number[] }>(
    `SELECT c.department, array_agg(p.id ORDER BY p.popularity DESC, p.id) AS ids
     FROM products p JOIN categories c ON c.id = p.category_id GROUP BY c.department`,
  )
  const siblings = new Map<number, readonly number[]>()
  for (const { ids } of rows) for (const id of ids) siblings.set(id, ids)
  return {
    candidatesFor: (productId) =>
      (siblings.get(productId) ?? []).filter((id) => id !== productId).slice(0, candidateCount),
  }
}
