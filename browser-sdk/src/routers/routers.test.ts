import type { Browser } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium, noChromium, until } from '../../testing/chromium.ts'
import { flat } from '../../testing/sink.ts'
import { bundlePage } from '../../testing/site.ts'
import { openWorld } from '../../testing/world.ts'

describe.skipIf(noChromium)('routers', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launchChromium()
  })

  afterAll(() => browser?.close())

  test.each([
    ['React Router', 'react-router.tsx', '/shop/:product/reviews'],
    ['TanStack Router', 'tanstack-router.tsx', '/shop/$product/reviews'],
  ])('%s names views by its own routes, as no URL could tell', async (_name, page, route) => {
    const world = await openWorld(browser, await bundlePage(page))
    await world.visit()
    await world.page.waitForSelector('#shoe')
    await world.page.click('#shoe')
    await world.page.waitForSelector('#reviews')
    await world.page.evaluate(() => fetch('/api/of-route').then((answer) => answer.text()))
    await world.page.goto(`${world.site.origin}/elsewhere`)
    const seen = () =>
      world.sink
        .spans()
        .map(({ name }) => name)
        .join(', ')
    const span = await until(
      'the route',
      () => world.sink.spans().find(({ name }) => name === `route ${route}`),
      seen,
    )
    const click = await until(
      'the click',
      () => world.sink.spans().find(({ name }) => name === 'interaction click'),
      seen,
    )
    expect(span).toMatchObject({ traceId: click.traceId })
    const call = await until('its request', () =>
      world.sink
        .spans()
        .find(({ attributes }) => `${flat(attributes)['url.full']}`.endsWith('/api/of-route')),
    )
    expect(flat(call.attributes)['hotspan.view.route']).toBe(route)
    expect(world.sink.malformed).toEqual([])
    await world.close()
  })

  test('Next.js: parameters in the path become their names', async () => {
    const { nextRoute } = await import('./next.ts')
    expect(nextRoute('/shop/red-shoe/reviews', { product: 'red-shoe' })).toBe('/shop/:product/reviews')
    expect(nextRoute('/docs/a/b', { slug: ['a', 'b'] })).toBe('/docs/:slug')
    expect(nextRoute('/', {})).toBe('/')
    expect(nextRoute('/about', null)).toBe('/about')
  })
})
