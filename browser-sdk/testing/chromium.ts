import { existsSync } from 'node:fs'
import puppeteer, { type Browser } from 'puppeteer-core'

const path = process.env.CHROME_PATH ?? '/usr/bin/chromium'

/** Why the tests in a browser cannot run here; undefined when they can. A required Chromium is not excused. */
export const noChromium: string | undefined =
  existsSync(path) || process.env.HOTSPAN_REQUIRE?.split(',').includes('chromium')
    ? undefined
    : `no Chromium at ${path} (install it or set CHROME_PATH)`

if (noChromium) console.warn(`skipped: ${noChromium}`)

const FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

export const launchChromium = (): Promise<Browser> =>
  puppeteer.launch({ executablePath: path, headless: true, args: FLAGS.split(' ') })

/** Waits for a condition; fails with the condition's text, never with a mere timeout. */
export const until = async <T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  seen?: () => string,
): Promise<T> => {
  const deadlineMs = Date.now() + 50_000
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > deadlineMs) throw new Error(`never happened: ${what}${seen ? `; seen: ${seen()}` : ''}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
