import { launchChromium } from '../browser/chromium.ts'

export interface ShopInp {
  readonly inpMs: number
  readonly interactions: number
}

/**
 * Goes through the shop's pages as a visitor does and answers with the longest interaction, which is INP for so few, ms; the
 * browser rounds to 8.
 */
export async function visitShopInp(origin: string, throttling: number): Promise<ShopInp> {
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    const session = await page.createCDPSession()
    await session.send('Emulation.setCPUThrottlingRate', { rate: throttling })
    await page.evaluateOnNewDocument(() => {
      const durations = new Map<number, number>()
      Object.assign(globalThis, { durations })
      new PerformanceObserver((list) => {
        for (const { interactionId, duration } of list.getEntries() as PerformanceEventTiming[])
          if (interactionId)
            durations.set(interactionId, Math.max(duration, durations.get(interactionId) ?? 0))
      }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit)
    })
    const shows = (count: number) =>
      page.waitForFunction((least) => document.querySelectorAll('.card').length >= least, {}, count)
    await page.goto(origin, { waitUntil: 'load' })
    await shows(24)
    await page.click('.toolbar button:last-child')
    await shows(48)
    await page.click('.categories a:nth-child(5)')
    await page.waitForFunction("location.search.startsWith('?category=')")
    await shows(24)
    for (const nth of [1, 2, 3]) {
      const button = `.card:nth-child(${nth}) button`
      await page.click(button)
      await page.waitForFunction(
        (selector) => document.querySelector(selector)?.textContent === 'In the cart',
        {},
        button,
      )
    }
    for (const word of ['co', 'copper']) {
      await page.type('input[type=search]', word.slice(word === 'co' ? 0 : 2), { delay: 40 })
      await page.waitForSelector(`.results-title[data-found="${word}"] ~ .grid .card`)
    }
    await page.click('.card .card-link')
    await page.waitForSelector('.recommendations .card')
    for (const count of [20, 30]) {
      await page.click('.more-reviews')
      await page.waitForFunction(
        (least) => document.querySelectorAll('.reviews li').length >= least,
        {},
        count,
      )
    }
    // The entry of the last one comes after its frame.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 200))))
    const all = (await page.evaluate('[...durations.values()]')) as number[]
    return { inpMs: Math.max(...all), interactions: all.length }
  } finally {
    await browser.close()
  }
}
