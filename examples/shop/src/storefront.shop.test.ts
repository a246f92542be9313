import {
  type Shop,
  type ShopDatabase,
  startDatabase,
  startShop,
  type VisitReport,
  visitShop,
} from '@hotspan/example-shop'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumMissing, postgresMissing } from './testing/requirements.ts'
import { sourceName } from './testing/source-name.ts'
import { type ReceivedSpan, receiveTelemetry } from './testing/telemetry-receiver.ts'

const noPostgres = postgresMissing()
const noChromium = chromiumMissing()

describe.skipIf(noPostgres)('the storefront as it is served', () => {
  let database: ShopDatabase
  beforeAll(async () => {
    database = await startDatabase()
  })
  afterAll(() => database?.close())

  const withShop = async <T>(faults: string, use: (shop: Shop) => Promise<T>): Promise<T> => {
    const shop = await startShop({ faults, databaseUrl: database.url })
    try {
      return await use(shop)
    } finally {
      await shop.close()
    }
  }

  const firstScript = async (shop: Shop): Promise<Response> => {
    const html = await (await fetch(shop.url)).text()
    const path = /<script type="module"[^>]* src="([^"]+)"/.exec(html)?.[1]
    return fetch(`${shop.url}${path}`, { headers: { 'accept-encoding': 'br' } })
  }

  test('the first script is small, compressed and kept by the browser', async () => {
    await withShop('', async (shop) => {
      const response = await firstScript(shop)
      const script = await response.text()
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect(response.headers.get('content-encoding')).toBe('br')
      expect(Buffer.byteLength(script)).toBeLessThan(500_000)
      expect(script).not.toContain('Elfenbeinküste')
      // Names and maps are not served; reports take them from the store.
      expect(script).not.toMatch(/ProductCard|sourceMappingURL/)
      const map = await fetch(`${response.url}.map`)
      expect(map.status).toBe(404)
      const page = await fetch(`${shop.url}/products/3`)
      expect(page.headers.get('cache-control')).toBe('private, no-cache')
    })
  })

  test('oversized-bundle puts every page and every language into the first script', async () => {
    await withShop('oversized-bundle', async (shop) => {
      const script = await (await firstScript(shop)).text()
      expect(Buffer.byteLength(script)).toBeGreaterThan(1_000_000)
      expect(script).toContain('Côte d’Ivoire')
    })
  })

  test('uncached-assets lets the browser keep nothing', async () => {
    await withShop('uncached-assets', async (shop) => {
      const response = await firstScript(shop)
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('etag')).toBeNull()
      expect(response.headers.get('content-encoding')).toBe('br')
    })
  })

  test('configuration cannot end its script element', async () => {
    const receiver = await receiveTelemetry()
    const telemetryEndpoint = `${receiver.url}/</script>`
    const shop = await startShop({ faults: '', databaseUrl: database.url, otlpEndpoint: telemetryEndpoint })
    try {
      const html = await (await fetch(shop.url)).text()
      const json = /<script type="application\/json" id="shop-config">(.*?)<\/script>/.exec(html)?.[1] ?? ''
      expect(JSON.parse(json)).toEqual({ customer: 1, telemetryEndpoint, contextRecreated: false })
    } finally {
      await shop.close()
      await receiver.close()
    }
  })

  describe.skipIf(noChromium)('in Chromium', () => {
    const wastedCards = (spans: readonly ReceivedSpan[]): number =>
      spans
        .flatMap(({ events }) => events)
        .filter(({ attributes }) => sourceName(attributes['hotspan.react.component']) === 'ProductCard')
        .reduce((sum, { attributes }) => sum + Number(attributes['hotspan.react.wasted'] ?? 0), 0)

    async function visited(
      faults: string,
      visits = 2,
    ): Promise<{ report: VisitReport; spans: readonly ReceivedSpan[] }> {
      const receiver = await receiveTelemetry()
      const shop = await startShop({ faults, databaseUrl: database.url, otlpEndpoint: receiver.url })
      try {
        const report = await visitShop({ url: shop.url, visits, stepLimitMs: 60_000 })
        await shop.close()
        return { report, spans: receiver.spans }
      } finally {
        await shop.close()
        await receiver.close()
      }
    }

    test('with no fault every page works, the cache holds the files, and no card is rendered in vain', async () => {
      const { report, spans } = await visited('')
      expect(report.visits.flatMap(({ errors }) => errors)).toEqual([])
      expect(report.visits.map(({ steps }) => steps.length)).toEqual([12, 12])
      expect(report.visits[0]?.assetBytes).toBeGreaterThan(50_000)
      // The same visitor comes back.
      expect(report.visits[1]?.assetBytes).toBe(0)
      expect(wastedCards(spans)).toBe(0)

      // One trace from the interaction in the browser to the database.
      const fetched = spans.find(
        ({ service, attributes }) =>
          service === 'shop-web' && String(attributes['url.full']).includes('/recommendations'),
      )
      const names = spans
        .filter(({ traceId }) => traceId === fetched?.traceId)
        .map(({ service, name }) => `${service} ${name}`)
      expect(names).toContain('shop-api GET /api/products/:id/recommendations')
      expect(names).toContain('shop-api inference.forward shop-recommender.onnx')
    })

    test('with every fault every page still works, files come again and again, and typing renders the cards', async () => {
      const { report, spans } = await visited('all')
      expect(report.visits.flatMap(({ errors }) => errors)).toEqual([])
      expect(report.visits[1]?.assetBytes).toBeGreaterThan(300_000)
      expect(wastedCards(spans)).toBeGreaterThan(96)
    })

    test('context-recreated alone is what wastes the renders', async () => {
      const { spans } = await visited('context-recreated', 1)
      expect(wastedCards(spans)).toBeGreaterThan(96)
    })
  })
})
