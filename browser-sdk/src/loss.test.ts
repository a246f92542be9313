import type { Browser } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium, noChromium, until } from '../testing/chromium.ts'
import { bundlePage } from '../testing/site.ts'
import { openWorld, type World } from '../testing/world.ts'

const WAYS = {
  navigate: async ({ page, site }: World) => {
    // From within: the page leaves as soon as its last request has ended.
    await page.evaluate((url) => location.assign(url), `${site.origin}/elsewhere`)
  },
  'close the tab': ({ page }: World) => page.close({ runBeforeUnload: true }),
  'hide, then kill': async ({ page }: World) => {
    const other = await page.browserContext().newPage()
    await other.bringToFront()
    await page.waitForFunction(() => document.visibilityState === 'hidden', { polling: 20 })
    await page.close()
  },
} as const

describe.skipIf(noChromium)('nothing is lost when the page goes away', () => {
  let browser: Browser
  let script: string
  let world: World

  beforeAll(async () => {
    browser = await launchChromium()
    script = await bundlePage('basic.ts')
  })

  afterAll(() => browser?.close())

  const fetchMany = (count: number) =>
    world.page.evaluate(
      (n) => Promise.all(Array.from({ length: n }, (_, i) => fetch(`/api/item/${i}`).then((r) => r.text()))),
      count,
    )

  const stats = () => world.page.evaluate(() => (globalThis as unknown as TestPage).hotspan.transportStats())

  const received = () =>
    new Set(world.sink.spans().flatMap(({ kind, spanId }) => (kind === 3 ? [spanId] : []))).size

  for (const [way, leave] of Object.entries(WAYS))
    test.each([20, 400])(`${way}, %i spans`, async (count) => {
      world = await openWorld(browser, script)
      await world.visit()
      await fetchMany(count)
      await leave(world)
      await until(
        `${count} spans`,
        () => received() === count,
        () => `${received()}`,
      )
      expect(world.sink.malformed).toEqual([])
      expect(Math.max(...world.sink.bodyBytes)).toBeLessThanOrEqual(48_000)
      await world.close()
    })

  test('a receiver that is down: what it refused is delivered by the next visit, once', async () => {
    world = await openWorld(browser, script)
    world.sink.answer = { status: 503 }
    await world.visit()
    await fetchMany(100)
    // The page must have seen it: a refusal that comes after the page is gone finds nobody.
    await until('a refusal', async () => (await stats()).waitingChunks > 0)
    await world.page.goto(`${world.site.origin}/elsewhere`)
    world.sink.answer = { status: 200 }
    await world.page.goto(`${world.site.origin}/again`)
    await until(
      '100 spans',
      () => received() === 100,
      () => `${received()}`,
    )
    expect(world.sink.repeats).toBe(0)
    // Nothing stays behind that a third visit would send again.
    const left = await world.page.evaluate(() =>
      Object.keys(localStorage).filter((key) => key.includes('chunk')),
    )
    expect(left).toEqual([])
    await world.close()
  })

  test('a slow receiver that forbids caching: room in flight comes back and the rest follows', async () => {
    world = await openWorld(browser, script)
    world.sink.answer = { status: 200, delayMs: 100, headers: { 'cache-control': 'no-store' } }
    await world.visit()
    await fetchMany(400)
    await until(
      '400 spans',
      () => received() === 400,
      () => `${received()}`,
    )
    await world.close()
  })

  test('a receiver whose CORS policy knows no content-encoding gets plain bodies', async () => {
    world = await openWorld(browser, script)
    world.sink.allowHeaders = 'content-type'
    await world.visit()
    await fetchMany(400)
    await until(
      '400 spans',
      () => received() === 400,
      () => `${received()}`,
    )
    expect(world.sink.repeats).toBe(0)
    await world.close()
  })

  test('403 silences the page until the next load; other refusals are counted and reported', async () => {
    world = await openWorld(browser, script)
    world.sink.answer = { status: 400 }
    await world.visit()
    await fetchMany(64)
    await until('a counted drop', async () => (await stats()).dropped.status)
    world.sink.answer = { status: 403 }
    await fetchMany(64)
    await until('silence', async () => (await stats()).stopped)
    const asked = world.sink.rejected
    await fetchMany(64)
    expect(world.sink.rejected).toBe(asked)
    world.sink.answer = { status: 200 }
    await world.page.goto(`${world.site.origin}/again`)
    await fetchMany(64)
    await until('spans of the next load', () => received() >= 64)
    await world.close()
  })
})

interface TestPage {
  readonly hotspan: typeof import('./index.ts')
}
