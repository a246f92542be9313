import { samplingWeight } from '@hotspan/otlp'
import type { Browser } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium, noChromium, until } from '../testing/chromium.ts'
import { flat } from '../testing/sink.ts'
import { bundlePage, openSite } from '../testing/site.ts'
import { openWorld, type World } from '../testing/world.ts'

interface TestPage {
  readonly hotspan: typeof import('./index.ts')
  readonly seen: string[]
}

const SERVER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }

describe.skipIf(noChromium)('a page', () => {
  let browser: Browser
  let script: string
  let world: World

  beforeAll(async () => {
    browser = await launchChromium()
    script = await bundlePage('basic.ts')
  })

  afterEach(async () => {
    // Whatever a test looked at, all of it was OTLP/JSON.
    expect(world.sink.malformed).toEqual([])
    await world.close()
  })

  afterAll(() => browser?.close())

  const spans = () => world.sink.spans()
  const named = (name: string) => spans().find((span) => span.name === name)
  const spanTo = (path: string) =>
    spans().find(({ attributes }) => `${flat(attributes)['url.full']}`.includes(path))
  const leave = () => world.page.goto(`${world.site.origin}/elsewhere`)
  const failures = () =>
    world.page.evaluate(() => (globalThis as unknown as TestPage).hotspan.failures.map(String))

  test('its load is a tree in the trace of the server, linked and not a child', async () => {
    world = await openWorld(browser, script)
    world.site.headers = { 'server-timing': `traceparent;desc="00-${SERVER.traceId}-${SERVER.spanId}-01"` }
    await world.visit('/p/42?token=secret&page=2#part', { allowQuery: ['page'] })
    await world.page.waitForFunction(() => document.readyState === 'complete')
    expect(await failures()).toEqual([])
    await leave()
    const root = await until('documentLoad', () => named('documentLoad'))
    const [fetched, processed] = await until(
      'its children',
      () => named('documentFetch') && [named('documentFetch')!, named('domProcessing')!],
    )
    expect(root).toMatchObject({ traceId: SERVER.traceId, parentSpanId: '', links: [SERVER] })
    expect(flat(root.attributes)).toMatchObject({
      'url.full': `${world.site.origin}/p/:id?token=-&page=2`,
      'hotspan.view.route': '/p/:id',
    })
    expect(root.events.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['responseStart', 'domInteractive', 'loadEventEnd']),
    )
    expect(fetched).toMatchObject({ traceId: SERVER.traceId, parentSpanId: root.spanId, links: [SERVER] })
    expect(processed).toMatchObject({ traceId: SERVER.traceId, parentSpanId: root.spanId })
    for (const { startTimeUnixNano, endTimeUnixNano } of [fetched!, processed!]) {
      expect(startTimeUnixNano).toBeGreaterThanOrEqual(root.startTimeUnixNano)
      expect(endTimeUnixNano).toBeLessThanOrEqual(root.endTimeUnixNano)
    }
    expect(world.sink.resources[0]).toMatchObject({ 'service.name': 'test-page' })
  })

  test('traceparent goes to its own and the listed origins and nowhere else', async () => {
    world = await openWorld(browser, script)
    const [listed, foreign] = [await openSite(), await openSite()]
    await world.visit('/', { propagateTo: [listed.origin] })
    await world.page.evaluate(
      async (a, b) => {
        const xhr = (url: string, own?: string) =>
          new Promise((resolve) => {
            const request = new XMLHttpRequest()
            request.open('PUT', url)
            if (own) request.setRequestHeader('traceparent', own)
            request.onloadend = resolve
            request.send('x')
          })
        await fetch('/api/own', { method: 'post', body: 'x', headers: { 'x-mine': '1' } })
        await fetch(
          new Request('/api/request', { referrerPolicy: 'no-referrer', headers: { 'x-mine': '2' } }),
        )
        await fetch('/api/callers', { headers: { traceparent: 'mine' } })
        await fetch('/api/no-cors', { mode: 'no-cors' })
        await fetch(`${a}/api/listed`)
        await fetch(`${b}/api/foreign`)
        await xhr('/api/xhr')
        await xhr('/api/xhr-callers', 'mine')
        await xhr(`${b}/api/xhr-foreign`)
      },
      listed.origin,
      foreign.origin,
    )
    const headersOf = (path: string) =>
      [world.site, listed, foreign]
        .flatMap(({ requests }) => requests)
        .find((request) => request.path === path)!.headers
    const spanIds = new Map<string, string>()
    await leave()
    await until('nine spans', () => spans().filter(({ kind }) => kind === 3).length === 9)
    for (const path of ['/api/own', '/api/request', '/api/listed', '/api/xhr']) {
      const span = spanTo(`${path}`)!
      spanIds.set(path, span.spanId)
      expect(headersOf(path).traceparent).toBe(`00-${span.traceId}-${span.spanId}-01`)
      expect(headersOf(path).tracestate).toBe(span.traceState)
      expect(samplingWeight(span.traceState)).toEqual({ weight: 1, known: true })
    }
    for (const path of ['/api/no-cors', '/api/foreign', '/api/xhr-foreign'])
      expect(headersOf(path)).not.toHaveProperty('traceparent')
    expect(headersOf('/api/callers').traceparent).toBe('mine')
    expect(headersOf('/api/xhr-callers').traceparent).toMatch(/^mine/)
    expect(headersOf('/api/own')['x-mine']).toBe('1')
    expect(headersOf('/api/request')).toMatchObject({ 'x-mine': '2' })
    expect(headersOf('/api/request')).not.toHaveProperty('referer')
    expect(flat(spanTo('/api/own')!.attributes)).toMatchObject({
      'http.request.method': 'POST',
      'http.response.status_code': 200n,
      'server.address': '127.0.0.1',
      'server.port': BigInt(new URL(world.site.origin).port),
    })
    await listed.close()
    await foreign.close()
  })

  test('patched functions look and behave as before', async () => {
    world = await openWorld(browser, script)
    await world.visit()
    const seen = await world.page.evaluate(async () => {
      const rejections: string[] = []
      addEventListener('unhandledrejection', (event) => rejections.push(`${event.reason.name}`))
      const failed = await fetch('http://127.0.0.1:1/').catch((error: Error) => error.name)
      const controller = new AbortController()
      const aborted = fetch('/api/slow?ms=60000', { signal: controller.signal }).catch((e: Error) => e.name)
      controller.abort()
      return {
        name: fetch.name,
        length: fetch.length,
        text: `${fetch}`.includes('[native code]'),
        push: [history.pushState.name, history.pushState.length],
        send: XMLHttpRequest.prototype.send.name,
        failed,
        aborted: await aborted,
        noUrl: await (fetch as () => Promise<unknown>)().catch((error: Error) => error.name),
        rejections,
      }
    })
    expect(seen).toEqual({
      name: 'fetch',
      length: 1,
      text: true,
      push: ['pushState', 2],
      send: 'send',
      failed: 'TypeError',
      aborted: 'AbortError',
      noUrl: 'TypeError',
      rejections: [],
    })
    await leave()
    const aborted = await until('the aborted call', () => spanTo('/api/slow'))
    expect(flat(aborted.attributes)['hotspan.ended_by']).toBe('abort')
    const failed = await until('the failed call', () => spanTo('127.0.0.1:1/'))
    expect(failed.status.code).toBe(2)
    expect(flat(failed.attributes)['error.type']).toBe('TypeError')
  })

  test('a click is the parent of what it fetches: at once, after await; a bare timer is linked', async () => {
    world = await openWorld(browser, script)
    world.site.html = world.site.html.replace(
      '<div id="root">',
      `<button id="buy" class="big">buy</button><script>
        async function onBuy() {
          await fetch('/api/sync')
          await fetch('/api/after-await')
          await Promise.all([fetch('/api/all-1'), load()])
          await new Promise((done) => setTimeout(done, 20))
          await fetch('/api/after-timer')
          setTimeout(() => fetch('/api/bare-timer'), 5)
        }
        async function load() { await null; await fetch('/api/nested') }
        document.querySelector('#buy').addEventListener('click', onBuy)
      </script><div id="root">`,
    )
    await world.visit()
    await world.page.evaluate(() => fetch('/api/no-click'))
    await world.page.click('#buy')
    await until('the timer', () => world.site.requests.some(({ path }) => path === '/api/bare-timer'))
    await leave()
    const click = await until('the click', () => named('interaction click'))
    const view = await until('the load', () => named('documentLoad'))
    expect(flat(click.attributes)['hotspan.interaction.target']).toBe('button#buy.big')
    const causes = {
      sync: 'sync',
      'after-await': 'stack',
      'all-1': 'stack',
      nested: 'stack',
      'after-timer': 'stack',
    }
    for (const [path, how] of Object.entries(causes)) {
      const span = await until(path, () => spanTo(`/api/${path}`))
      expect([path, span.parentSpanId, span.traceId]).toEqual([path, click.spanId, click.traceId])
      expect(flat(span.attributes)['hotspan.cause']).toBe(how)
    }
    const timer = await until('the bare timer', () => spanTo('/api/bare-timer'))
    expect(timer.parentSpanId).toBe(view.spanId)
    expect(timer.links.map(({ spanId }) => spanId)).toEqual([click.spanId])
    expect(flat(timer.attributes)['hotspan.cause']).toBe('time')
    const unasked = await until('the call before', () => spanTo('/api/no-click'))
    expect(unasked).toMatchObject({ parentSpanId: view.spanId, links: [] })
    // The caller's file and line.
    expect(flat(spanTo('/api/sync')!.attributes)).toMatchObject({
      'code.function.name': expect.stringContaining('onBuy'),
      'code.file.path': '/',
    })
  })

  test('action and bind name a cause where the browser cannot', async () => {
    world = await openWorld(browser, script)
    await world.visit()
    await world.page.evaluate(
      () =>
        new Promise<void>((done) => {
          const { action, bind } = (globalThis as unknown as TestPage).hotspan
          action('import', () => {
            fetch('/api/first')
            setTimeout(
              bind(() => fetch('/api/later').then(() => done())),
              5,
            )
          })
        }),
    )
    await leave()
    const named = await until('the action', () => spans().find(({ name }) => name === 'action import'))
    for (const path of ['/api/first', '/api/later'])
      expect((await until(path, () => spanTo(path))).parentSpanId).toBe(named.spanId)
  })

  test('a route is a view of its own, with its template', async () => {
    world = await openWorld(browser, script)
    await world.visit()
    await world.page.evaluate(async () => {
      history.pushState({}, '', '/p/7')
      document.body.append('changed')
      await fetch('/api/of-route')
    })
    await leave()
    const route = await until('the route', () => named('route /p/:id'))
    const call = await until('its request', () => spanTo('/api/of-route'))
    expect(call).toMatchObject({ parentSpanId: route.spanId, traceId: route.traceId })
    const [of, before] = [
      flat(call.attributes),
      flat((await until('load', () => named('documentLoad'))).attributes),
    ]
    expect(of['hotspan.view.route']).toBe('/p/:id')
    expect(of['hotspan.view.id']).not.toBe(before['hotspan.view.id'])
    expect(new Set(world.sink.resources.map((resource) => resource['session.id'])).size).toBe(1)
  })

  test('web vitals arrive with attribution', async () => {
    world = await openWorld(browser, script)
    world.site.html = world.site.html.replace(
      '<div id="root">',
      `<h1 id="title">Large words</h1><button id="b">b</button><script>
        document.querySelector('#b').addEventListener('click', () => {
          for (const end = performance.now() + 120; performance.now() < end; );
        })
      </script><div id="root">`,
    )
    await world.visit()
    await world.page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length)
    // Leave once the browser has told of the click.
    await world.page.evaluate(() => {
      const told = () => Object.assign(globalThis, { told: true })
      new PerformanceObserver(told).observe({
        type: 'event',
        durationThreshold: 104,
      } as PerformanceObserverInit)
    })
    await world.page.click('#b')
    await world.page.waitForFunction('globalThis.told')
    // web-vitals reads its entries when idle, or just after it reported them to a page that hides: hide twice.
    const other = await world.page.browserContext().newPage()
    for (const [tab, state] of [
      [other, 'hidden'],
      [world.page, 'visible'],
    ] as const) {
      await tab.bringToFront()
      await world.page.waitForFunction((want) => document.visibilityState === want, { polling: 20 }, state)
    }
    await leave()
    const vital = (name: string) =>
      world.sink
        .logs()
        .find(
          ({ eventName, attributes }) =>
            eventName === 'browser.web_vital' && flat(attributes)['browser.web_vital.name'] === name,
        )
    for (const name of ['lcp', 'cls', 'fcp', 'ttfb', 'inp']) await until(name, () => vital(name))
    const lcp = flat(vital('lcp')!.attributes)
    expect(lcp['hotspan.web_vital.target']).toBe('h1#title')
    expect(
      Number(lcp['hotspan.web_vital.time_to_first_byte']) +
        Number(lcp['hotspan.web_vital.element_render_delay']),
    ).toBeCloseTo(Number(lcp['browser.web_vital.value']))
    const inp = flat(vital('inp')!.attributes)
    expect(inp['hotspan.web_vital.target']).toBe('button#b')
    expect(inp['hotspan.web_vital.event']).toBe('click')
    expect(Number(inp['hotspan.web_vital.processing_duration'])).toBeGreaterThanOrEqual(120)
    const parts = ['input_delay', 'processing_duration', 'presentation_delay']
    expect(parts.reduce((sum, part) => sum + Number(inp[`hotspan.web_vital.${part}`]), 0)).toBeCloseTo(
      Number(inp['browser.web_vital.value']),
    )
    expect(vital('lcp')).toMatchObject({ spanId: (await until('load', () => named('documentLoad'))).spanId })
  })

  test('errors arrive once a view, with their stack', async () => {
    world = await openWorld(browser, script)
    world.site.html = world.site.html.replace(
      '<div id="root">',
      `<script>
        function explode() { throw new RangeError('boom') }
        const again = new Error('rejected')
        let happened = 0
        for (const type of ['error', 'unhandledrejection']) addEventListener(type, () => happened++)
        addEventListener('load', () => {
          for (let i = 0; i < 3; i++) setTimeout(explode)
          for (let i = 0; i < 3; i++) Promise.reject(again)
        })
      </script><div id="root">`,
    )
    await world.visit()
    await world.page.waitForFunction('happened === 6')
    const errors = () => world.sink.logs().filter(({ eventName }) => eventName === 'exception')
    await leave()
    await until('both', () => errors().length >= 2)
    expect(
      errors()
        .map(({ attributes }) => flat(attributes)['exception.message'])
        .sort(),
    ).toEqual(['boom', 'rejected'])
    const boom = errors().find(({ attributes }) => flat(attributes)['exception.type'] === 'RangeError')!
    expect(flat(boom.attributes)['exception.stacktrace']).toContain('explode')
    expect(boom.severityNumber).toBe(17)
    expect(boom.spanId).toBe((await until('load', () => named('documentLoad'))).spanId)
  })

  test('a long frame names its scripts', async () => {
    world = await openWorld(browser, script)
    world.site.html = world.site.html.replace(
      '<div id="root">',
      `<button id="grind">grind</button><script>
        function grind() {
          const end = performance.now() + 200
          while (performance.now() < end);
          document.body.append('x')
        }
        document.querySelector('#grind').addEventListener('click', grind)
      </script><div id="root">`,
    )
    await world.visit()
    await world.page.click('#grind')
    const frame = await until('the frame', async () => {
      await world.page.evaluate(() => fetch('/api/tick').then((r) => r.text()))
      return named('longAnimationFrame')
    })
    expect(Number(flat(frame.attributes)['hotspan.long_frame.blocking'])).toBeGreaterThanOrEqual(50)
    expect(frame.events[0]!.name).toBe('script')
    expect(flat(frame.events[0]!.attributes)).toMatchObject({
      'hotspan.long_frame.script.invoker': 'BUTTON#grind.onclick',
      'code.function.name': 'grind',
    })
    // Slow enough to be sent without a child.
    await leave()
    const click = flat((await until('the click', () => named('interaction click'))).attributes)
    expect(Number(click['hotspan.interaction.processing_time'])).toBeGreaterThanOrEqual(200)
  })

  test('a session is whole or absent; errors go out all the same', async () => {
    world = await openWorld(browser, script)
    await world.visit('/', { sampleRatio: 0 })
    await world.page.evaluate(async () => {
      await fetch('/api/unsampled')
      ;(globalThis as unknown as TestPage).hotspan.recordError(new Error('still told'))
    })
    await leave()
    await until('the error', () => world.sink.logs().length)
    expect(world.site.requests[0]!.headers.traceparent).toMatch(/-00$/)
    expect(spans()).toEqual([])
    expect(world.sink.logs().map(({ eventName }) => eventName)).toEqual(['exception'])
  })

  test('HOTSPAN_DISABLED: not a patch, not a byte', async () => {
    world = await openWorld(browser, script)
    await world.page.evaluateOnNewDocument('globalThis.HOTSPAN_DISABLED = true; globalThis.before = fetch')
    await world.visit()
    await world.page.evaluate(() => fetch('/api/plain'))
    expect(await world.page.evaluate('fetch === before')).toBe(true)
    expect(world.site.requests[0]!.headers).not.toHaveProperty('traceparent')
    await leave()
    expect(world.sink.bodyBytes).toEqual([])
  })

  test.each([
    ['frozen fetch'],
    ['storage refused'],
    ['no observers'],
    ['throwing timing'],
    ['history frozen'],
    ['no crypto'],
    ['JSON overwritten'],
    ['storage full'],
    ['throwing getters'],
    ['frozen fetch', 'storage refused', 'no observers', 'throwing timing', 'history frozen'],
  ])('a hostile page is unharmed: %s %s %s %s %s', async (...hostile) => {
    world = await openWorld(browser, await bundlePage('fights-back.ts'))
    await world.visit('/', { hostile: hostile.filter((kind) => typeof kind === 'string') })
    const answers = await world.page.evaluate(async () => {
      const answers: unknown[] = []
      // More than three, so that features that fail are switched off on the way.
      for (let i = 0; i < 5; i++) answers.push(await (await fetch(`/api/${i}`)).json())
      history.replaceState({}, '', '/next')
      document.body.click()
      await new Promise((done) => setTimeout(done))
      return { answers, path: location.pathname, seen: (globalThis as unknown as TestPage).seen }
    })
    expect(answers).toEqual({ answers: Array(5).fill({ ok: true }), path: '/next', seen: [] })
    await leave()
  })

  test('an ad blocker that refuses the receiver: the page goes on, three tries and silence', async () => {
    world = await openWorld(browser, await bundlePage('fights-back.ts'))
    await world.page.setRequestInterception(true)
    world.page.on('request', (request) =>
      request.url().startsWith(world.sink.origin) ? request.abort('blockedbyclient') : request.continue(),
    )
    const messages: string[] = []
    world.page.on('pageerror', (error) => messages.push(`${error}`))
    await world.visit('/', { hostile: [] })
    await world.page.evaluate(async () => {
      for (let i = 0; i < 130; i++) await fetch(`/api/${i}`)
    })
    await until('silence', () =>
      world.page.evaluate(() => (globalThis as unknown as TestPage).hotspan.transportStats().stopped),
    )
    expect(await world.page.evaluate(() => (globalThis as unknown as TestPage).seen)).toEqual([])
    expect(messages).toEqual([])
    expect(world.site.requests).toHaveLength(130)
    expect(world.sink.bodyBytes).toEqual([])
  }, 60_000)

  test('consent: nothing leaves and nothing is stored before it is given, and all that waited comes after', async () => {
    world = await openWorld(browser, script)
    await world.visit('/', { consent: 'pending' })
    await world.page.evaluate(async () => {
      for (let i = 0; i < 100; i++) await fetch(`/api/${i}`)
    })
    const stored = () => world.page.evaluate(() => Object.keys(localStorage))
    expect(await stored()).toEqual([])
    expect(world.sink.bodyBytes).toEqual([])
    for (const { headers } of world.site.requests) expect(headers).not.toHaveProperty('traceparent')
    await world.page.evaluate(() => (globalThis as unknown as TestPage).hotspan.setConsent('granted'))
    await until('what waited', () => spans().filter(({ kind }) => kind === 3).length === 100)
    await world.page.evaluate(() => fetch('/api/after'))
    expect(world.site.requests.at(-1)!.headers).toHaveProperty('traceparent')
  })

  test('consent taken back: storage is wiped, the patches are gone, and the page is silent', async () => {
    world = await openWorld(browser, script)
    await world.page.evaluateOnNewDocument('globalThis.before = fetch')
    await world.visit()
    await world.page.waitForFunction(() =>
      Object.keys(localStorage).some((key) => key.startsWith('hotspan.')),
    )
    await world.page.evaluate(() => (globalThis as unknown as TestPage).hotspan.setConsent('denied'))
    expect(await world.page.evaluate(() => Object.keys(localStorage))).toEqual([])
    expect(await world.page.evaluate('fetch === before')).toBe(true)
    const asked = world.sink.bodyBytes.length
    await world.page.evaluate(() => fetch('/api/plain').then((answer) => answer.text()))
    expect(world.site.requests.at(-1)!.headers).not.toHaveProperty('traceparent')
    await leave()
    expect(world.sink.bodyBytes).toHaveLength(asked)
  })

  test('a start with consent denied waits for it', async () => {
    world = await openWorld(browser, script)
    await world.visit('/', { consent: 'denied', key: 'write-only' })
    await world.page.evaluate(() => fetch('/api/before'))
    expect(world.site.requests[0]!.headers).not.toHaveProperty('traceparent')
    world.sink.allowHeaders = 'content-type, content-encoding, authorization'
    await world.page.evaluate(() => (globalThis as unknown as TestPage).hotspan.setConsent('granted'))
    await world.page.evaluate(() => fetch('/api/after'))
    await leave()
    await until('its span', () => spanTo('/api/after'))
    expect(spanTo('/api/before')).toBeUndefined()
    expect(world.sink.authorization).toBe('Bearer write-only')
  })

  test('XMLHttpRequest: aborted, timed out, with its sizes', async () => {
    world = await openWorld(browser, script)
    await world.visit()
    await world.page.evaluate(async () => {
      const send = (path: string, act: (xhr: XMLHttpRequest) => void, body?: string) =>
        new Promise((done) => {
          const xhr = new XMLHttpRequest()
          xhr.open('POST', path)
          xhr.onloadend = done
          act(xhr)
          xhr.send(body)
        })
      await send('/api/sized', () => {}, 'größer')
      await send('/api/aborted?ms=60000', (xhr) => setTimeout(() => xhr.abort()))
      await send('/api/late?ms=60000', (xhr) => {
        xhr.timeout = 30
      })
    })
    await leave()
    await until('three spans', () => spans().filter(({ kind }) => kind === 3).length === 3)
    const of = (path: string) => flat(spanTo(path)!.attributes)
    expect(of('/api/sized')).toMatchObject({
      'http.request.body.size': 8n,
      'http.response.body.size': 11n,
      'http.response.status_code': 200n,
    })
    expect(of('/api/aborted')).toMatchObject({ 'hotspan.ended_by': 'abort' })
    expect(spanTo('/api/aborted')!.status?.code ?? 0).toBe(0)
    expect(of('/api/late')).toMatchObject({ 'error.type': 'TimeoutError' })
  })

  test('a body that streams ends its span, not the headers; an abort is no error', async () => {
    world = await openWorld(browser, script)
    await world.visit()
    const { site, page } = world
    await page.evaluate(async () => {
      const answer = await fetch('/api/stream')
      Object.assign(globalThis, { headersAt: Date.now(), text: answer.text() })
      const aborting = new AbortController()
      const gone = fetch('/api/aborted?ms=60000', { signal: aborting.signal }).catch((error) => error.name)
      aborting.abort()
      if ((await gone) !== 'AbortError') throw new Error('the page must see its own abort')
    })
    // Longer than a turn of the clock, so that both ends can be told apart.
    await page.evaluate(() => new Promise((done) => setTimeout(done, 120)))
    site.finishStream!()
    expect(await page.evaluate('text')).toBe('first last')
    await until('its entry', () =>
      page.evaluate(() =>
        performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/stream')),
      ),
    )
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))))
    const headersAt = BigInt((await page.evaluate('headersAt')) as number) * 1_000_000n
    await leave()
    const span = await until('the stream', () => spanTo('/api/stream'))
    expect(span.endTimeUnixNano).toBeGreaterThan(headersAt + 100_000_000n)
    const aborted = await until('the aborted', () => spanTo('/api/aborted'))
    expect(flat(aborted.attributes)['hotspan.ended_by']).toBe('abort')
  })

  test('the trace of a meta tag is joined, and the largest paint is in the tree', async () => {
    world = await openWorld(browser, script)
    // The picture holds `load` back until the words have been painted.
    world.site.html = world.site.html
      .replace('<body>', `<body><meta name="traceparent" content="00-${SERVER.traceId}-${SERVER.spanId}-01">`)
      .replace(
        '<div id="root">',
        '<h1 id="title">Large words</h1><img src="/api/picture?ms=500"><div id="root">',
      )
    await world.visit()
    await leave()
    const root = await until('the load', () => named('documentLoad'))
    expect(root).toMatchObject({ traceId: SERVER.traceId, links: [SERVER] })
    const paint = root.events.find(({ name }) => name === 'largestContentfulPaint')
    expect(flat(paint!.attributes)['hotspan.web_vital.target']).toBe('h1#title')
  })

  test('spans are tracks of the DevTools when the page asks for them', async () => {
    world = await openWorld(browser, await bundlePage('devtools.ts'))
    await world.page.tracing.start({ categories: ['devtools.timeline'] })
    await world.visit()
    await world.page.evaluate(() => fetch('/api/traced').then((answer) => answer.text()))
    await leave()
    await until('the span', () => spanTo('/api/traced'))
    const trace = new TextDecoder().decode(await world.page.tracing.stop())
    expect(trace).toContain('"name":"TimeStamp"')
    expect(trace).toMatch(/GET http:[^"]*\/api\/traced/)
    expect(trace).toContain('Hotspan')
  })

  test('a policy without connect-src for the receiver: the page goes on and the SDK gives up', async () => {
    world = await openWorld(browser, await bundlePage('fights-back.ts'))
    world.site.headers = {
      'content-security-policy':
        "default-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
    }
    const messages: string[] = []
    world.page.on('pageerror', (error) => messages.push(`${error}`))
    await world.visit('/', { hostile: [] })
    const asked = await world.page.evaluate(async () => {
      for (let i = 0; i < 130; i++) await fetch(`/api/${i}`)
      return (globalThis as unknown as TestPage).seen
    })
    expect(asked).toEqual([])
    expect(messages).toEqual([])
    expect(world.site.requests).toHaveLength(130)
    expect(world.sink.bodyBytes).toEqual([])
  })
})

test('on a server the import and init do nothing', async () => {
  const { init, recordError, shutdown, action } = await import('./index.ts')
  await import('./react/index.ts')
  const before = globalThis.fetch
  init({ endpoint: 'http://localhost:4318', service: 'server' })
  recordError(new Error('nobody hears'))
  expect(action('render', () => 42)).toBe(42)
  shutdown()
  expect(globalThis.fetch).toBe(before)
})
