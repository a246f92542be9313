import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readRun, runFolder, writeRun } from '../runs/run-folder.ts'
import { findChrome } from './chromium-process.ts'
import { runLighthouse } from './run-lighthouse.ts'

const chromePath = (() => {
  try {
    return findChrome()
  } catch {
    return undefined
  }
})()
const required = (process.env.HOTSPAN_REQUIRE ?? '').split(',').includes('chromium')
if (!chromePath && required) throw new Error('HOTSPAN_REQUIRE names chromium, but none was found')

// 3,000 functions that nobody calls: known waste.
const script = Array.from(
  { length: 3000 },
  (_, i) => `function unused${i}(a) { return a + ${i} + "some text" }`,
).join('\n')
const page = `<!doctype html><html lang="en"><head><title>Small</title><meta name="viewport" content="width=device-width">
<script src="/app.js?token=secret" defer></script></head><body><h1>Hello</h1><p>A page of known parts.</p></body></html>`

let server: Server
let url = ''
let folder = ''
beforeAll(async () => {
  // Own folder for temporary files, so that what is left over can be seen.
  folder = await mkdtemp(join(tmpdir(), 'hotspan-test-'))
  process.env.TMPDIR = folder
  server = createServer((request, response) => {
    if (request.url === '/hang') return
    const isScript = request.url?.startsWith('/app.js')
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    if (request.url === '/') response.end(page)
    else if (isScript) response.end(script)
    else response.writeHead(204).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

test('one real run has the figures of the page, is stored and read back, and leaves nothing behind', async (context) => {
  if (!chromePath) return context.skip('no Chromium or Chrome was found')
  const { run, samples, lhr } = await runLighthouse({ url: `${url}/`, chromePath, formFactor: 'desktop' })
  expect(run).toMatchObject({ kind: 'lighthouse', driver: 'lighthouse', model: 'page', url: `${url}/` })
  expect(run.driverVersion).toMatch(/^13\.\d+\.\d+ \(Chromium \d+\.\d+\.\d+\.\d+\)$/)
  expect(lhr.configSettings.throttlingMethod).toBe('devtools')
  for (const metric of [
    'first-contentful-paint',
    'largest-contentful-paint',
    'total-blocking-time',
    'interactive',
    'speed-index',
  ]) {
    expect(run.metrics[metric]?.unit).toBe('ms')
  }
  expect(run.metrics['first-contentful-paint']!.value).toBeGreaterThan(0)
  expect(run.metrics['benchmark-index']!.value).toBeGreaterThan(0)
  expect(run.metrics['requests/script']).toEqual({ value: 1, unit: '{request}', n: 1 })
  expect(run.metrics['transfer-size/script']!.value).toBeGreaterThan(script.length)
  expect(run.metrics['unused-javascript.ratio']!.value).toBeGreaterThan(0.9)
  expect(run.metrics['cache-insight.wasted']!.value).toBeGreaterThan(script.length * 0.9)
  const figure = (metric: string) => samples.find((s) => s.type === 'page' && s.metric === metric)
  expect(figure('unused-javascript.wasted//app.js')).toMatchObject({ page: '/', unit: 'By' })
  expect(figure('cache-insight.lifetime//app.js')).toMatchObject({ value: 0, unit: 'ms' })
  expect(JSON.stringify(samples)).not.toContain('secret')
  expect(await readdir(folder)).toEqual([])

  const dir = runFolder(folder, run.id)
  await writeRun(dir, run, samples, { 'lighthouse.json': JSON.stringify(lhr) })
  expect(await readRun(dir)).toEqual({ run, samples })
  expect(existsSync(join(dir, 'lighthouse.json'))).toBe(true)
  await rm(join(folder, 'runs'), { recursive: true })
}, 180_000)

test('a page that never answers ends at the time limit, browser and profile included', async (context) => {
  if (!chromePath) return context.skip('no Chromium or Chrome was found')
  const run = runLighthouse({ url: `${url}/hang`, chromePath, timeLimitMs: 4000 })
  await expect(run).rejects.toMatchObject({ code: 'HS_LIGHTHOUSE_TIMEOUT' })
  expect(await readdir(folder)).toEqual([])
}, 60_000)

test('what cannot be measured is said with the way out', async () => {
  await expect(runLighthouse({ url: 'file:///etc' })).rejects.toThrow(
    /url is "file:\/\/\/etc"; expected an http/,
  )
  const run = runLighthouse({ url, chromePath: join(folder, 'no-chrome') })
  await expect(run).rejects.toMatchObject({ code: 'HS_CHROME_MISSING', exit: 2 })
  expect(await readdir(folder)).toEqual([])
})
