import '@hotspan/browser/react'
import * as hotspan from '@hotspan/browser'
import { lazy, Suspense, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { Basket } from './basket.tsx'
import { askServer } from './parts/ask-server.ts'
import Unnamed from './parts/unnamed.tsx'
import { ProductCard } from './product-card.tsx'
import { Labelled, NamedTwice, Plain, Row, Tile } from './rows.tsx'

const page = globalThis as unknown as { HOTSPAN_TEST: hotspan.Options }
hotspan.init(page.HOTSPAN_TEST)

/** A worker is a bundle of its own. */
const startCounting = () => new Worker(new URL('./parts/counting.ts', import.meta.url), { type: 'module' })

const Later = lazy(() => import('./parts/later.tsx'))

/** Renders everything below it for nothing: the props are new each time and equal. */
function ProductPage() {
  const [n, setN] = useState(0)
  return (
    <main>
      <button type="button" id="again" onClick={() => setN(n + 1)}>
        {n}
      </button>
      <button type="button" id="ask" onClick={() => askServer()}>
        ask
      </button>
      <button type="button" id="count" onClick={() => startCounting()}>
        count
      </button>
      <ProductCard style={{ margin: 1 }} />
      <Basket items={[1, 2]} />
      <Row style={{ margin: 2 }} />
      <Plain style={{ margin: 3 }} />
      <Tile.Small style={{ margin: 4 }} />
      <Labelled style={{ margin: 5 }} />
      <NamedTwice style={{ margin: 6 }} />
      <Unnamed style={{ margin: 7 }} />
      <Suspense fallback={<i>later</i>}>
        <Later style={{ margin: 8 }} />
      </Suspense>
    </main>
  )
}

createRoot(document.querySelector('#root')!).render(<ProductPage />)
