import type { Browser, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium, noChromium, until } from '../testing/chromium.ts'
import { flat } from '../testing/sink.ts'
import { bundlePage } from '../testing/site.ts'
import { openWorld, type World } from '../testing/world.ts'

interface Value {
  readonly value: number
  readonly rating: string
  readonly navigationType: string
}

interface TestPage {
  readonly webVitals: Record<string, Value>
  told?: boolean
}

const BODY = `<h1 id="title">Large words of the page</h1><div id="box" style="height:40px"></div>
<button id="slow">slow</button><script>
  document.querySelector('#slow').addEventListener('click', () => {
    for (const end = performance.now() + 130; performance.now() < end; );
  })
</script><div id="root">`

describe.skipIf(noChromium)('web vitals', () => {
  let browser: Browser
  let script: string

  beforeAll(async () => {
    browser = await launchChromium()
    script = await bundlePage('both-vitals.ts')
  })

  afterAll(() => browser?.close())

  const open = async (): Promise<World> => {
    const world = await openWorld(browser, script)
    world.site.html = world.site.html.replace('<div id="root">', BODY)
    return world
  }

  const painted = (page: Page) =>
    page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length)

  const hide = async (page: Page): Promise<Page> => {
    const other = await page.browserContext().newPage()
    await other.bringToFront()
    await page.waitForFunction(() => document.visibilityState === 'hidden', { polling: 20 })
    return other
  }

  /** By name: the last value that was sent, as the library writes it. */
  const sent = (world: World): Record<string, Value> =>
    Object.fromEntries(
      world.sink.logs().flatMap(({ eventName, attributes }) => {
        if (eventName !== 'browser.web_vital') return []
        const of = flat(attributes)
        const {
          name,
          value,
          rating,
          navigation_type: navigationType,
        } = Object.fromEntries(
          Object.entries(of).map(([key, one]) => [key.replace('browser.web_vital.', ''), one]),
        )
        return [[name, { value: Number(value), rating, navigationType }]]
      }),
    )

  const same = (ours: Record<string, Value>, theirs: Record<string, Value>): void => {
    expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort())
    for (const [name, { value, rating, navigationType }] of Object.entries(theirs)) {
      expect([name, ours[name]]).toEqual([name, { value: expect.closeTo(value, 3), rating, navigationType }])
    }
  }

  test('the same values, ratings and navigation types as the standard library', async () => {
    const world = await open()
    const { page } = world
    await world.visit()
    await painted(page)
    await page.evaluate(() => {
      const told = () => Object.assign(globalThis, { told: true })
      const options: object = { type: 'event', durationThreshold: 104 }
      new PerformanceObserver(told).observe(options as PerformanceObserverInit)
    })
    // Two shifts of one session; both are seen by the library before the page is hidden.
    for (const height of ['200px', '90px']) {
      await page.$eval(
        '#box',
        (box, to) => {
          ;(box as HTMLElement).style.height = to
          return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
        },
        height,
      )
    }
    await page.waitForFunction(() => (globalThis as unknown as TestPage).webVitals.cls?.value)
    // Half a second after input shifts do not count: the click comes last.
    await page.click('#slow')
    await page.waitForFunction(() => (globalThis as unknown as TestPage).told)
    await page.waitForFunction(() => (globalThis as unknown as TestPage).webVitals.inp)
    await hide(page)
    await until(
      'five vitals',
      () => Object.keys(sent(world)).length >= 5,
      () => JSON.stringify(sent(world)),
    )
    const webVitals = await page.evaluate(() => (globalThis as unknown as TestPage).webVitals)
    expect(Object.keys(webVitals)).toHaveLength(5)
    same(sent(world), webVitals)
    await world.close()
  })

  test('of many interactions the 98th percentile, as the library has it', async () => {
    const world = await open()
    const { page } = world
    world.site.html = world.site.html.replace(
      '<div id="root">',
      `<button id="busy" style="display:block">busy</button><script>
        let clicks = 0
        const told = []
        document.querySelector('#busy').addEventListener('click', () => {
          // The longest, the second, and enough short ones that the longest is left out.
          const ms = [210, 120][clicks++] ?? 20
          for (const end = performance.now() + ms; performance.now() < end; );
        })
        new PerformanceObserver((list) => {
          for (const { name } of list.getEntries()) if (name === 'click') told.push(name)
        }).observe({ type: 'event', durationThreshold: 16 })
      </script><div id="root">`,
    )
    await world.visit()
    await painted(page)
    for (let click = 1; click <= 53; click++) {
      await page.click('#busy')
      await page.waitForFunction(`told.length >= ${click}`, { polling: 20 })
    }
    await hide(page)
    await until('the vital', () => sent(world).inp)
    const webVitals = await page.evaluate(() => (globalThis as unknown as TestPage).webVitals)
    expect(sent(world).inp).toEqual(webVitals.inp)
    expect(webVitals.inp!.value).toBeGreaterThanOrEqual(120)
    await world.close()
  })

  test('a page from the back-forward cache is a visit of its own', async () => {
    const world = await open()
    const { page } = world
    await world.visit()
    await painted(page)
    await page.goto(`${world.site.origin}/elsewhere`)
    await until('the vitals of the load', () => sent(world).lcp)
    await page.goBack()
    await page.waitForFunction(
      () => (globalThis as unknown as TestPage).webVitals.lcp?.navigationType === 'back-forward-cache',
    )
    await hide(page)
    await until('those of the return', () => sent(world).lcp?.navigationType === 'back-forward-cache')
    const { lcp, ttfb } = sent(world)
    const webVitals = await page.evaluate(() => (globalThis as unknown as TestPage).webVitals)
    expect(ttfb).toEqual({ value: 0, rating: 'good', navigationType: 'back-forward-cache' })
    expect(lcp!.rating).toBe(webVitals.lcp!.rating)
    const views = world.sink
      .logs()
      .filter(({ eventName }) => eventName === 'browser.web_vital')
      .map(({ attributes }) => flat(attributes)['hotspan.view.id'])
    expect(new Set(views).size).toBe(2)
    await world.close()
  })

  test('a page that began hidden has no speed of its own', async () => {
    const world = await open()
    const { page } = world
    // What a tab in the background says of itself.
    await page.evaluateOnNewDocument(() => {
      Object.defineProperty(document, 'hidden', { get: () => true })
      Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })
    })
    await world.visit()
    await painted(page)
    const library = await page.evaluate(() => (globalThis as unknown as TestPage).webVitals)
    await page.goto(`${world.site.origin}/elsewhere`)
    await until('what is left', () => sent(world).cls)
    expect(sent(world)).not.toHaveProperty('lcp')
    expect(sent(world)).not.toHaveProperty('fcp')
    expect(library).not.toHaveProperty('lcp')
    expect(library).not.toHaveProperty('fcp')
    await world.close()
  })

  test('a soft navigation is a visit of its own, and ends its route', async () => {
    const world = await open()
    const { page } = world
    world.site.html = world.site.html.replace(
      '<div id="root">',
      `<button id="go">go</button><main></main><script>
        document.querySelector('#go').addEventListener('click', () => {
          history.pushState({}, '', '/p/7')
          document.querySelector('main').innerHTML = '<h2 id="arrived">Words of the next route</h2>'
        })
        globalThis.softly = false
        new PerformanceObserver(() => { softly = true }).observe({ type: 'soft-navigation' })
      </script><div id="root">`,
    )
    await world.visit()
    await painted(page)
    await page.click('#go')
    await page.waitForFunction('softly')
    await page.waitForFunction(
      () => (globalThis as unknown as TestPage).webVitals.lcp?.navigationType === 'soft-navigation',
    )
    await hide(page)
    const softly = () => sent(world).lcp?.navigationType === 'soft-navigation'
    await until('its vitals', softly, () => JSON.stringify(sent(world)))
    const webVitals = await page.evaluate(() => (globalThis as unknown as TestPage).webVitals)
    await until(
      'all that the library has',
      () =>
        Object.keys(webVitals).every(
          (name) => sent(world)[name]?.navigationType === webVitals[name]!.navigationType,
        ),
      () => JSON.stringify([sent(world), webVitals]),
    )
    same(sent(world), webVitals)
    expect(sent(world).ttfb!.value).toBe(0)
    const route = await until('the route', () =>
      world.sink.spans().find(({ name }) => name === 'route /p/:id'),
    )
    const ofRoute = world.sink
      .logs()
      .filter(({ attributes }) => flat(attributes)['hotspan.view.route'] === '/p/:id')
    expect(ofRoute.map(({ spanId }) => spanId)).toContain(route.spanId)
    await world.close()
  })

  test('a prerendered page is silent until it is shown, and counts from then on', async () => {
    const world = await open()
    const { page } = world
    const plain = world.site.html
    // What the driver gives to every document does not reach one that is prerendered.
    const options = JSON.stringify({ endpoint: world.sink.origin, service: 'test-page' })
    world.site.html = plain.replace(
      '<body>',
      `<body><script>globalThis.HOTSPAN_TEST ??= ${options}</script><script type="speculationrules">
        {"prerender": [{"urls": ["/next"], "eagerness": "immediate"}]}
      </script><a id="next" href="/next">next</a>`,
    )
    await world.visit()
    await until('the prerendering', () => world.site.documents.includes('/next'))
    await page.click('#next')
    await page.waitForFunction(() => location.pathname === '/next')
    const activated = await page.evaluate(
      () => (performance.getEntriesByType('navigation')[0] as { activationStart?: number }).activationStart,
    )
    expect(activated).toBeGreaterThan(0)
    await painted(page)
    await hide(page)
    await until('its vitals', () => sent(world).ttfb?.navigationType === 'prerender')
    const webVitals = await page.evaluate(() => (globalThis as unknown as TestPage).webVitals)
    expect(sent(world).ttfb!.value).toBeCloseTo(webVitals.ttfb!.value, 3)
    const loads = () => world.sink.spans().filter(({ name }) => name === 'documentLoad')
    await until('its load', () => loads().length === 2)
    await world.close()
  })
})
