import { type ChangeEvent, memo, useEffect, useRef } from 'react'
import { navigate } from '../state/router.ts'
import { useSearchBox } from '../state/shop-context.tsx'
import { Link } from './link.tsx'

/** A search starts when nothing was typed for this long, ms. */
const typingPauseMs = 150

const Logo = memo(function Logo() {
  return (
    <Link to="/" className="logo">
      Gable &amp; Sons
    </Link>
  )
})

const CartLink = memo(function CartLink({ added }: { readonly added: number }) {
  return (
    <Link to="/cart" className="cart-link">
      Cart{added > 0 ? <span className="badge">{added}</span> : null}
    </Link>
  )
})

export function Header() {
  const { typed, setTyped, added } = useSearchBox()
  const pause = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(pause.current), [])

  const search = (event: ChangeEvent<HTMLInputElement>) => {
    const text = event.target.value
    setTyped(text)
    clearTimeout(pause.current)
    pause.current = setTimeout(() => {
      navigate(`/search?q=${encodeURIComponent(text)}`, { replace: location.pathname === '/search' })
    }, typingPauseMs)
  }

  return (
    <header>
      <Logo />
      <input
        type="search"
        name="q"
        aria-label="Search the shop"
        placeholder="Search 5,000 things, for example: quiet lamp"
        autoComplete="off"
        value={typed}
        onChange={search}
      />
      <CartLink added={added} />
    </header>
  )
}
