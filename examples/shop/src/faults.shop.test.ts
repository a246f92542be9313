import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type Shop, type ShopDatabase, startDatabase, startShop } from '@hotspan/example-shop'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ProductPage } from './api/product-page.ts'
import { countQueries, type QueryCounter } from './testing/query-counter.ts'
import { postgresMissing } from './testing/requirements.ts'
import { type ReceivedSpan, receiveTelemetry, type TelemetryReceiver } from './testing/telemetry-receiver.ts'

const reason = postgresMissing()

describe.skipIf(reason)('each fault changes what the API does, not only how long it takes', () => {
  let database: ShopDatabase
  let counter: QueryCounter
  let shop: Shop | undefined
  let receiver: TelemetryReceiver | undefined

  beforeAll(async () => {
    database = await startDatabase()
    counter = await countQueries(database.url)
  })
  afterEach(async () => {
    await shop?.close()
    await receiver?.close()
    shop = undefined
    receiver = undefined
  })
  afterAll(async () => {
    await counter?.close()
    await database?.close()
  })

  /** A shop whose queries pass the counter; what it asked for its own start is not counted. */
  async function open(faults: string): Promise<Shop> {
    shop = await startShop({ faults, databaseUrl: counter.url })
    counter.take()
    return shop
  }

  async function get<T>(path: string): Promise<T> {
    const response = await fetch(`${shop?.url}${path}`)
    expect(response.status, path).toBe(200)
    return (await response.json()) as T
  }

  async function statementsOf(path: string): Promise<string[]> {
    counter.take()
    await get(path)
    return counter.take()
  }

  /** Spans of a shop that answered these paths one after another; it is closed so that nothing is left to send. */
  async function spansOf(faults: string, paths: readonly string[]): Promise<readonly ReceivedSpan[]> {
    receiver = await receiveTelemetry()
    shop = await startShop({ faults, databaseUrl: counter.url, otlpEndpoint: receiver.url })
    for (const path of paths) await get(path)
    await shop.close()
    return receiver.spans
  }

  test('faults change no answer', async () => {
    const paths = [
      '/api/products?limit=48&category=2',
      '/api/search?q=quiet%20lamp',
      '/api/products/17',
      '/api/products/17/recommendations?customer=5',
      '/api/customers/9/cart',
      '/api/shipping/rates?weight=7000&country=FR',
    ]
    await open('')
    const without = []
    for (const path of paths) without.push(await get(path))
    await shop?.close()
    await open('all')
    for (const [index, path] of paths.entries()) expect(await get(path), path).toEqual(without[index])
    expect((without[0] as { products: unknown[] }).products.length).toBe(48)
    expect((without[3] as { products: unknown[] }).products.length).toBe(8)
    expect((without[2] as ProductPage).quotes.length).toBe(3)
  })

  test('n-plus-one asks once per card', async () => {
    await open('')
    expect((await statementsOf('/api/products?limit=12')).length).toBe(2)
    expect((await statementsOf('/api/products?limit=48')).length).toBe(2)
    await shop?.close()
    await open('n-plus-one')
    expect((await statementsOf('/api/products?limit=12')).length).toBe(13)
    const statements = await statementsOf('/api/products?limit=48')
    expect(statements.length).toBe(49)
    expect(new Set(statements.slice(1)).size).toBe(1)
  })

  test('repeated-query asks the same thing four times in a cart', async () => {
    await open('')
    expect((await statementsOf('/api/customers/9/cart')).length).toBe(2)
    await shop?.close()
    await open('repeated-query')
    const statements = await statementsOf('/api/customers/9/cart')
    expect(statements.length).toBe(5)
    expect(new Set(statements).size).toBe(2)
  })

  test('small-pool leaves one connection', async () => {
    await open('')
    expect(counter.connections()).toBe(10)
    await shop?.close()
    await open('small-pool')
    expect(counter.connections()).toBe(1)
  })

  test('missing-index makes the sales of a product read the whole table', async () => {
    const planOfSales = async (faults: string): Promise<string> => {
      await open(faults)
      const statement = (await statementsOf('/api/products/17')).find((text) =>
        text.includes('FROM order_lines'),
      )
      await shop?.close()
      const client = new pg.Client({ connectionString: database.url })
      await client.connect()
      const { rows } = await client.query(`EXPLAIN ${statement?.replace('$1', '17')}`)
      await client.end()
      return rows.map((row) => row['QUERY PLAN']).join('\n')
    }
    expect(await planOfSales('')).toMatch(
      /Index (Only )?Scan using order_lines_by_product|Bitmap Index Scan on order_lines_by_product/,
    )
    expect(await planOfSales('missing-index')).toMatch(/Seq Scan on order_lines/)
    expect(await planOfSales('')).not.toMatch(/Seq Scan/)
  })

  test('serial-calls asks one carrier after the other, in an order that depends on the parcel', async () => {
    const paths = Array.from({ length: 8 }, (_, i) => `/api/products/${i + 1}`)
    const quotesOf = async (faults: string): Promise<ReceivedSpan[][]> => {
      const spans = await spansOf(faults, paths)
      const quotes = spans.filter((span) => String(span.attributes['url.full']).includes('/carriers/'))
      const traces = [...new Set(quotes.map(({ traceId }) => traceId))]
      return traces.map((trace) =>
        quotes.filter(({ traceId }) => traceId === trace).sort((a, b) => Number(a.startNs - b.startNs)),
      )
    }
    const overlaps = ([first, second, third]: readonly ReceivedSpan[]): boolean =>
      first !== undefined &&
      second !== undefined &&
      third !== undefined &&
      third.startNs < first.endNs &&
      second.startNs < first.endNs

    const together = await quotesOf('')
    expect(together.length).toBe(paths.length)
    expect(together.every(overlaps)).toBe(true)

    const serial = await quotesOf('serial-calls')
    expect(serial.length).toBe(paths.length)
    expect(serial.some(overlaps)).toBe(false)
    // The order varies, which proves to a detector that no call needs another's answer.
    const orders = new Set(
      serial.map((calls) =>
        calls.map(({ attributes }) => String(attributes['url.full']).split('/')[4]).join(),
      ),
    )
    expect(orders.size).toBeGreaterThan(1)
  })

  const recommendations = [1, 2, 3].map((customer) => `/api/products/17/recommendations?customer=${customer}`)
  const inference = (spans: readonly ReceivedSpan[], phase: 'load' | 'forward') =>
    spans.filter(({ attributes }) => attributes['hotspan.inference.phase'] === phase)
  const threads = (spans: readonly ReceivedSpan[]) =>
    spans.map(({ attributes }) => attributes['hotspan.inference.thread'])
  const requestsIn = (spans: readonly ReceivedSpan[]) =>
    new Set(
      spans
        .filter(({ name }) => name === 'GET /api/products/:id/recommendations')
        .map(({ traceId }) => traceId),
    )

  test('without faults the model is loaded once, outside of requests, and runs in a worker as part of their traces', async () => {
    const spans = await spansOf('', recommendations)
    const loads = inference(spans, 'load')
    const forwards = inference(spans, 'forward')
    const requests = requestsIn(spans)
    expect(threads(loads)).toEqual(['worker'])
    expect(requests.has(loads[0]?.traceId ?? '')).toBe(false)
    expect(threads(forwards)).toEqual(['worker', 'worker', 'worker'])
    expect(new Set(forwards.map(({ traceId }) => traceId))).toEqual(requests)
    // What runs is the source, so a finding names the line that a reader sees.
    expect(forwards[0]?.attributes['code.file.path']).toBe('src/recommendations/scorer.ts')
  })

  test('inference-on-main-thread runs the model where requests are served, still loaded once', async () => {
    const spans = await spansOf('inference-on-main-thread', recommendations)
    expect(threads(inference(spans, 'load'))).toEqual(['main'])
    expect(threads(inference(spans, 'forward'))).toEqual(['main', 'main', 'main'])
  })

  test('model-per-request loads the model in every request, still in the worker', async () => {
    const spans = await spansOf('model-per-request', recommendations)
    const loads = inference(spans, 'load')
    expect(threads(loads)).toEqual(['worker', 'worker', 'worker'])
    expect(new Set(loads.map(({ traceId }) => traceId))).toEqual(requestsIn(spans))
  })

  test('an unknown fault and a missing database are refused, and nothing is left running', async () => {
    await expect(startShop({ faults: 'n-plus-two', databaseUrl: counter.url })).rejects.toThrow(
      /valid: all, missing-index/,
    )
    const nobody = new URL(database.url)
    nobody.port = '1'
    await expect(startShop({ faults: '', databaseUrl: nobody.href })).rejects.toThrow(/ECONNREFUSED/)
  })

  test('when the API cannot start, what was started before it is stopped', async () => {
    const other = createServer()
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    await expect(startShop({ faults: '', databaseUrl: counter.url, port })).rejects.toThrow(/EADDRINUSE/)
    await vi.waitUntil(() => counter.connections() === 0)
    other.close()
  })

  test('a product that does not exist is 404, a malformed request 400', async () => {
    await open('')
    const status = async (path: string) => (await fetch(`${shop?.url}${path}`)).status
    expect(await status('/api/products/999999')).toBe(404)
    expect(await status('/api/products/lamp')).toBe(400)
    expect(await status('/api/products?limit=1000')).toBe(400)
    expect(await status("/api/search?q=';drop")).toBe(200)
  })
})
