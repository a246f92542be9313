import { useState } from 'react'
import { loadPlaceNames } from '#places'
import { Artwork } from '../components/artwork.tsx'
import { Link } from '../components/link.tsx'
import { LoadedView } from '../components/loaded-view.tsx'
import { api, type Cart } from '../state/api.ts'
import { useShop } from '../state/shop-context.tsx'
import { useLoaded } from '../state/use-loaded.ts'

const servedCountries = [
  'AT',
  'BE',
  'CH',
  'CZ',
  'DE',
  'DK',
  'ES',
  'FR',
  'GB',
  'IE',
  'IT',
  'NL',
  'NO',
  'PL',
  'PT',
  'SE',
] as const

function CountryPicker(props: { readonly country: string; readonly onPick: (country: string) => void }) {
  const { locale } = useShop()
  const names = useLoaded(`places ${locale}`, () => loadPlaceNames(locale.slice(0, 2)))
  return (
    <label>
      Send to{' '}
      <select value={props.country} onChange={(event) => props.onPick(event.target.value)}>
        {servedCountries.map((code) => (
          <option key={code} value={code}>
            {names.state === 'done' ? names.value.countries[code] : code}
          </option>
        ))}
      </select>
    </label>
  )
}

function Shipping({ weightGrams, isFree }: { readonly weightGrams: number; readonly isFree: boolean }) {
  const { locale, currency } = useShop()
  const [country, setCountry] = useState('DE')
  const loaded = useLoaded(`rates ${weightGrams} ${country}`, () =>
    api.rates(Math.max(1, weightGrams), country),
  )
  return (
    <section className="shipping">
      <h2>Shipping</h2>
      <CountryPicker country={country} onPick={setCountry} />
      <LoadedView loaded={loaded} what="shipping rates">
        {({ quotes }) => (
          <ul className="quotes">
            {quotes.map(({ carrier, priceCents, days }) => (
              <li key={carrier}>
                <span>{carrier}</span> {days} days{' '}
                <strong>
                  {isFree && carrier === 'postal'
                    ? 'free'
                    : (priceCents / 100).toLocaleString(locale, { style: 'currency', currency })}
                </strong>
              </li>
            ))}
          </ul>
        )}
      </LoadedView>
    </section>
  )
}

function CartTable({
  cart,
  onRemove,
}: {
  readonly cart: Cart
  readonly onRemove: (productId: number) => void
}) {
  const { locale, currency } = useShop()
  const money = (cents: number) => (cents / 100).toLocaleString(locale, { style: 'currency', currency })
  return (
    <table className="cart">
      <tbody>
        {cart.lines.map((line) => (
          <tr key={line.productId}>
            <td>
              <Artwork id={line.productId} category={line.category} />
            </td>
            <td>
              <Link to={`/products/${line.productId}`}>{line.name}</Link>
            </td>
            <td>{line.quantity} ×</td>
            <td>{money(line.priceCents)}</td>
            <td>
              <button type="button" onClick={() => onRemove(line.productId)}>
                Remove
              </button>
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <td colSpan={3}>{cart.level} discount</td>
          <td colSpan={2}>−{money(cart.discountCents)}</td>
        </tr>
        <tr>
          <td colSpan={3}>Total, earns {cart.pointsEarned} points</td>
          <td colSpan={2}>
            <strong>{money(cart.subtotalCents - cart.discountCents)}</strong>
          </td>
        </tr>
      </tfoot>
    </table>
  )
}

/** What the customer has put together, and what it costs to send. */
export function CartPage() {
  const [removed, setRemoved] = useState(0)
  const loaded = useLoaded(`cart ${removed}`, api.cart)
  const remove = async (productId: number) => {
    await api.removeFromCart(productId)
    setRemoved(removed + 1)
  }
  return (
    <>
      <h1>Your cart</h1>
      <LoadedView loaded={loaded} what="the cart">
        {(cart) =>
          cart.lines.length === 0 ? (
            <p className="note">Nothing in it yet.</p>
          ) : (
            <>
              <CartTable cart={cart} onRemove={remove} />
              <Shipping
                weightGrams={cart.lines.reduce((sum, line) => sum + line.weightGrams * line.quantity, 0)}
                isFree={cart.freeShipping}
              />
            </>
          )
        }
      </LoadedView>
    </>
  )
}
