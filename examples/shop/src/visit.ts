import { type Browser, type BrowserContext, launch, type Page } from 'puppeteer-core'
import { findChromium } from './find-chromium.ts'

export interface VisitOptions {
  /** Address of a running shop. */
  readonly url: string
  /** Path of Chromium. Default: CHROME_PATH, else the first one in PATH. */
  readonly chromium?: string
  /** How many visits; every second one is the same visitor coming back. Default 2. */
  readonly visits?: number
  /** Number of the first visit, default 0: visits of different numbers look for different things. */
  readonly firstVisit?: number
  /** A step that takes longer fails the visit, ms. Default 20 000. */
  readonly stepLimitMs?: number
  readonly onProgress?: (step: string) => void
}

/** What one visit did, step by step. */
export interface Visit {
  readonly steps: readonly { readonly name: string; readonly durationMs: number }[]
  /** Uncaught errors of the page and answers of 400 and above from the shop. */
  readonly errors: readonly string[]
  /** Answers of the shop by path, without query. */
  readonly requests: Readonly<Record<string, number>>
  /** Bytes of scripts and styles that came over the network; what the cache held counts nothing. */
  readonly assetBytes: number
}

export interface VisitReport {
  readonly visits: readonly Visit[]
  readonly durationMs: number
}

/** A visitor types a word that many products have, then goes on. */
const searches = [
  { first: 'co', rest: 'pper lamp' },
  { first: 'qu', rest: 'iet kettle' },
  { first: 'fo', rest: 'lding chair' },
  { first: 'tr', rest: 'avel tent' },
] as const

/** ms between two keys of a quick typist. */
const keyDelayMs = 70

const browserFlags = [
  ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
  // Chromium asks for its maker's hosts in spite of all that; a visit of a local shop needs no name but its own.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
]

class Visitor {
  readonly steps: { name: string; durationMs: number }[] = []
  readonly errors: string[] = []
  readonly requests: Record<string, number> = {}
  assetBytes = 0
  readonly #page: Page
  readonly #origin: string
  readonly #onProgress: (step: string) => void

  constructor(page: Page, origin: string, onProgress: (step: string) => void) {
    this.#page = page
    this.#origin = origin
    this.#onProgress = onProgress
  }

  async watch(): Promise<void> {
    this.#page.on('pageerror', (error) => this.errors.push(String(error)))
    this.#page.on('response', (response) => {
      const { origin, pathname } = new URL(response.url())
      if (origin !== this.#origin) return
      this.requests[pathname] = (this.requests[pathname] ?? 0) + 1
      if (response.status() >= 400) this.errors.push(`${pathname} answered ${response.status()}`)
    })
    const network = await this.#page.createCDPSession()
    const assets = new Set<string>()
    await network.send('Network.enable')
    network.on('Network.responseReceived', ({ requestId, response }) => {
      if (new URL(response.url).pathname.startsWith('/assets/') && !response.fromDiskCache)
        assets.add(requestId)
    })
    network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      if (assets.has(requestId)) this.assetBytes += encodedDataLength
    })
  }

  async step(name: string, act: (page: Page) => Promise<unknown>): Promise<void> {
    this.#onProgress(name)
    const startMs = performance.now()
    try {
      await act(this.#page)
    } catch (cause) {
      throw new Error(`The visit failed at "${name}" (${this.#page.url()}): ${String(cause)}`, { cause })
    }
    this.steps.push({ name, durationMs: performance.now() - startMs })
  }
}

const found = (typed: string) => `.results-title[data-found="${typed}"]`

