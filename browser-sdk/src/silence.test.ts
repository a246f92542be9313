import { describe, expect, test } from 'vitest'
import { noChromium, until } from '../testing/chromium.ts'
import { pageSuite, type TestPage } from '../testing/page-suite.ts'
import { flat } from '../testing/sink.ts'

describe.skipIf(noChromium)('what keeps the SDK silent', () => {
  const { open, spans, spanTo, leave } = pageSuite()

  test('a session is whole or absent; errors go out all the same', async () => {
    const world = await open()
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

  test('a share that is no number from 0 to 1 keeps every session', async () => {
    const world = await open()
    for (const sampleRatio of ['half', 3]) {
      await world.visit('/', { sampleRatio })
      await world.page.evaluate(() => fetch('/api/kept'))
      await leave()
    }
    await until('both requests', () => spans().filter(({ kind }) => kind === 3).length === 2)
    for (const { headers } of world.site.requests) {
      expect(headers.traceparent).toMatch(/-01$/)
      expect(headers.tracestate).toMatch(/^ot=th:0;rv:[0-9a-f]{14}$/)
    }
  })

  test('the session of the last page is found again, and no trace is told two sorts of randomness', async () => {
    const world = await open()
    for (const path of ['/', '/again']) {
      await world.visit(path)
      await world.page.evaluate(() => fetch('/api/early'))
      await world.page.waitForFunction(() => localStorage['hotspan.session'])
      await world.page.evaluate(() => fetch('/api/late'))
      await leave()
    }
    await until('four requests', () => spans().filter(({ kind }) => kind === 3).length === 4)
    expect(new Set(world.sink.resources.map((resource) => resource['session.id'])).size).toBe(1)
    for (const { headers } of world.site.requests) {
      const [, , spanId] = `${headers.traceparent}`.split('-')
      expect(spans().find((span) => span.spanId === spanId)!.traceState).toBe(headers.tracestate)
    }
  })

  test('HOTSPAN_DISABLED: not a patch, not a byte', async () => {
    const world = await open()
    await world.page.evaluateOnNewDocument('globalThis.HOTSPAN_DISABLED = true; globalThis.before = fetch')
    await world.visit()
    await world.page.evaluate(() => fetch('/api/plain'))
    expect(await world.page.evaluate('fetch === before')).toBe(true)
    expect(world.site.requests[0]!.headers).not.toHaveProperty('traceparent')
    await leave()
    expect(world.sink.bodyBytes).toEqual([])
  })

  test.each([
    'frozen fetch',
    'storage refused',
    'no observers',
    'throwing timing',
    'history frozen',
    'no crypto',
    'JSON overwritten',
    'storage full',
    'throwing getters',
    'frozen Error',
    'throwing formatter',
    'objects have more',
    'frozen fetch, storage refused, no observers, throwing timing, history frozen',
  ])('a hostile page is unharmed: %s', async (hostile) => {
    const world = await open('fights-back.ts')
    await world.visit('/', { hostile: hostile.split(', ') })
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
    const world = await open('fights-back.ts')
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
    const world = await open()
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

  test('consent taken back: storage is wiped and the page is silent until it is given again', async () => {
    const world = await open()
    await world.visit()
    // Somebody who patches on top of us must not keep us alive.
    await world.page.evaluate(() => {
      const ours = fetch
      globalThis.fetch = (...args) => ours(...args)
    })
    await world.page.waitForFunction(() =>
      Object.keys(localStorage).some((key) => key.startsWith('hotspan.')),
    )
    await world.page.evaluate(() => (globalThis as unknown as TestPage).hotspan.setConsent('denied'))
    expect(await world.page.evaluate(() => Object.keys(localStorage))).toEqual([])
    const asked = world.sink.bodyBytes.length
    await world.page.evaluate(() => fetch('/api/plain').then((answer) => answer.text()))
    expect(world.site.requests.at(-1)!.headers).not.toHaveProperty('traceparent')
    expect(world.sink.bodyBytes).toHaveLength(asked)
    await world.page.evaluate(() => {
      ;(globalThis as unknown as TestPage).hotspan.setConsent('granted')
      return fetch('/api/again').then((answer) => answer.text())
    })
    expect(world.site.requests.at(-1)!.headers).toHaveProperty('traceparent')
    await leave()
    await until('the request after', () => spanTo('/api/again'))
    expect(spanTo('/api/plain')).toBeUndefined()
  })

  test('a start with consent denied waits for it', async () => {
    const world = await open()
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

  test('what the visitor refused before the start stays refused, and can be granted', async () => {
    const world = await open()
    await world.page.evaluateOnNewDocument(
      "Object.defineProperty(globalThis, 'HOTSPAN_REFUSED', { value: true })",
    )
    await world.visit()
    await world.page.evaluate(() => fetch('/api/before'))
    expect(world.site.requests[0]!.headers).not.toHaveProperty('traceparent')
    await world.page.evaluate(() => {
      const { hotspan } = globalThis as unknown as TestPage
      // No strikes: whoever names a route does not know about consent.
      for (const route of ['/a', '/b', '/c', '/products/:slug']) hotspan.setRoute(route)
      hotspan.setConsent('granted')
      return fetch('/api/after')
    })
    await leave()
    const span = await until('its span', () => spanTo('/api/after'))
    expect(flat(span.attributes)['hotspan.view.route']).toBe('/products/:slug')
    expect(spanTo('/api/before')).toBeUndefined()
  })

  test('a receiver that takes bodies and never answers leaves the page its own beacons', async () => {
    const world = await open()
    world.sink.answer = { status: 200, delayMs: 600_000 }
    await world.visit()
    const sent = await world.page.evaluate(async () => {
      const { hotspan } = globalThis as unknown as TestPage
      for (let i = 0; i < 200; i++) hotspan.recordError(new Error(`${i}${'y'.repeat(800)}`))
      for (let i = 0; i < 130; i++) await fetch(`/api/${i}`)
      const before = navigator.sendBeacon('/api/beacon', 'x'.repeat(50_000))
      dispatchEvent(new Event('pagehide'))
      return [before, navigator.sendBeacon('/api/beacon', 'x'.repeat(10_000))]
    })
    expect(sent[0]).toBe(true)
  })

  test('a policy without connect-src for the receiver: the page goes on and the SDK gives up', async () => {
    const world = await open('fights-back.ts')
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
