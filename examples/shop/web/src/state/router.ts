import { useSyncExternalStore } from 'react'

export type Route =
  | { readonly page: 'home'; readonly category: number | undefined }
  | { readonly page: 'search'; readonly typed: string }
  | { readonly page: 'product'; readonly id: number }
  | { readonly page: 'cart' }
  | { readonly page: 'missing' }

const listeners = new Set<() => void>()
const tell = () => {
  for (const listener of listeners) listener()
}
window.addEventListener('popstate', tell)

/** Goes to an address of the shop; `replace` leaves no entry to go back to. */
export function navigate(path: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace === true) history.replaceState(null, '', path)
  else {
    history.pushState(null, '', path)
    window.scrollTo(0, 0)
  }
  tell()
}

export function parseRoute(address: string): Route {
  const { pathname, searchParams } = new URL(address, 'http://shop')
  const product = /^\/products\/(\d+)$/.exec(pathname)?.[1]
  if (product !== undefined) return { page: 'product', id: Number(product) }
  if (pathname === '/search') return { page: 'search', typed: searchParams.get('q') ?? '' }
  if (pathname === '/cart') return { page: 'cart' }
  if (pathname !== '/') return { page: 'missing' }
  const category = searchParams.get('category')
  return { page: 'home', category: category === null ? undefined : Number(category) }
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
const address = () => location.pathname + location.search

/** The address of the page, as text: equal addresses do not render again. */
export const useAddress = (): string => useSyncExternalStore(subscribe, address)
