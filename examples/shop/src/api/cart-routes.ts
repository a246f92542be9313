import type { FastifyInstance } from 'fastify'
import { addToCart, loadCart, removeFromCart } from './cart.ts'
import type { ShopContext } from './context.ts'
import { productOf } from './product-page.ts'
import { carriersFor, quoteOf } from './shipping.ts'

const id = { type: 'integer', minimum: 1, maximum: 1_000_000_000 }

/** The cart of a customer, and what it costs to send one. The example has no sign-in: the page knows its customer's number. */
export function cartRoutes(app: FastifyInstance, { pool, faults, partnerUrl }: ShopContext): void {
  app.get<{ Params: { customer: number } }>(
    '/api/customers/:customer/cart',
    { schema: { params: { type: 'object', properties: { customer: id } } } },
    async (request) => loadCart(pool, faults, request.params.customer),
  )

  app.post<{ Params: { customer: number }; Body: { productId: number; quantity: number } }>(
    '/api/customers/:customer/cart/lines',
    {
      schema: {
        params: { type: 'object', properties: { customer: id } },
        body: {
          type: 'object',
          required: ['productId'],
          properties: { productId: id, quantity: { type: 'integer', minimum: 1, maximum: 99, default: 1 } },
        },
      },
    },
    async (request, reply) => {
      const { productId, quantity } = request.body
      if ((await productOf(pool, productId)) === undefined) {
        return reply.code(404).send({ error: `There is no product ${productId}` })
      }
      await addToCart(pool, request.params.customer, productId, quantity)
      return reply.code(201).send({ productId, quantity })
    },
  )

  app.delete<{ Params: { customer: number; product: number } }>(
    '/api/customers/:customer/cart/lines/:product',
    { schema: { params: { type: 'object', properties: { customer: id, product: id } } } },
    async (request, reply) => {
      await removeFromCart(pool, request.params.customer, request.params.product)
      return reply.code(204).send()
    },
  )

  app.get<{ Querystring: { weight: number; country: string } }>(
    '/api/shipping/rates',
    {
      schema: {
        querystring: {
          type: 'object',
          required: ['weight'],
          properties: {
            weight: { type: 'integer', minimum: 1, maximum: 10_000_000 },
            country: { type: 'string', pattern: '^[A-Z]{2}$', default: 'DE' },
          },
        },
      },
    },
    async (request) => {
      const { weight, country } = request.query
      const quotes = carriersFor(weight).map((carrier) => quoteOf(partnerUrl, carrier, weight, country))
      return { quotes: await Promise.all(quotes) }
    },
  )
}
