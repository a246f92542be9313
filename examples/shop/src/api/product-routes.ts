import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Card, type CardRow, cardColumns, withRatings } from './cards.ts'
import type { ShopContext } from './context.ts'

interface ListQuery {
  readonly category?: number
  readonly limit: number
  readonly page: number
}

interface SearchQuery {
  readonly q: string
  readonly limit: number
}

const listSchema = {
  querystring: {
    type: 'object',
    properties: {
      category: { type: 'integer', minimum: 1, maximum: 1000 },
      limit: { type: 'integer', minimum: 1, maximum: 96, default: 24 },
      page: { type: 'integer', minimum: 0, maximum: 1000, default: 0 },
    },
  },
}

const searchSchema = {
  querystring: {
    type: 'object',
    required: ['q'],
    properties: {
      q: { type: 'string', maxLength: 80 },
      limit: { type: 'integer', minimum: 1, maximum: 96, default: 96 },
    },
  },
}

const fromProducts = `SELECT ${cardColumns} FROM products p JOIN categories c ON c.id = p.category_id`
const byPopularity = 'ORDER BY p.popularity DESC, p.id LIMIT $1 OFFSET $2'

/** Every word is the beginning of a word of the product's name: `quiet la` finds the Quiet Lamp. */
const searchTerms = (typed: string): string =>
  (typed.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => `${word}:*`).join(' & ')

async function listProducts({ pool, faults }: ShopContext, query: ListQuery): Promise<Card[]> {
  const { category, limit, page } = query
  const { rows } =
    category === undefined
      ? await pool.query<CardRow>(`${fromProducts} ${byPopularity}`, [limit, page * limit])
      : await pool.query<CardRow>(`${fromProducts} WHERE p.category_id = $3 ${byPopularity}`, [
          limit,
          page * limit,
          category,
        ])
  return withRatings(pool, faults, rows)
}

async function searchProducts({ pool, faults }: ShopContext, { q, limit }: SearchQuery): Promise<Card[]> {
  const terms = searchTerms(q)
  if (terms === '') return []
  const { rows } = await pool.query<CardRow>(
    `${fromProducts} WHERE p.search @@ to_tsquery('simple', $3) ${byPopularity}`,
    [limit, 0, terms],
  )
  return withRatings(pool, faults, rows)
}

async function listCategories({ pool }: ShopContext): Promise<unknown[]> {
  const { rows } = await pool.query('SELECT id, name, department FROM categories ORDER BY id')
  return rows
}

/** Lists of product cards: the catalogue by popularity, one category, and the search. */
export function productRoutes(app: FastifyInstance, context: ShopContext): void {
  app.get('/api/categories', async () => ({ categories: await listCategories(context) }))

  app.get(
    '/api/products',
    { schema: listSchema },
    async (request: FastifyRequest<{ Querystring: ListQuery }>) => ({
      products: await listProducts(context, request.query),
    }),
  )

  app.get(
    '/api/search',
    { schema: searchSchema },
    async (request: FastifyRequest<{ Querystring: SearchQuery }>) => ({
      products: await searchProducts(context, request.query),
    }),
  )
}
