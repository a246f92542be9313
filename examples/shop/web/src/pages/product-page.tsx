import { useState } from 'react'
import { Artwork } from '../components/artwork.tsx'
import { CardGrid } from '../components/card-grid.tsx'
import { Link } from '../components/link.tsx'
import { LoadedView } from '../components/loaded-view.tsx'
import { Stars } from '../components/stars.tsx'
import { api, type ProductPageData, type Quote, type Review } from '../state/api.ts'
import { rememberCards } from '../state/known-products.ts'
import { useShop } from '../state/shop-context.tsx'
import { useLoaded } from '../state/use-loaded.ts'

const useMoney = () => {
  const { locale, currency } = useShop()
  return (cents: number) => (cents / 100).toLocaleString(locale, { style: 'currency', currency })
}

function QuoteList({ quotes }: { readonly quotes: readonly Quote[] }) {
  const money = useMoney()
  return (
    <ul className="quotes">
      {quotes.map(({ carrier, priceCents, days }) => (
        <li key={carrier}>
          <span>{carrier}</span> {days} days <strong>{money(priceCents)}</strong>
        </li>
      ))}
    </ul>
  )
}

function Bestsellers({ list }: { readonly list: ProductPageData['bestsellers'] }) {
  const money = useMoney()
  return (
    <ul className="bestsellers">
      {list.map(({ id, name, priceCents }) => (
        <li key={id}>
          <Link to={`/products/${id}`}>{name}</Link> {money(priceCents)}
        </li>
      ))}
    </ul>
  )
}

function StarCounts({ counts }: { readonly counts: readonly number[] }) {
  const most = Math.max(...counts, 1)
  return (
    <ul className="star-counts">
      {[5, 4, 3, 2, 1].map((stars) => (
        <li key={stars}>
          {stars} ★ <meter max={most} value={counts[stars - 1] ?? 0} /> {counts[stars - 1] ?? 0}
        </li>
      ))}
    </ul>
  )
}

function ReviewList({ reviews }: { readonly reviews: readonly Review[] }) {
  const { locale } = useShop()
  return (
    <ul className="reviews">
      {reviews.map(({ id, author, rating, createdAt, body }) => (
        <li key={id}>
          <Stars rating={rating} label={`${rating} of 5 stars`} /> <b>{author}</b>,{' '}
          {new Date(createdAt).toLocaleDateString(locale, { dateStyle: 'long' })}
          <p>{body}</p>
        </li>
      ))}
    </ul>
  )
}

function Reviews({ productId, first }: { readonly productId: number; readonly first: readonly Review[] }) {
  const [more, setMore] = useState<readonly Review[]>([])
  const [page, setPage] = useState(0)
  const [isLast, setLast] = useState(false)
  const showMore = async () => {
    const { reviews } = await api.reviews(productId, page + 1)
    setMore((shown) => [...shown, ...reviews])
    setPage(page + 1)
    setLast(reviews.length === 0)
  }
  return (
    <section>
      <h2>Reviews</h2>
      <ReviewList reviews={[...first, ...more]} />
      {isLast ? null : (
        <button type="button" className="more-reviews" onClick={showMore}>
          More reviews
        </button>
      )}
    </section>
  )
}

function Recommendations({ productId }: { readonly productId: number }) {
  const loaded = useLoaded(`recommendations ${productId}`, async () =>
    rememberCards((await api.recommendations(productId)).products),
  )
  return (
    <section className="recommendations">
      <h2>Goes well with it</h2>
      <LoadedView loaded={loaded} what="recommendations">
        {(cards) => <CardGrid cards={cards} />}
      </LoadedView>
    </section>
  )
}

function ProductDetails({ data }: { readonly data: ProductPageData }) {
  const { product, stars, sales, popularity, bestsellers, quotes, reviews } = data
  const { addToCart } = useShop()
  const [isAdded, setAdded] = useState(false)
  const money = useMoney()
  const add = async () => {
    await addToCart(product.id)
    setAdded(true)
  }
  return (
    <>
      <div className="product">
        <Artwork id={product.id} category={product.category} />
        <div>
          <h1>{product.name}</h1>
          <p>{product.description}</p>
          <p className="price">
            <strong>{money(product.priceCents)}</strong>
          </p>
          <p className="small">
            {sales.pieces} sold in {sales.orders} orders of the last 90 days · {product.weightGrams / 1000} kg
          </p>
          <button type="button" className="add" onClick={add}>
            {isAdded ? 'In the cart' : 'Add to cart'}
          </button>
          <h2>Shipping</h2>
          <QuoteList quotes={quotes} />
        </div>
        <div>
          <p className="small">
            No. {popularity.place} of {popularity.products} in {product.category}
          </p>
          <StarCounts counts={stars} />
          <h2>Popular in {product.category}</h2>
          <Bestsellers list={bestsellers} />
        </div>
      </div>
      <Reviews productId={product.id} first={reviews} />
    </>
  )
}

/** One product with reviews, shipping and what goes with it. */
export function ProductPage({ id }: { readonly id: number }) {
  const loaded = useLoaded(`product ${id}`, () => api.product(id, 'DE'))
  return (
    <>
      <LoadedView loaded={loaded} what="the product">
        {(data) => <ProductDetails data={data} />}
      </LoadedView>
      <Recommendations productId={id} />
    </>
  )
}