async function browse(visitor: Visitor, url: string, number: number): Promise<void> {
  const search = searches[number % searches.length] ?? searches[0]
  await visitor.step('open the list', async (page) => {
    await page.goto(url, { waitUntil: 'load' })
    await page.waitForSelector('.card')
  })
  await visitor.step('open a category', async (page) => {
    await page.click(`.categories a:nth-child(${2 + (number % 20)})`)
    await page.waitForFunction(() => location.search.startsWith('?category='))
    await page.waitForSelector('.card')
  })
  await visitor.step('show 48', async (page) => {
    await page.click('.toolbar button:last-child')
    await page.waitForFunction(() => document.querySelectorAll('.card').length > 24)
  })
  await visitor.step('search', async (page) => {
    await page.type('input[type=search]', search.first, { delay: keyDelayMs })
    await page.waitForSelector(`${found(search.first)} ~ .grid .card`)
  })
  await visitor.step('go on typing', async (page) => {
    await page.type('input[type=search]', search.rest, { delay: keyDelayMs })
    await page.waitForSelector(`${found(search.first + search.rest)} ~ .grid .card`)
  })
  await visitor.step('open a product', async (page) => {
    await page.click('.card .card-link')
    await page.waitForSelector('.product')
    await page.waitForSelector('.recommendations .card')
  })
  await visitor.step('read more reviews', async (page) => {
    await page.click('.more-reviews')
    await page.waitForFunction(() => document.querySelectorAll('.reviews li').length > 10)
  })
  await visitor.step('add to the cart', async (page) => {
    await page.click('.product .add')
    await page.waitForSelector('.cart-link .badge')
  })
  await visitor.step('open a recommendation', async (page) => {
    const before = page.url()
    await page.click('.recommendations .card .card-link')
    await page.waitForFunction((old) => location.href !== old, {}, before)
    await page.waitForSelector('.product')
    await page.waitForSelector('.recommendations .card')
  })
  await visitor.step('open the cart', async (page) => {
    await page.click('.cart-link')
    await page.waitForSelector('table.cart')
    await page.waitForSelector('.shipping .quotes')
  })
  await visitor.step('open a link to a product', async (page) => {
    await page.goto(`${url}/products/${100 + number}`, { waitUntil: 'load' })
    await page.waitForSelector('.product')
    await page.waitForSelector('.recommendations .card')
  })
}

/** Leaving the page is what makes it send the rest of its telemetry; the visit ends when nothing is on its way any more. */
async function leave(visitor: Visitor): Promise<void> {
  await visitor.step('leave', async (page) => {
    await page.waitForNetworkIdle({ idleTime: 300, timeout: 5_000 }).catch(() => {})
    await page.goto('about:blank')
    await page.waitForNetworkIdle({ idleTime: 300, timeout: 5_000 }).catch(() => {})
  })
}

async function visit(context: BrowserContext, options: VisitOptions, number: number): Promise<Visit> {
  const page = await context.newPage()
  page.setDefaultTimeout(options.stepLimitMs ?? 20_000)
  await page.setViewport({ width: 1280, height: 900 })
  const url = options.url.replace(/\/$/, '')
  const visitor = new Visitor(page, new URL(url).origin, options.onProgress ?? (() => {}))
  try {
    await visitor.watch()
    await browse(visitor, url, number)
    await leave(visitor)
    const { steps, errors, requests, assetBytes } = visitor
    return { steps, errors, requests, assetBytes }
  } finally {
    await page.close()
  }
}

/**
 * Visits the shop with a real Chromium: lists, search as one types, a product with reviews and recommendations, the cart. The
 * browser is closed when this ends, also when it fails.
 * @throws ChromiumMissingError; Error naming the step that failed or took longer than `stepLimitMs`
 */
export async function visitShop(options: VisitOptions): Promise<VisitReport> {
  const startMs = performance.now()
  const executablePath = options.chromium ?? findChromium()
  const asRoot = process.getuid?.() === 0
  const browser: Browser = await launch({
    executablePath,
    headless: true,
    args: asRoot ? [...browserFlags, '--no-sandbox'] : browserFlags,
    handleSIGINT: false,
  })
  try {
    const visits: Visit[] = []
    let context: BrowserContext | undefined
    const first = options.firstVisit ?? 0
    for (let number = first; number < first + (options.visits ?? 2); number += 1) {
      if (context === undefined || (number - first) % 2 === 0) {
        await context?.close()
        context = await browser.createBrowserContext()
      }
      visits.push(await visit(context, options, number))
    }
    return { visits, durationMs: performance.now() - startMs }
  } finally {
    await browser.close()
  }
}
