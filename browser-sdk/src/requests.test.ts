import { samplingWeight } from '@hotspan/otlp'
import { describe, expect, test } from 'vitest'
import { noChromium, until } from '../testing/chromium.ts'
import { pageSuite } from '../testing/page-suite.ts'
import { flat } from '../testing/sink.ts'
import { openSite } from '../testing/site.ts'

describe.skipIf(noChromium)('requests of a page', () => {
  const { open, spans, spanTo, leave, failures } = pageSuite()

  test('traceparent goes to its own and the listed origins and nowhere else', async () => {
    const world = await open()
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
    const world = await open()
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

  test("the page's formatter of stacks is asked nothing and stays, and the caller is known", async () => {
    const world = await open()
    await world.visit()
    const seen = await world.page.evaluate(async () => {
      const v8 = Error as unknown as { prepareStackTrace?: unknown }
      const asked: unknown[] = []
      const own = (error: Error) => {
        asked.push(error.message)
        return 'own'
      }
      const before = v8.prepareStackTrace
      v8.prepareStackTrace = own
      await (async function caller() {
        await fetch('/api/formatted')
      })()
      const stays = v8.prepareStackTrace === own
      const { stack } = new Error('of the page')
      v8.prepareStackTrace = before
      return { asked, stays, stack }
    })
    expect(seen).toEqual({ asked: ['of the page'], stays: true, stack: 'own' })
    await leave()
    const sent = await until('the call', () => spanTo('/api/formatted'))
    expect(flat(sent.attributes)).toMatchObject({
      'code.function.name': 'caller',
      'code.line.number': expect.any(BigInt),
    })
  })

  test('a failure that nobody handles is reported once, one that somebody handles is not', async () => {
    const world = await open()
    await world.visit()
    const rejections = await world.page.evaluate(async () => {
      const seen: string[] = []
      const told = new Promise((done) => {
        addEventListener('unhandledrejection', ({ reason }) => done(seen.push(reason.name)))
      })
      await fetch('http://127.0.0.1:1/handled').catch(() => {})
      fetch('http://127.0.0.1:1/nobody')
      await told
      // Whoever is reported is reported in the task after: a second one would be here by then.
      await new Promise((done) => setTimeout(done))
      return seen
    })
    expect(rejections).toEqual(['TypeError'])
    await leave()
    const error = await until('the error', () =>
      world.sink.logs().find(({ eventName }) => eventName === 'exception'),
    )
    expect(flat(error.attributes)['exception.type']).toBe('TypeError')
  })

  test('whatever fetch is given, the browser gets; what the page does wrong is no failure of ours', async () => {
    const world = await open()
    const foreign = await openSite()
    await world.visit()
    const seen = await world.page.evaluate(async (other) => {
      class Init {
        readonly #method = 'PUT'
        get method() {
          return this.#method
        }
      }
      await fetch(
        '/api/request-as-init',
        new Request('/api/other', { method: 'PUT', headers: { 'x-a': '1' } }),
      )
      await fetch('/api/private', new Init())
      await fetch(`${other}/api/once`, { headers: new Map([['x-one', '1']]).entries() as never })
      const wrong: unknown[] = []
      for (let i = 0; i < 4; i++) await fetch('http://').catch((error) => wrong.push(error.name))
      await fetch('/api/form', { method: 'POST', body: new URLSearchParams({ a: 'x'.repeat(500), b: '2' }) })
      const xhr = new XMLHttpRequest()
      xhr.open('GET', '/api/twice')
      xhr.send()
      try {
        xhr.send()
      } catch (error) {
        wrong.push((error as Error).name)
      }
      await new Promise((done) => {
        xhr.onloadend = done
      })
      return wrong
    }, foreign.origin)
    await world.page.addScriptTag({
      content: `Promise.reject(Object.create(null))
        Promise.reject(Symbol('x'))
        Promise.reject({ name: 'E', message: 'm', stack: ['a'] })
        Promise.reject(new Error('GET /api/x?token=SECRET failed for jane@mail.com'))`,
    })
    await world.page.evaluate(() => new Promise((done) => setTimeout(done)))
    expect(await failures()).toEqual([])
    expect(seen).toEqual([...Array(4).fill('TypeError'), 'InvalidStateError'])
    const asked = (path: string) =>
      [...world.site.requests, ...foreign.requests].find((one) => one.path === path)!
    expect(asked('/api/request-as-init')).toMatchObject({ method: 'PUT', headers: { 'x-a': '1' } })
    expect(asked('/api/private').method).toBe('PUT')
    expect(asked('/api/once').headers['x-one']).toBe('1')
    expect(asked('/api/form').headers).toHaveProperty('traceparent')
    await leave()
    const form = await until('the form', () => spanTo('/api/form'))
    expect(flat(form.attributes)['http.request.body.size']).toBe(506n)
    const twice = spans().filter(({ attributes }) => `${flat(attributes)['url.full']}`.endsWith('/twice'))
    expect(twice.map(({ attributes }) => flat(attributes)['http.response.status_code'])).toEqual([200n])
    const messages = await until('four errors', () => {
      const found = world.sink.logs().map(({ attributes }) => flat(attributes)['exception.message'])
      return found.filter(Boolean).length === 4 && found.filter(Boolean)
    })
    expect(messages).toContain('GET /api/x?token=- failed for -')
    await foreign.close()
  })

  test('XMLHttpRequest: aborted, timed out, with its sizes', async () => {
    const world = await open()
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
    const world = await open()
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
})
