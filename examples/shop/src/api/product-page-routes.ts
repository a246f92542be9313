import type { FastifyInstance } from 'fastify'
import type { ShopContext } from './context.ts'
import { loadProductPage, reviewsOf } from './product-page.ts'
import { recommend } from './recommend.ts'

const productParams = {
  type: 'object',
  properties: { id: { type: 'integer', minimum: 1, maximum: 1_000_000_000 } },
}

/** The page of one product: the product itself, more of its reviews, and what goes with it. */
export function productPageRoutes(app: FastifyInstance, context: ShopContext): void {
  app.get<{ Params: { id: number }; Querystring: { country: string } }>(
    '/api/products/:id',
    {
      schema: {
        params: productParams,
        querystring: {
          type: 'object',
          properties: { country: { type: 'string', pattern: '^[A-Z]{2}$', default: 'DE' } },
        },
      },
    },
    async (request, reply) => {
      const page = await loadProductPage(context, request.params.id, request.query.country)
      return page ?? reply.code(404).send({ error: `There is no product ${request.params.id}` })
    },
  )

  app.get<{ Params: { id: number }; Querystring: { page: number } }>(
    '/api/products/:id/reviews',
    {
      schema: {
        params: productParams,
        querystring: {
          type: 'object',
          properties: { page: { type: 'integer', minimum: 0, maximum: 1_000, default: 0 } },
        },
      },
    },
    async (request) => ({ reviews: await reviewsOf(context.pool, request.params.id, request.query.page) }),
  )

  app.get<{ Params: { id: number }; Querystring: { customer: number } }>(
    '/api/products/:id/recommendations',
    {
      schema: {
        params: productParams,
        querystring: {
          type: 'object',
          properties: { customer: { type: 'integer', minimum: 1, maximum: 1_000_000_000, default: 1 } },
        },
      },
    },
    async (request) => ({ products: await recommend(context, request.params.id, request.query.customer) }),
  )
}
