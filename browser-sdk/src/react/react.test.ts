import type { Span } from '@hotspan/otlp'
import type { Browser, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium, noChromium, until } from '../../testing/chromium.ts'
import { type Flat, flat, openSink, type Sink } from '../../testing/sink.ts'
import { bundlePage, openSite, type ReactBuild, type Site } from '../../testing/site.ts'
import { openWorld } from '../../testing/world.ts'

const CLICKS = 7

interface Outcome {
  readonly spans: Span[]
  /** `hotspan.react.*` of each component over all clicks; numbers added up. */
  readonly components: Map<string, Flat>
}

const componentsOf = (spans: readonly Span[]): Map<string, Flat> => {
  const sums = new Map<string, Flat>()
  for (const { events } of spans)
    for (const event of events) {
      if (event.name !== 'hotspan.react.component') continue
      const attributes = flat(event.attributes)
      const name = attributes['hotspan.react.component'] as string
      const sum = sums.get(name) ?? {}
      for (const [key, value] of Object.entries(attributes)) {
        const short = key.replace('hotspan.react.', '')
        sum[short] = typeof value === 'string' ? value : Number(sum[short] ?? 0) + Number(value)
      }
      sums.set(name, sum)
    }
  return sums
}

describe.skipIf(noChromium).each([19, 18] as const)('React %i', (version) => {
  let browser: Browser
  let site: Site
  let sink: Sink

  beforeAll(async () => {
    browser = await launchChromium()
    site = await openSite()
  })

  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })

  const open = async (build: ReactBuild, more: object = {}): Promise<Page> => {
    site.script = await bundlePage('react.tsx', build, version)
    sink = await openSink()
    const page = await browser.newPage()
    await page.evaluateOnNewDocument(
      `globalThis.HOTSPAN_TEST = ${JSON.stringify({ endpoint: sink.origin, ...more })}`,
    )
    await page.goto(site.origin)
    await page.waitForSelector('#parent')
    return page
  }

  /** Clicks, leaves the page, and reads what came. */
  const clickThrough = async (page: Page, selector: string, clicks: number): Promise<Outcome> => {
    for (let n = 1; n <= clicks; n++) {
      await page.click(selector)
      await page.waitForFunction(
        (sel, count) => document.querySelector(sel)?.textContent === `${count}`,
        {},
        selector,
        n,
      )
    }
    await page.goto(`${site.origin}/elsewhere`)
    const spans = await until(
      `${clicks} interactions with commits`,
      () => {
        const commits = sink
          .spans()
          .filter(({ name, parentSpanId }) => name === 'react.commits' && parentSpanId)
        const clickIds = sink
          .spans()
          .flatMap(({ name, spanId }) => (name === 'interaction click' ? [spanId] : []))
        const caused = commits.filter(({ parentSpanId }) => clickIds.includes(parentSpanId))
        return caused.length === clicks && caused
      },
      () =>
        sink
          .spans()
          .map(({ name, spanId, parentSpanId }) => `${name} ${spanId} ${parentSpanId}`)
          .join('\n'),
    )
    expect(sink.malformed).toEqual([])
    await page.close()
    await sink.close()
    return { spans, components: componentsOf(spans) }
  }

  const expectCounts = ({ components }: Outcome): void => {
    const counts = Object.fromEntries(
      [...components].map(([name, { renders, mounts, wasted, reasons }]) => [
        name,
        { renders, mounts, wasted, reason: `${reasons}`.replace(/=\d+/g, '') },
      ]),
    )
    const each = (perClick: number, wasted: number, reason: string) => ({
      renders: perClick * CLICKS,
      mounts: 0,
      wasted: wasted * CLICKS,
      reason,
    })
    expect(counts).toEqual({
      Parent: each(1, 0, 'state'),
      FromParent: each(2, 2, 'parent'),
      InlineProps: each(1, 1, 'ref:style, ref:onPick'),
      MemoInline: each(1, 1, 'ref:style'),
      ByValue: each(1, 0, 'prop:n'),
      Impure: each(1, 0, 'parent'),
      WithChildren: each(1, 0, 'prop:children'),
      List: each(1, 0, 'prop:items'),
      Item: each(2, 1, 'prop:item, ref:item'),
      Deferred: each(1, 0, 'prop:n'),
      Themed: each(1, 1, 'ref:ctx:Theme'),
      ThemedMemo: each(1, 1, 'ref:ctx:Theme'),
      Counted: each(1, 0, 'ctx:Counter'),
    })
  }

  test.each(['production', 'profiling'] as const)(
    '%s build: causes and wasted renders, exactly',
    async (build) => {
      const outcome = await clickThrough(await open(build), '#parent', CLICKS)
      expectCounts(outcome)
      for (const name of ['FromParent', 'InlineProps', 'MemoInline', 'Themed', 'ThemedMemo', 'Item'])
        expect(outcome.components.get(name)!.cascade_root).toBe(name === 'Item' ? 'List' : 'Parent')
      expect(outcome.components.get('MemoInline')!.memo).toBe('memo')
      expect(outcome.components.get('Themed')!.memo).toBe('none')
      for (const span of outcome.spans) {
        const attributes = flat(span.attributes)
        expect(attributes['hotspan.react.build']).toBe(build)
        expect(attributes['hotspan.react.version']).toMatch(new RegExp(`^${version}\\.`))
        expect(attributes['hotspan.react.phase']).toBe('update')
        expect(attributes['hotspan.react.skipped_commits']).toBe(0n)
        // The deferred value commits a second time, in a task that knows no click.
        expect(attributes['hotspan.react.commits']).toBe(1n)
        expect(attributes['hotspan.cause']).toBe('sync')
      }
      const wasteful = outcome.components.get('FromParent')!
      if (build === 'profiling') {
        expect(wasteful.self_time).toBeGreaterThanOrEqual(0)
        expect(wasteful.wasted_time).toBe(wasteful.self_time)
        // A component that is never wasted has render time but no wasted time.
        expect(outcome.components.get('Parent')!.wasted_time).toBe(0)
        expect(flat(outcome.spans[0]!.attributes)).toHaveProperty(['hotspan.react.duration'])
      } else {
        expect(wasteful).not.toHaveProperty('self_time')
        expect(flat(outcome.spans[0]!.attributes)).not.toHaveProperty(['hotspan.react.duration'])
      }
    },
  )

  test('development build with StrictMode: doubled calls are counted once, the build is named', async () => {
    const outcome = await clickThrough(await open('development', { strict: true }), '#parent', CLICKS)
    for (const span of outcome.spans) expect(flat(span.attributes)['hotspan.react.build']).toBe('development')
    expect(outcome.components.get('FromParent')).toMatchObject({ renders: 2 * CLICKS, wasted: 2 * CLICKS })
    expect(outcome.components.get('ByValue')).toMatchObject({ renders: CLICKS, wasted: 0 })
  })

  test('state in a leaf: one render, nothing wasted', async () => {
    const { components } = await clickThrough(await open('production'), '#leaf', CLICKS)
    expect([...components.keys()]).toEqual(['Leaf'])
    expect(components.get('Leaf')).toMatchObject({ renders: CLICKS, wasted: 0, compared: CLICKS })
  })

  test.each([
    // 64, and every eighth of the rest.
    ['production', 66],
    ['profiling', 83],
  ] as const)('a long list, %s build: all renders count, so many are compared', async (build, compared) => {
    const { spans } = await clickThrough(await open(build), '#rows', CLICKS)
    // A machine under load may cut a walk short, which its span tells.
    const whole = spans.filter(({ attributes }) => flat(attributes)['hotspan.react.skipped_commits'] === 0n)
    expect(whole.length).toBeGreaterThan(0)
    expect(componentsOf([whole[0]!]).get('Row')).toMatchObject({
      renders: 83,
      mounts: 0,
      compared,
      wasted: compared,
      reasons: `parent=${compared}`,
      cascade_root: 'Rows',
    })
  })

  test('hydration is mounting, whatever it costs', async () => {
    // The server's markup: what the client renders first.
    const first = await open('production')
    const markup = await first.$eval('#root', (root) => root.innerHTML)
    await first.close()
    await sink.close()
    const plain = site.html
    site.html = plain.replace('<div id="root"></div>', `<div id="root">${markup}</div>`)
    const page = await open('production', { hydrate: 'yes' })
    const hydrated = sink
    await page.goto(`${site.origin}/elsewhere`)
    site.html = plain
    const spans = await until('the commits of the load', () => {
      const commits = hydrated.spans().filter(({ name }) => name === 'react.commits')
      return commits.length > 0 && commits
    })
    expect(flat(spans[0]!.attributes)['hotspan.react.phase']).toBe('hydrate')
    expect(componentsOf(spans).size).toBe(0)
    await page.close()
    await sink.close()
  })

  test('the profiler names a subtree; the boundary reports what it caught', async () => {
    const page = await open('profiling')
    await page.click('#leaf')
    await page.click('#fail')
    await page.waitForSelector('#fallback')
    await page.goto(`${site.origin}/elsewhere`)
    const error = await until('the exception', () =>
      sink
        .logs()
        .find(
          ({ eventName, attributes }) =>
            eventName === 'exception' && 'hotspan.react.component_stack' in flat(attributes),
        ),
    )
    expect(flat(error.attributes)).toMatchObject({
      'exception.type': 'RangeError',
      'exception.message': 'render failed',
    })
    expect(flat(error.attributes)['hotspan.react.component_stack']).toContain('Fails')
    const profiled = await until('the profiler', () =>
      sink
        .spans()
        .flatMap(({ events }) => events)
        .find(({ name }) => name === 'hotspan.react.profiler'),
    )
    expect(flat(profiled.attributes)).toMatchObject({ 'hotspan.react.component': 'leaf-area' })
    await page.close()
    await sink.close()
  })
})

