import { useState } from 'react'
import { CardGrid } from '../components/card-grid.tsx'
import { Link } from '../components/link.tsx'
import { LoadedView } from '../components/loaded-view.tsx'
import { api, type Category } from '../state/api.ts'
import { rememberCards } from '../state/known-products.ts'
import { useLoaded } from '../state/use-loaded.ts'

function Categories({
  categories,
  current,
}: {
  readonly categories: readonly Category[]
  readonly current: number | undefined
}) {
  return (
    <nav className="categories" aria-label="Categories">
      <Link to="/" className={current === undefined ? 'current' : ''}>
        Everything
      </Link>
      {categories.map(({ id, name }) => (
        <Link key={id} to={`/?category=${id}`} className={current === id ? 'current' : ''}>
          {name}
        </Link>
      ))}
    </nav>
  )
}

const pageSizes = [12, 24, 48] as const

/** The most popular products, of everything or of one category. */
export function HomePage({ category }: { readonly category: number | undefined }) {
  const [shown, setShown] = useState<number>(24)
  const categories = useLoaded('categories', api.categories)
  const products = useLoaded(`products ${category} ${shown}`, async () =>
    rememberCards((await api.products(category, shown)).products),
  )
  return (
    <>
      <LoadedView loaded={categories} what="categories">
        {(value) => <Categories categories={value.categories} current={category} />}
      </LoadedView>
      <p className="toolbar">
        Show{' '}
        {pageSizes.map((size) => (
          <button key={size} type="button" aria-pressed={size === shown} onClick={() => setShown(size)}>
            {size}
          </button>
        ))}
      </p>
      <LoadedView loaded={products} what="products">
        {(cards) => <CardGrid cards={cards} />}
      </LoadedView>
    </>
  )
}
