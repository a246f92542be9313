import { memo, Suspense } from 'react'
import { CartPage, ProductPage } from '#pages'
import { Header } from './components/header.tsx'
import { HomePage } from './pages/home-page.tsx'
import { SearchPage } from './pages/search-page.tsx'
import { parseRoute, type Route, useAddress } from './state/router.ts'
import { ShopProvider } from './state/shop-context.tsx'

function pageOf(route: Route) {
  switch (route.page) {
    case 'home':
      return <HomePage category={route.category} />
    case 'search':
      return <SearchPage typed={route.typed} />
    case 'product':
      return <ProductPage id={route.id} key={route.id} />
    case 'cart':
      return <CartPage />
    case 'missing':
      return <p className="note">There is nothing at this address.</p>
  }
}

const CurrentPage = memo(function CurrentPage() {
  const route = parseRoute(useAddress())
  return (
    <main>
      <Suspense fallback={<p className="note">Loading the page …</p>}>{pageOf(route)}</Suspense>
    </main>
  )
})

export function App() {
  const route = parseRoute(location.href)
  return (
    <ShopProvider initial={route.page === 'search' ? route.typed : ''}>
      <Header />
      <CurrentPage />
      <footer>Gable &amp; Sons · an example shop of Hotspan · nothing here can be bought</footer>
    </ShopProvider>
  )
}
