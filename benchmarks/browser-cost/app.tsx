// The page under measurement: a shop list in React 19 that loads, fetches five times and answers one click.
import { useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'

interface Product {
  readonly id: string
  readonly name: string
  readonly price: number
}

const getProducts = async (): Promise<Product[]> => (await fetch('/api/products')).json()

const Price = (props: { cents: number }) => <b>{(props.cents / 100).toFixed(2)}</b>

const Card = (props: { product: Product; style: object }) => (
  <li style={props.style}>
    <span>{props.product.name}</span>
    <Price cents={props.product.price} />
  </li>
)

const App = () => {
  const [products, setProducts] = useState<Product[]>([])
  const [seen, setSeen] = useState(0)
  useEffect(() => {
    getProducts().then(setProducts)
    for (const part of ['user', 'cart', 'offers', 'news'])
      fetch(`/api/${part}`).then((answer) => answer.json())
  }, [])
  const more = async () => {
    const { length } = await getProducts()
    setSeen(seen + length)
  }
  return (
    <main>
      <h1>Products</h1>
      <button type="button" id="more" onClick={more}>
        {seen}
      </button>
      <ul>
        {products.map((product) => (
          <Card key={product.id} product={product} style={{ margin: 1 }} />
        ))}
      </ul>
    </main>
  )
}

createRoot(document.querySelector('#root')!).render(<App />)
