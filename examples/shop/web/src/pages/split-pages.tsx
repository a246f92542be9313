import { type ComponentType, createElement, lazy, useState } from 'react'

/**
 * A page in a script of its own. It is fetched when the browser has nothing else to do after the first page, so that opening it
 * rarely waits; a page that is there already is rendered without a fallback, which React would show for 300 ms at least.
 */
function splitPage<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined
  const loadOnce = async () => {
    loaded ??= await load()
    return { default: loaded }
  }
  const Lazy = lazy(loadOnce)
  window.addEventListener('load', () => setTimeout(loadOnce, 500))
  return function SplitPage(props: P) {
    const [page] = useState(() => loaded ?? (Lazy as unknown as ComponentType<P>))
    return createElement(page, props)
  }
}

export const ProductPage = splitPage(async () => (await import('./product-page.tsx')).ProductPage)
export const CartPage = splitPage(async () => (await import('./cart-page.tsx')).CartPage)