describe.skipIf(noChromium)('the provider', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launchChromium()
  })

  afterAll(() => browser?.close())

  test('starts the SDK, catches what is thrown below, and Suspense is a span of the click', async () => {
    const world = await openWorld(browser, await bundlePage('provider.tsx'))
    await world.visit()
    await world.page.waitForSelector('#open')
    await world.page.click('#open')
    await world.page.waitForSelector('#fallback')
    await world.page.evaluate('deliver()')
    await world.page.waitForSelector('#late')
    await world.page.click('#fail')
    await world.page.waitForSelector('#sorry')
    await world.page.goto(`${world.site.origin}/elsewhere`)
    const spans = () => world.sink.spans()
    const wait = await until('the fallback', () => spans().find(({ name }) => name === 'react.suspense'))
    expect(flat(wait.attributes)).toMatchObject({ 'hotspan.react.component': 'Shelf' })
    expect(flat(wait.attributes)).not.toHaveProperty(['hotspan.ended_by'])
    const click = await until('its click', () => spans().find(({ spanId }) => spanId === wait.parentSpanId))
    expect(click.name).toBe('interaction click')
    const error = await until('the error', () =>
      world.sink.logs().find(({ eventName }) => eventName === 'exception'),
    )
    expect(flat(error.attributes)['exception.message']).toBe('provider saw it')
    await until('the load', () => spans().find(({ name }) => name === 'documentLoad'))
    await world.close()
  })
})
