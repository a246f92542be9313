import { customerCount, departments, makers, productCount, qualities } from './database/schema.ts'

/** The generator's seeded numbers; `Random` of @hotspan/loadtests is one. */
export interface Draw {
  /** Uniform integer, both ends included. */
  integer(low: number, high: number): number
  pick<T>(items: readonly T[]): T
}

/** One kind of request, in the form that `generateLoad` of @hotspan/loadtests takes. */
export interface LoadEndpoint {
  /** Groups the samples: a template, never a path with ids. */
  readonly name: string
  readonly method?: 'GET' | 'POST'
  readonly path: string | ((draw: Draw) => string)
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: (draw: Draw) => string
  /** Share of the arrivals; all of them add up to 100. */
  readonly weight: number
}

export interface LoadScenario {
  readonly name: string
  /** Address of the shop, below which the paths lie. */
  readonly url: string
  readonly endpoints: readonly LoadEndpoint[]
}

const categoryCount = departments.flatMap((department) => department.categories).length
const product = (draw: Draw) => draw.integer(1, productCount)
const customer = (draw: Draw) => draw.integer(1, customerCount)

function searchWords(draw: Draw): string {
  const quality = draw.pick(qualities).toLowerCase()
  // Half of the people type one word and see a full page, half go on until few products are left.
  return draw.integer(0, 1) === 0 ? quality : `${draw.pick(makers).toLowerCase()}+${quality}`
}

/** What visitors ask of the API, weighted as in a shop: many look, some search, few recommendations and orders. */
export function loadScenario(url: string): LoadScenario {
  return {
    name: 'shop',
    url,
    endpoints: [
      {
        name: 'GET /api/products',
        path: (draw) => `/api/products?limit=${draw.pick([12, 24, 36])}&page=${draw.integer(0, 3)}`,
        weight: 12,
      },
      {
        name: 'GET /api/products?category',
        path: (draw) =>
          `/api/products?limit=${draw.pick([12, 24, 36])}&category=${draw.integer(1, categoryCount)}`,
        weight: 10,
      },
      { name: 'GET /api/search', path: (draw) => `/api/search?limit=48&q=${searchWords(draw)}`, weight: 10 },
      { name: 'GET /api/products/:id', path: (draw) => `/api/products/${product(draw)}`, weight: 20 },
      {
        name: 'GET /api/products/:id/reviews',
        path: (draw) => `/api/products/${product(draw)}/reviews?page=${draw.integer(1, 4)}`,
        weight: 16,
      },
      {
        name: 'GET /api/products/:id/recommendations',
        path: (draw) => `/api/products/${product(draw)}/recommendations?customer=${customer(draw)}`,
        weight: 6,
      },
      {
        name: 'GET /api/customers/:customer/cart',
        path: (draw) => `/api/customers/${customer(draw)}/cart`,
        weight: 16,
      },
      {
        name: 'POST /api/customers/:customer/cart/lines',
        method: 'POST',
        path: (draw) => `/api/customers/${customer(draw)}/cart/lines`,
        headers: { 'content-type': 'application/json' },
        body: (draw) => JSON.stringify({ productId: product(draw), quantity: draw.integer(1, 2) }),
        weight: 5,
      },
      {
        name: 'GET /api/shipping/rates',
        path: (draw) =>
          `/api/shipping/rates?weight=${draw.integer(200, 40_000)}&country=${draw.pick(['DE', 'FR', 'SE'])}`,
        weight: 5,
      },
    ],
  }
}
