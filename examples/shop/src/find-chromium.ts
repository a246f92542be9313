import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** No browser to drive the storefront with. */
export class ChromiumMissingError extends Error {
  readonly code = 'SHOP_CHROMIUM_MISSING'
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/**
 * Path of Chromium or Chrome: CHROME_PATH, else the first one in PATH.
 * @throws ChromiumMissingError naming the package to install
 */
export function findChromium(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const candidates = env.CHROME_PATH
    ? [env.CHROME_PATH]
    : folders.flatMap((f) => names.map((n) => join(f, n)))
  for (const path of candidates) {
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {}
  }
  throw new ChromiumMissingError(
    env.CHROME_PATH
      ? `CHROME_PATH is ${env.CHROME_PATH}, which cannot be run`
      : 'Chromium is missing: nothing like it in PATH. Install it: apt-get install chromium, or set CHROME_PATH',
  )
}
