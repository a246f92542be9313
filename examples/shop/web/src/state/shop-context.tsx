import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react'
import { shopConfig } from '../shop-config.ts'
import { api } from './api.ts'

/** What cards need to know about the visitor and can do for them. */
export interface ShopValue {
  readonly locale: string
  readonly currency: string
  readonly addToCart: (productId: number) => Promise<void>
}

interface SearchBox {
  readonly typed: string
  readonly setTyped: (typed: string) => void
  /** How many pieces were put into the cart during this visit. */
  readonly added: number
}

const ShopContext = createContext<ShopValue | null>(null)
ShopContext.displayName = 'ShopContext'
const SearchBoxContext = createContext<SearchBox | null>(null)
SearchBoxContext.displayName = 'SearchBoxContext'

const locale = 'en-GB'
const currency = 'EUR'

/**
 * Holds what the header types and what the cards use. The value for the cards is one object for the whole visit; with the fault
 * `context-recreated` it is a new one at every render, so each letter in the search box renders every card again.
 */
export function ShopProvider({
  initial,
  children,
}: {
  readonly initial: string
  readonly children: ReactNode
}) {
  const [typed, setTyped] = useState(initial)
  const [added, setAdded] = useState(0)
  const addToCart = useCallback(async (productId: number) => {
    await api.addToCart(productId)
    setAdded((count) => count + 1)
  }, [])
  const kept = useMemo<ShopValue>(() => ({ locale, currency, addToCart }), [addToCart])
  const value = shopConfig.contextRecreated ? { locale, currency, addToCart } : kept
  const searchBox = useMemo<SearchBox>(() => ({ typed, setTyped, added }), [typed, added])
  return (
    <SearchBoxContext value={searchBox}>
      <ShopContext value={value}>{children}</ShopContext>
    </SearchBoxContext>
  )
}

export function useShop(): ShopValue {
  const value = useContext(ShopContext)
  if (value === null) throw new Error('useShop needs a ShopProvider')
  return value
}

export function useSearchBox(): SearchBox {
  const value = useContext(SearchBoxContext)
  if (value === null) throw new Error('useSearchBox needs a ShopProvider')
  return value
}
