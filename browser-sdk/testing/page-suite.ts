import type { Browser } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { launchChromium } from './chromium.ts'
import { flat } from './sink.ts'
import { bundlePage } from './site.ts'
import { openWorld, type World } from './world.ts'

/** What the test pages leave on `globalThis`. */
export interface TestPage {
  readonly hotspan: typeof import('../src/index.ts')
  readonly seen: string[]
}

/** A browser for the tests of one file, a world of its own for each test, and what tests ask of the world. */
export const pageSuite = () => {
  let browser: Browser
  let script: string
  let world: World

  beforeAll(async () => {
    browser = await launchChromium()
    script = await bundlePage('basic.ts')
  })

  afterEach(async () => {
    // Whatever a test looked at, all of it was OTLP/JSON.
    expect(world.sink.malformed).toEqual([])
    await world.close()
  })

  afterAll(() => browser?.close())

  const spans = () => world.sink.spans()
  return {
    /** A fresh world whose page runs this file of `pages/`. */
    open: async (page = 'basic.ts'): Promise<World> => {
      world = await openWorld(browser, page === 'basic.ts' ? script : await bundlePage(page))
      return world
    },
    spans,
    named: (name: string) => spans().find((span) => span.name === name),
    spanTo: (path: string) =>
      spans().find(({ attributes }) => `${flat(attributes)['url.full']}`.includes(path)),
    leave: () => world.page.goto(`${world.site.origin}/elsewhere`),
    failures: () =>
      world.page.evaluate(() => (globalThis as unknown as TestPage).hotspan.failures.map(String)),
  }
}
