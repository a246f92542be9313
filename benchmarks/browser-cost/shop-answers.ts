/** Answers of the shop's API (`examples/shop/src/api`), the same at every call, in the sizes of its own data. */

const names = ['Copper lamp', 'Quiet kettle', 'Folding chair', 'Travel tent', 'Oak shelf', 'Steel pan']

const card = (id: number) => ({
  id,
  name: `${names[id % names.length]} ${id}`,
  category: `Category ${1 + (id % 20)}`,
  priceCents: 1000 + id * 37,
  listPriceCents: 1200 + id * 37 + (id % 3) * 400,
  stock: id % 9,
  deliveryDays: 1 + (id % 5),
  reviews: 3 + ((id * 17) % 1900),
  rating: 1 + ((id * 7) % 41) / 10,
})

const cards = (from: number, count: number) => Array.from({ length: count }, (_, n) => card(from + n))

const reviews = (from: number) =>
  Array.from({ length: 10 }, (_, n) => ({
    id: from + n,
    author: `Customer ${from + n}`,
    rating: 1 + ((from + n) % 5),
    createdAt: new Date(Date.UTC(2025, n, 1 + (from % 27))).toISOString(),
    body: 'It does what it should, and it looks as it does in the picture. I would buy it again.',
  }))

const product = (id: number) => ({
  product: { ...card(id), description: 'A thing for the house that lasts.', weightGrams: 1200 },
  reviews: reviews(1),
  stars: [3, 9, 21, 60, 107],
  sales: { pieces: 412, orders: 377 },
  popularity: { place: 7, products: 250 },
  bestsellers: cards(300, 5),
  quotes: ['Sparrow', 'Ox', 'Heron'].map((carrier, n) => ({
    carrier,
    priceCents: 490 + n * 110,
    days: 1 + n,
  })),
})

/** Undefined for what the storefront does not ask for. */
export function answerOf(method: string, { pathname, searchParams }: URL): unknown {
  const [, , kind, id, part] = pathname.split('/')
  if (method === 'POST') return { productId: 1 }
  if (kind === 'categories')
    return {
      categories: Array.from({ length: 20 }, (_, n) => ({
        id: n + 1,
        name: `Category ${n + 1}`,
        department: 'Home',
      })),
    }
  if (kind === 'search') return { products: cards(1 + (searchParams.get('q') ?? '').length, 96) }
  if (kind === 'products' && part === 'recommendations') return { products: cards(900, 12) }
  if (kind === 'products' && part === 'reviews')
    return { reviews: reviews(10 * Number(searchParams.get('page'))) }
  if (kind === 'products' && id !== undefined) return product(Number(id))
  if (kind === 'products')
    return {
      products: cards(10 * Number(searchParams.get('category') ?? 1), Number(searchParams.get('limit'))),
    }
  return undefined
}
