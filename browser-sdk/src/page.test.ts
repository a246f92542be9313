import { describe, expect, test } from 'vitest'
import { noChromium, until } from '../testing/chromium.ts'
import { pageSuite, type TestPage } from '../testing/page-suite.ts'
import { flat } from '../testing/sink.ts'

const SERVER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }

describe.skipIf(noChromium)('a page', () => {
  const { open, spans, named, spanTo, leave, failures } = pageSuite()

  test('its load is a tree in the trace of the server, linked and not a child', async () => {
    const world = await open()
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

  test('a click is the parent of what it fetches: at once, after await; a bare timer is linked', async () => {
    const world = await open()
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
    const world = await open()
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
    const world = await open()
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
    const world = await open()
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
    const world = await open()
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
    const world = await open()
    world.site.html = world.site.html.replace(
      '<div id="root">',
      `<button id="grind">grind</button><button id="later">later</button><script>
        document.querySelector('#later').addEventListener('click', async () => {
          await fetch('/api/grist')
          grind()
        })
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
    // What goes on after a request is not the work of whoever patched fetch, whom Chromium names.
    await world.page.click('#later')
    const script = await until('the frame after the request', async () => {
      await world.page.evaluate(() => fetch('/api/tick').then((r) => r.text()))
      return spans()
        .flatMap(({ events }) => events)
        .map(({ attributes }) => flat(attributes))
        .find((attributes) => attributes['hotspan.long_frame.script.invoker'] === 'Window.fetch.then')
    })
    expect(Number(script['hotspan.long_frame.script.duration'])).toBeGreaterThanOrEqual(200)
    expect(script).not.toHaveProperty('code.file.path')
    // Slow enough to be sent without a child.
    await leave()
    const click = flat((await until('the click', () => named('interaction click'))).attributes)
    expect(Number(click['hotspan.interaction.processing_time'])).toBeGreaterThanOrEqual(200)
  })

  test('the trace of a meta tag is joined, and the largest paint is in the tree', async () => {
    const world = await open()
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
    const world = await open('devtools.ts')
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
})
