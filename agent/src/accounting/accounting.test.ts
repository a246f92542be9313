import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Postgres, postgresMissing, startPostgres } from '../testing/postgres.ts'
import { attributesOf, type Sink, startSink } from '../testing/sink.ts'
import { startApp, type TestApp } from '../testing/test-app.ts'

describe.skipIf(postgresMissing() !== undefined)('with a real PostgreSQL', () => {
  let postgres: Postgres
  let sink: Sink
  let app: TestApp
  beforeAll(async () => {
    postgres = await startPostgres()
  }, 60_000)
  afterAll(() => postgres?.stop())
  beforeEach(async () => {
    sink = await startSink()
  })
  afterEach(async () => {
    await app?.end('SIGKILL')
    await sink.close()
  })

  const start = async (accounting: string): Promise<void> => {
    app = await startApp('account-app.mjs', {
      ...postgres.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      HOTSPAN_ACCOUNTING: accounting,
    })
  }
  const ask = (query: string, body?: string): Promise<string> =>
    fetch(`${app.url}/?${query}`, body === undefined ? {} : { method: 'POST', body }).then((answer) =>
      answer.text(),
    )
  /** Attributes of the server span whose URL has this query string. */
  const accountOf = async (query: string): Promise<Record<string, unknown>> => {
    const names = query.replaceAll(/=[^&]*/g, '=REDACTED')
    const matches = (span: Sink['spans'][number]): boolean =>
      span.kind === 2 && attributesOf(span)['url.query'] === names
    return attributesOf((await sink.until((spans) => spans.some(matches))).find(matches)!)
  }

  test('queries, calls and bytes of each request, concurrent ones apart', async () => {
    await start('1')
    await Promise.all([ask('queries=5&calls=2'), ask('queries=1'), ask('bytes=100000', 'y'.repeat(50_000))])
    expect(await accountOf('queries=5&calls=2')).toMatchObject({
      'hotspan.request.queries': 5,
      'hotspan.request.query_time': expect.any(Number),
      'hotspan.request.calls': 2,
      'hotspan.request.call_time': expect.any(Number),
    })
    const one = await accountOf('queries=1')
    expect(one).toMatchObject({ 'hotspan.request.queries': 1, 'hotspan.request.calls': 0 })
    expect(one).not.toHaveProperty('hotspan.request.call_time')
    expect(one).not.toHaveProperty('hotspan.request.cpu_time')
    const bytes = await accountOf('bytes=100000')
    expect(bytes['hotspan.request.bytes_received']).toBeGreaterThan(50_000)
    expect(bytes['hotspan.request.bytes_received']).toBeLessThan(51_000)
    expect(bytes['hotspan.request.bytes_sent']).toBeGreaterThan(100_000)
    expect(bytes['hotspan.request.bytes_sent']).toBeLessThan(101_000)
  })

  test('the same request moves the same bytes each time on a kept connection', async () => {
    await start('true')
    for (let i = 0; i < 3; i++) await ask('bytes=10')
    const servers = await sink.until((spans) => spans.filter(({ kind }) => kind === 2).length === 3)
    const seen = servers
      .filter(({ kind }) => kind === 2)
      .map((span) => attributesOf(span))
      .map((of) => [of['hotspan.request.bytes_received'], of['hotspan.request.bytes_sent']])
    expect(seen[1]).toEqual(seen[0])
    expect(seen[2]).toEqual(seen[0])
  })

  test('CPU time goes to the request that used it, across awaits and beside others', async () => {
    await start('cpu')
    await Promise.all([ask('cpu=60&queries=2'), ask('cpu=20'), ask('queries=3'), ask('calls=1')])
    const cpuOf = async (query: string): Promise<number> =>
      (await accountOf(query))['hotspan.request.cpu_time'] as number
    // The handler itself burns this much CPU, so it is a floor and no time to wait for.
    const heavy = await cpuOf('cpu=60&queries=2')
    const light = await cpuOf('cpu=20')
    expect(heavy).toBeGreaterThanOrEqual(60)
    expect(light).toBeGreaterThanOrEqual(20)
    expect(light).toBeLessThan(heavy)
    expect(await cpuOf('queries=3')).toBeLessThan(heavy)
  })

  test('nothing is counted unasked', async () => {
    await start('')
    await ask('queries=1')
    expect(
      Object.keys(await accountOf('queries=1')).filter((name) => name.startsWith('hotspan.request')),
    ).toEqual([])
  })
})
