/** Fault `oversized-bundle`: every page is part of the first script. */
export { CartPage } from './cart-page.tsx'
export { ProductPage } from './product-page.tsx'
