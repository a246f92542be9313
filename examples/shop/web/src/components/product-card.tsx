import { memo, useState } from 'react'
import type { Card } from '../state/api.ts'
import { useShop } from '../state/shop-context.tsx'
import { Artwork } from './artwork.tsx'
import { Link } from './link.tsx'
import { Stars } from './stars.tsx'

/** The shop's calendar, as in its data. */
const todayMs = Date.UTC(2026, 0, 1, 9)
const dayMs = 86_400_000

/** Everything that a card says, in the visitor's language. */
function describe(card: Card, locale: string, currency: string) {
  const money = (cents: number) => (cents / 100).toLocaleString(locale, { style: 'currency', currency })
  const from = new Date(todayMs + card.deliveryDays * dayMs)
  const until = new Date(todayMs + (card.deliveryDays + 2) * dayMs)
  return {
    price: money(card.priceCents),
    listPrice: money(card.listPriceCents),
    monthly: money(Math.ceil(card.priceCents / 12)),
    saved: (1 - card.priceCents / card.listPriceCents).toLocaleString(locale, { style: 'percent' }),
    reviews: card.reviews.toLocaleString(locale, { notation: 'compact' }),
    delivery: new Intl.DateTimeFormat(locale, {
      weekday: 'short',
      day: 'numeric',
      month: 'short',
    }).formatRange(from, until),
    returnBy: until.toLocaleDateString(locale, { dateStyle: 'medium' }),
  }
}

/** One product in a list. */
export const ProductCard = memo(function ProductCard({ card }: { readonly card: Card }) {
  const { locale, currency, addToCart } = useShop()
  const [isAdded, setAdded] = useState(false)
  const text = describe(card, locale, currency)
  const add = async () => {
    await addToCart(card.id)
    setAdded(true)
  }
  return (
    <article className="card">
      <Link to={`/products/${card.id}`} className="card-link">
        <Artwork id={card.id} category={card.category} />
        <h3>{card.name}</h3>
      </Link>
      <p className="rating">
        <Stars rating={card.rating} label={`${card.rating} of 5 stars`} /> {text.reviews}
      </p>
      <p className="price">
        <strong>{text.price}</strong>
        {card.listPriceCents > card.priceCents ? (
          <>
            {' '}
            <s>{text.listPrice}</s> <em>−{text.saved}</em>
          </>
        ) : null}
      </p>
      <p className="small">
        or {text.monthly} a month · {text.delivery}
      </p>
      <p className="small">
        {card.stock === 0 ? 'Made to order' : card.stock < 6 ? `Only ${card.stock} left` : 'In stock'},
        returns from {text.returnBy}
      </p>
      <button type="button" onClick={add}>
        {isAdded ? 'In the cart' : 'Add to cart'}
      </button>
    </article>
  )
})
