import { shopConfig } from '../shop-config.ts'

export interface Card {
  readonly id: number
  readonly name: string
  readonly category: string
  readonly priceCents: number
  readonly listPriceCents: number
  readonly stock: number
  readonly deliveryDays: number
  readonly reviews: number
  readonly rating: number
}

export interface Category {
  readonly id: number
  readonly name: string
  readonly department: string
}

export interface Quote {
  readonly carrier: string
  readonly priceCents: number
  readonly days: number
}

export interface Review {
  readonly id: number
  readonly author: string
  readonly rating: number
  readonly createdAt: string
  readonly body: string
}

export interface ProductPageData {
  readonly product: Omit<Card, 'reviews' | 'rating'> & {
    readonly description: string
    readonly weightGrams: number
  }
  readonly reviews: readonly Review[]
  readonly stars: readonly number[]
  readonly sales: { readonly pieces: number; readonly orders: number }
  readonly popularity: { readonly place: number; readonly products: number }
  readonly bestsellers: readonly { readonly id: number; readonly name: string; readonly priceCents: number }[]
  readonly quotes: readonly Quote[]
}

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

async function call<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, init)
  if (!response.ok) throw new Error(`${path.split('?')[0]} answered ${response.status}`)
  return (response.status === 204 ? undefined : await response.json()) as T
}

const customerPath = `/api/customers/${shopConfig.customer}`

/** The shop's API, one function a question. */
export const api = {
  categories: () => call<{ categories: Category[] }>('/api/categories'),
  products: (category: number | undefined, limit: number) =>
    call<{ products: Card[] }>(
      `/api/products?limit=${limit}${category === undefined ? '' : `&category=${category}`}`,
    ),
  search: (typed: string, signal: AbortSignal) =>
    call<{ products: Card[] }>(`/api/search?limit=96&q=${encodeURIComponent(typed)}`, { signal }),
  product: (id: number, country: string) => call<ProductPageData>(`/api/products/${id}?country=${country}`),
  reviews: (id: number, page: number) =>
    call<{ reviews: Review[] }>(`/api/products/${id}/reviews?page=${page}`),
  recommendations: (id: number) =>
    call<{ products: Card[] }>(`/api/products/${id}/recommendations?customer=${shopConfig.customer}`),
  cart: () => call<Cart>(`${customerPath}/cart`),
  addToCart: (productId: number) =>
    call<{ productId: number }>(`${customerPath}/cart/lines`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ productId, quantity: 1 }),
    }),
  removeFromCart: (productId: number) =>
    call<void>(`${customerPath}/cart/lines/${productId}`, { method: 'DELETE' }),
  rates: (weightGrams: number, country: string) =>
    call<{ quotes: Quote[] }>(`/api/shipping/rates?weight=${weightGrams}&country=${country}`),
}
