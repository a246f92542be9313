import type { Browser, Page } from 'puppeteer-core'
import { openSink, type Sink } from './sink.ts'
import { openSite, type Site } from './site.ts'

/** A site, a sink on another origin and a fresh page that knows the sink. */
export interface World {
  readonly site: Site
  readonly sink: Sink
  readonly page: Page
  /** Goes to a path of the site and waits for its `load`. */
  visit(path?: string, options?: object): Promise<void>
  close(): Promise<void>
}

export const openWorld = async (browser: Browser, script: string): Promise<World> => {
  const [site, sink] = [await openSite(), await openSink()]
  site.script = script
  // Storage of its own: a session or a kept chunk of another test must not show here.
  const context = await browser.createBrowserContext()
  const page = await context.newPage()
  return {
    site,
    sink,
    page,
    visit: async (path = '/', options = {}) => {
      const text = JSON.stringify({ endpoint: sink.origin, service: 'test-page', ...options })
      await page.evaluateOnNewDocument(`globalThis.HOTSPAN_TEST ??= ${text}`)
      await page.goto(site.origin + path)
    },
    close: async () => {
      await context.close()
      await sink.close()
      await site.close()
    },
  }
}
