import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Browser, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildWithVite } from '../testing/build-app.ts'
import { launchChromium, noChromium, until } from '../testing/chromium.ts'
import { serveFolder } from '../testing/serve-folder.ts'
import { flat, openSink, type Sink } from '../testing/sink.ts'

const run = promisify(execFile)
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const scriptTag = here('../dist/hotspan.iife.js')

beforeAll(async () => {
  await run(process.execPath, [here('../build-script-tag.mjs')])
})

test.each([
  ['the core', '../dist/index.js'],
  ['the React part', '../dist/react/index.js'],
])('%s is imported and started on a server without a trace', async (_what, path) => {
  const program = `
    const before = Object.getOwnPropertyNames(globalThis).length
    await import(${JSON.stringify(here(path))})
    const { init, shutdown, failures, recordError } = await import(${JSON.stringify(here('../dist/index.js'))})
    init({ endpoint: 'http://127.0.0.1:1', service: 'server' })
    recordError(new Error('x'))
    shutdown()
    console.log(JSON.stringify([Object.getOwnPropertyNames(globalThis).length - before, failures.length]))`
  // It ends: nothing keeps the process alive.
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 60_000,
  })
  expect([stdout.trim(), stderr]).toEqual(['[0,0]', ''])
})

test('the script for tags declares nothing but its own name, and names its map', async () => {
  const code = readFileSync(scriptTag, 'utf8')
  expect(code).toContain('//# sourceMappingURL=hotspan.iife.js.map')
  expect(JSON.parse(readFileSync(`${scriptTag}.map`, 'utf8')).sourcesContent[0]).toBeTypeOf('string')
  const program = `
    const before = new Set(Object.getOwnPropertyNames(globalThis))
    require('node:vm').runInThisContext(require('node:fs').readFileSync(process.argv[1], 'utf8'))
    console.log(Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name)).join())`
  const { stdout } = await run(process.execPath, ['--input-type=commonjs', '-e', program, scriptTag])
  expect(stdout.trim()).toBe('hotspan')
})

describe.skipIf(noChromium)('under a strict policy with Trusted Types', () => {
  let browser: Browser
  let sink: Sink
  const folders: string[] = []

  beforeAll(async () => {
    browser = await launchChromium()
    sink = await openSink()
  })

  afterAll(async () => {
    await browser?.close()
    await sink?.close()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })

  const policy = () => ({
    'content-security-policy': `default-src 'none'; script-src 'self'; connect-src 'self' ${sink.origin}; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'`,
  })

  const openPage = async (): Promise<Page> => {
    const page = await browser.newPage()
    await page.evaluateOnNewDocument(
      `globalThis.violations = []
      addEventListener('securitypolicyviolation', ({ violatedDirective, sourceFile }) => violations.push(violatedDirective + ' ' + sourceFile))
      globalThis.HOTSPAN_TEST = ${JSON.stringify({ endpoint: sink.origin, service: 'strict' })}`,
    )
    return page
  }

  const violations = (page: Page) =>
    page.evaluate(() => (globalThis as unknown as { violations: string[] }).violations)

  test('one script tag, configured by its attributes, sends what happens', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hotspan-script-tag-'))
    folders.push(folder)
    writeFileSync(join(folder, 'hotspan.js'), readFileSync(scriptTag))
    writeFileSync(join(folder, 'page.js'), `addEventListener('click', () => fetch('/api/from-script-tag'))`)
    writeFileSync(
      join(folder, 'index.html'),
      `<!doctype html><script src="/hotspan.js" data-endpoint="${sink.origin}" data-service="tagged" data-version="1.2"></script>
      <script src="/page.js"></script><button>go</button>`,
    )
    const site = await serveFolder(folder, undefined, policy())
    const page = await openPage()
    await page.goto(site.origin)
    await page.click('button')
    await until('the request', () => site.asked.includes('/api/from-script-tag'))
    expect(await violations(page)).toEqual([])
    await page.goto('about:blank')
    await until('its span', () =>
      sink
        .spans()
        .some(({ attributes }) => `${flat(attributes)['url.full']}`.endsWith('/api/from-script-tag')),
    )
    expect(sink.resources.at(-1)).toMatchObject({ 'service.name': 'tagged', 'service.version': '1.2' })
    await page.close()
    await site.close()
  })

  test('a build with the plugin runs its prelude and its lazy parts', { timeout: 240_000 }, async () => {
    const app = await buildWithVite(19)
    folders.push(dirname(app.outDir))
    const site = await serveFolder(app.outDir, undefined, policy())
    const page = await openPage()
    await page.goto(site.origin)
    await page.waitForFunction(() => document.querySelector('code')?.textContent === 'later')
    await page.click('#again')
    await page.waitForFunction(() => document.querySelector('#again')?.textContent === '1')
    expect(await violations(page)).toEqual([])
    await page.goto('about:blank')
    const named = () =>
      sink
        .spans()
        .flatMap(({ events }) => events.map(({ attributes }) => flat(attributes)['hotspan.react.component']))
        .filter(Boolean)
    await until('components with keys', () => named().length > 0)
    for (const name of named()) expect(name).toMatch(/~[0-9a-z]+$/)
    expect(sink.resources.at(-1)!['hotspan.build.id']).toMatch(/^[0-9a-f]{32}$/)
    expect(sink.malformed).toEqual([])
    await page.close()
    await site.close()
  })
})
