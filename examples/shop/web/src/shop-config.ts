/** What the server tells the page; the other side is `src/api/storefront.ts`. */
interface ShopConfig {
  readonly customer: number
  readonly telemetryEndpoint: string | null
  /** Fault `context-recreated`. */
  readonly contextRecreated: boolean
}

const text = document.getElementById('shop-config')?.textContent ?? ''
export const shopConfig = JSON.parse(text) as ShopConfig
