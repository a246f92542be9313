import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Collector,
  createCollector,
  readBuildFolder,
  type StoredSpan,
  spansOfTraces,
  storeSourceMaps,
} from '@hotspan/collector'
import type { Browser } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium, noChromium, until } from '../../testing/chromium.ts'

/** Next.js is 340 MB, so no workspace depends on it: `npm test` brings it into the cache. */
const packages = process.env.HOTSPAN_NEXT_PACKAGES
const next = packages ? join(packages, 'node_modules/next/dist/bin/next') : ''
const noNext = existsSync(next)
  ? undefined
  : 'Next.js is not here (HOTSPAN_NEXT_PACKAGES: a folder with next, react and react-dom installed)'
if (noNext && process.env.HOTSPAN_REQUIRE?.split(',').includes('next')) throw new Error(noNext)
const missing = noChromium ? 'no Chromium' : noNext

const source = fileURLToPath(new URL('../../testing/next-app', import.meta.url))
const env = {
  PATH: process.env.PATH,
  NEXT_TELEMETRY_DISABLED: '1',
  HOTSPAN_SDK_DIST: new URL('../../dist', import.meta.url).href,
} as unknown as NodeJS.ProcessEnv

/** `next start` of a folder; the address once it is ready. */
const serve = async (folder: string): Promise<{ origin: string; close(): Promise<void> }> => {
  const child = spawn(process.execPath, [next, 'start', '-p', '0', '-H', '127.0.0.1'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let output = ''
  const origin = await new Promise<string>((resolve, reject) => {
    const read = (part: unknown): void => {
      output += part
      const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? []
      if (found !== undefined && output.includes('Ready')) resolve(found)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('close', () => reject(new Error(`next ended:\n${output}`)))
  })
  return {
    origin,
    close: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

describe.skipIf(missing !== undefined)(
  `an app of Next.js, built by webpack${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let browser: Browser
    let collector: Collector
    let folder: string
    let served: Awaited<ReturnType<typeof serve>>

    beforeAll(async () => {
      folder = mkdtempSync(join(packages!, 'hotspan-next-'))
      cpSync(source, folder, { recursive: true })
      execFileSync(process.execPath, [next, 'build', '--webpack'], { cwd: folder, env, stdio: 'pipe' })
      served = await serve(folder)
      browser = await launchChromium()
      collector = await createCollector({
        dataDir: join(folder, '.hotspan'),
        otlpHttpPort: 0,
        otlpGrpcPort: null,
        pagePort: 0,
        onEvent: () => {},
      })
    }, 300_000)

    afterAll(async () => {
      await browser?.close()
      await served?.close()
      await collector?.close()
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    })

    test('hydration, routes by their parameters, requests and wasted renders by the names of the source', {
      timeout: 120_000,
    }, async () => {
      const page = await browser.newPage()
      await page.evaluateOnNewDocument(
        `globalThis.HOTSPAN_TEST = ${JSON.stringify({ endpoint: collector.otlpUrl })}`,
      )
      const errors: string[] = []
      page.on('pageerror', (error) => errors.push(String(error)))
      await page.goto(served.origin)
      await page.waitForSelector('#item')
      await page.click('#item')
      await page.waitForSelector('#again')
      for (const clicks of ['1', '2', '3']) {
        await page.click('#again')
        await page.waitForFunction((want) => document.querySelector('i')?.textContent === want, {}, clicks)
      }
      await page.goto('about:blank')
      expect(errors).toEqual([])
      await storeSourceMaps(collector.store, await readBuildFolder(join(folder, 'hotspan-sourcemaps')))
      let seen = ''
      const spans = await until(
        'the visit',
        async () => {
          await collector.flush()
          const rows = await collector.store.client.query({
            query: 'SELECT DISTINCT TraceId AS id FROM otel_traces',
            format: 'JSONEachRow',
          })
          const ids = (await rows.json<{ id: string }>()).map(({ id }) => id)
          const scope = { fromMs: Date.now() - 600_000, toMs: Date.now() + 60_000 }
          const found = await spansOfTraces(collector.store, scope, ids)
          seen = found.map(({ name }) => name).join()
          const has = (name: string) => found.some((span) => span.name === name)
          return has('react.commits') && has('route /items/:id') && has('GET') ? found : undefined
        },
        () => seen,
      )
      const phases = (all: readonly StoredSpan[]) =>
        all.map(({ attributes }) => attributes['hotspan.react.phase'])
      expect(phases(spans)).toContain('hydrate')
      const calls = spans.filter(({ attributes }) => attributes['url.full']?.endsWith('/api/ask'))
      expect(calls[0]?.attributes).toMatchObject({
        'code.function.name': 'askServer',
        'code.file.path': expect.stringMatching(/product-page\.js$/),
        'hotspan.view.route': '/items/:id',
        'hotspan.cause': 'sync',
      })
      const components = spans
        .flatMap(({ events }) => events)
        .filter(({ name }) => name === 'hotspan.react.component')
        .map(({ attributes }) => attributes)
      expect(components).toContainEqual(
        expect.objectContaining({
          'hotspan.react.component': 'ProductCard',
          'code.file.path': expect.stringMatching(/product-page\.js$/),
          'code.line.number': '5',
        }),
      )
    })
  },
)
