import { existsSync } from 'node:fs'
import puppeteer, { type Browser } from 'puppeteer-core'

const path = process.env.CHROME_PATH ?? '/usr/bin/chromium'

export const chromiumPath = path

const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

/** A fresh Chromium with a profile of its own. */
export async function launchChromium(): Promise<Browser> {
  if (!existsSync(path)) throw new Error(`no Chromium at ${path}: install it or set CHROME_PATH`)
  return puppeteer.launch({ executablePath: path, headless: true, args: flags.split(' ') })
}

/** Closes it, by force when it does not go: a machine under load may keep a tab that is closing for minutes. */
export async function closeChromium(browser: Browser): Promise<void> {
  const hard = setTimeout(() => browser.process()?.kill('SIGKILL'), 10_000)
  await browser.close().catch(() => {})
  clearTimeout(hard)
}
