import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  type Collector,
  createCollector,
  exceptionsOfTraces,
  readBuildFolder,
  type StoredException,
  type StoredSpan,
  spansOfTraces,
  storeSourceMaps,
} from '@hotspan/collector'
import type { Browser } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltApp, buildWithVite, buildWithWebpack } from '../../testing/build-app.ts'
import { launchChromium, noChromium, until } from '../../testing/chromium.ts'
import { type Served, serveFolder } from '../../testing/serve-folder.ts'

const CLICKS = 3

/** Every component of `testing/shop-app` that renders for nothing, with the place of its function. */
const COMPONENTS: Record<string, string> = {
  ProductCard: 'src/product-card.tsx:8',
  Basket: 'src/basket.tsx:3',
  Row: 'src/rows.tsx:9',
  Plain: 'src/rows.tsx:11',
  Small: 'src/rows.tsx:17',
  Labelled: 'src/rows.tsx:20',
  NamedTwice: 'src/rows.tsx:26',
  Later: 'src/parts/later.tsx:3',
}

const script = (app: BuiltApp) =>
  readdirSync(app.outDir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => [name, readFileSync(join(app.outDir, name), 'utf8')] as const)

describe.skipIf(noChromium)('production builds in Chromium', () => {
  let browser: Browser
  let collector: Collector
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-maps-'))
  const folders: string[] = [dataDir]

  beforeAll(async () => {
    browser = await launchChromium()
    collector = await createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0, onEvent: () => {} })
  })

  afterAll(async () => {
    await browser?.close()
    await collector?.close()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })

  /** Spans of a visit that renders, asks the server and fails, once everything of it is stored. */
  const visit = async (served: Served, service: string) => {
    const page = await browser.newPage()
    await page.evaluateOnNewDocument(
      `globalThis.HOTSPAN_TEST = ${JSON.stringify({ endpoint: collector.otlpUrl, service })}`,
    )
    await page.goto(served.origin)
    await page.waitForFunction(() => document.querySelector('code')?.textContent === 'later')
    for (let n = 1; n <= CLICKS; n++) {
      await page.click('#again')
      await page.waitForFunction(
        (count) => document.querySelector('#again')?.textContent === `${count}`,
        {},
        n,
      )
    }
    const failed = new Promise((done) => page.once('pageerror', done))
    await page.click('#ask')
    await failed
    await page.goto('about:blank')
    const scope = { fromMs: Date.now() - 600_000, toMs: Date.now() + 60_000 }
    let seen = ''
    const look = async () => {
      await collector.flush()
      const rows = await collector.store.client.query({
        query: 'SELECT DISTINCT TraceId AS id FROM otel_traces WHERE ServiceName = {service:String}',
        query_params: { service },
        format: 'JSONEachRow',
      })
      const ids = (await rows.json<{ id: string }>()).map(({ id }) => id)
      const spans = await spansOfTraces(collector.store, scope, ids)
      const errors = await exceptionsOfTraces(collector.store, scope, ids)
      const components = componentsOf(spans)
      const has = (name: string) => spans.some((span) => span.name === name)
      seen = `${components.length} components, ${errors.length} errors, spans ${spans.map(({ name }) => name)}`
      return components.length >= 8 && errors.length > 0 && has('GET') && has('longAnimationFrame')
        ? { spans, errors }
        : undefined
    }
    const found = await until('spans and the error of the visit', look, () => seen)
    // Not before: a tab that is killed in the middle of leaving takes its last requests along now and then.
    await page.close()
    return found
  }

  const componentsOf = (spans: readonly StoredSpan[]) =>
    spans
      .flatMap(({ events }) => events)
      .filter(({ name }) => name === 'hotspan.react.component')
      .map(({ attributes }) => attributes)

  const check = ({ spans, errors }: { spans: StoredSpan[]; errors: StoredException[] }, service: string) => {
    const places: Record<string, string> = {}
    for (const attributes of componentsOf(spans)) {
      const name = attributes['hotspan.react.component']!
      if (name === 'ProductPage') continue
      places[name] = `${attributes['code.file.path']}:${attributes['code.line.number']}`
      if (Number(attributes['hotspan.react.wasted']) > 0)
        expect(attributes['hotspan.react.cascade_root']).toBe('ProductPage')
    }
    expect(places).toMatchObject(COMPONENTS)
    // A function without a name goes by its file.
    expect(Object.values(places)).toContain('src/parts/unnamed.tsx:3')
    expect(Object.keys(places).filter((name) => name.length < 3 || name.includes('~'))).toEqual([])

    const call = spans.find(
      ({ name, attributes }) => name === 'GET' && attributes['url.full']?.endsWith('/api/ask'),
    )
    expect(call?.attributes).toMatchObject({
      'code.function.name': 'askServer',
      'code.file.path': 'src/parts/ask-server.ts',
      'code.line.number': '3',
    })
    const scripts = spans.flatMap(({ name, events }) => (name === 'longAnimationFrame' ? events : []))
    expect(scripts.map(({ attributes }) => attributes)).toContainEqual(
      expect.objectContaining({
        'code.function.name': 'takeLong',
        'code.file.path': 'src/parts/ask-server.ts',
        'code.line.number': '7',
      }),
    )
    const [error] = errors
    expect(error).toMatchObject({ type: 'RangeError', message: 'refused', service })
    const [first, second] = error!.stack.split('\n').slice(1)
    expect(first).toContain('at refuse (src/parts/ask-server.ts:14:')
    expect(second).toContain('at takeLong (src/parts/ask-server.ts:10:')
  }

  test.each([
    ['Vite 8', 18, buildWithVite],
    ['Vite 8', 19, buildWithVite],
    ['webpack 5', 18, buildWithWebpack],
    ['webpack 5', 19, buildWithWebpack],
  ] as const)(
    '%s, React %i: names, files and lines of the source',
    { timeout: 240_000 },
    async (tool, version, build) => {
      const app = await build(version)
      folders.push(dirname(app.outDir))
      // Nothing that is served tells a name or where the maps are.
      expect(readdirSync(app.outDir, { recursive: true, encoding: 'utf8' }).join()).not.toContain('.map')
      for (const [, code] of script(app))
        expect(code).not.toMatch(/sourceMappingURL|ProductCard|ProductPage|NamedTwice|askServer/)
      const entry = script(app).find(([, code]) => code.startsWith('globalThis.HOTSPAN_BUILD'))
      const served = await serveFolder(
        app.outDir,
        `<!doctype html><div id="root"></div><script defer src="/${entry![0]}"></script>`,
      )
      try {
        const service = `${tool} ${version}`
        const before = await visit(served, service)
        // Until the maps come, each function has a name of its own, and nothing is claimed.
        expect(componentsOf(before.spans)[0]!['hotspan.react.component']).toMatch(/^[\w$]+~[0-9a-z]{1,7}$/)
        const stored = await storeSourceMaps(collector.store, await readBuildFolder(app.mapsDir))
        expect(stored.buildIds).toContain(before.spans[0]!.resource['hotspan.build.id'])
        check(await readAgain(before.spans), service)
      } finally {
        await served.close()
      }
    },
  )

  /** The same spans, read once more. */
  const readAgain = async (spans: readonly StoredSpan[]) => {
    const ids = [...new Set(spans.map(({ traceId }) => traceId))]
    const scope = { fromMs: Date.now() - 600_000, toMs: Date.now() + 60_000 }
    return {
      spans: await spansOfTraces(collector.store, scope, ids),
      errors: await exceptionsOfTraces(collector.store, scope, ids),
    }
  }
})

test('the same sources give the same id and the same files, other sources another id', {
  timeout: 240_000,
}, async () => {
  const apps = [await buildWithVite(19), await buildWithVite(19), await buildWithVite(18)]
  try {
    const ids = apps.map(
      ({ mapsDir }) => JSON.parse(readFileSync(join(mapsDir, 'hotspan-build.json'), 'utf8')).buildIds[0],
    )
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/)
    expect(ids[1]).toBe(ids[0])
    expect(script(apps[1]!)).toEqual(script(apps[0]!))
    expect(ids[2]).not.toBe(ids[0])
  } finally {
    for (const { outDir } of apps) rmSync(dirname(outDir), { recursive: true, force: true })
  }
})
