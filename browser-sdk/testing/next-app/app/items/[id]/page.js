import { ProductPage } from './product-page'

export default function Item() {
  return <ProductPage />
}
