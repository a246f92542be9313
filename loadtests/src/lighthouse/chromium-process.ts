import { spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Launcher } from 'chrome-launcher'
import { LoadtestsError } from '../errors.ts'
import { chromeFlags } from './lighthouse-settings.ts'

export interface Chromium {
  /** Also the id of its process group. */
  readonly pid: number
  /** DevTools on 127.0.0.1. */
  readonly port: number
  /** Whole version, `156.0.7423.5`: the user agent string has only the major one. */
  readonly version: string
  /** Ends the whole process group and waits for it. */
  close(): Promise<void>
}

/** Path of the Chromium or Chrome that would be used: `CHROME_PATH`, then what is installed. Throws `HS_CHROME_MISSING`. */
export function findChrome(): string {
  let found: string | undefined
  try {
    found = process.env.CHROME_PATH || Launcher.getFirstInstallation()
  } catch {
    // chrome-launcher throws where it finds nothing on Linux.
  }
  if (found) return found
  const wayOut = 'install it (Debian: apt-get install chromium) or set CHROME_PATH'
  throw new LoadtestsError('HS_CHROME_MISSING', `no Chromium or Chrome was found; ${wayOut}`)
}

/**
 * A headless Chromium with a fresh profile for visits to `url` (it starts on an empty page); profile and temporary files lie in `folder`. Started here and not by chrome-launcher,
 * whose `launch` lets a missing binary become an uncaught exception. Throws `HS_CHROME_MISSING` when it does not start.
 */
export async function startChromium(
  chromePath: string,
  url: string,
  folder: string,
  signal: AbortSignal,
): Promise<Chromium> {
  const temporary = join(folder, 'tmp')
  await mkdir(temporary)
  const flags = [
    ...Launcher.defaultFlags(),
    ...chromeFlags(url),
    `--user-data-dir=${join(folder, 'profile')}`,
  ]
  const child = spawn(chromePath, [...flags, '--remote-debugging-port=0', 'about:blank'], {
    // A group of its own, so that renderers and helpers can be ended together with it.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  })
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const close = async () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // The group is gone already.
    }
    await gone
  }
  try {
    const port = await devToolsPort(child.stderr, gone, chromePath, signal, (listener) =>
      child.once('error', listener),
    )
    const answer = await fetch(`http://127.0.0.1:${port}/json/version`, { signal })
    const { Browser: browser } = (await answer.json()) as { Browser?: string }
    return { pid: child.pid!, port, version: /\/([\d.]+)/.exec(browser ?? '')?.[1] ?? 'unknown', close }
  } catch (error) {
    await close()
    throw error
  }
}

function devToolsPort(
  stderr: NodeJS.ReadableStream,
  gone: Promise<void>,
  chromePath: string,
  signal: AbortSignal,
  onError: (listener: (error: Error) => void) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = ''
    const refuse = (reason: string) => {
      const wayOut = 'give the path of a Chromium that starts on this machine (CHROME_PATH)'
      reject(new LoadtestsError('HS_CHROME_MISSING', `${chromePath} did not start: ${reason}; ${wayOut}`))
    }
    onError((error) => refuse(error.message))
    stderr.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4000)
      // "DevTools listening on ws://127.0.0.1:41387/devtools/browser/5d1c..."
      const port = /DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(output)?.[1]
      if (port) resolve(Number(port))
    })
    void gone.then(() => refuse(`it ended at once. ${output.trim().slice(-500)}`))
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
