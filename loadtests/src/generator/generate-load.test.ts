import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { generateLoad } from './generate-load.ts'
import type { RequestSample } from './load-metrics.ts'
import type { LoadOptions } from './load-options.ts'
import { planRequests } from './schedule.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const one = { name: 'one', endpoints: [{ name: 'GET /', path: '/' }] }
const requests = (samples: readonly unknown[]) => samples as RequestSample[]
const plannedOf = (options: LoadOptions) => [
  ...planRequests({
    scenario: options.scenario,
    arrivals: options.arrivals ?? 'poisson',
    arrivalsPerSec: options.arrivalsPerSec,
    lengthMs: (options.warmUpMs ?? 0) + options.measuredMs,
    seed: options.seed ?? 0,
    maxRequests: 1_000_000,
  }),
]

test('a server that takes 100 ms is never reported faster, at low and at high rate', async () => {
  const url = await listen((_request, response) => {
    const started = performance.now()
    const answer = () => {
      // Timers may fire a little early; the server promises at least 100 ms.
      if (performance.now() - started < 100) setImmediate(answer)
      else response.end('ok')
    }
    setTimeout(answer, 100)
  })
  for (const arrivalsPerSec of [20, 400]) {
    const options: LoadOptions = {
      url,
      scenario: one,
      arrivals: 'constant',
      arrivalsPerSec,
      measuredMs: 1000,
      seed: 1,
    }
    const { run, samples } = await generateLoad(options)
    expect(samples).toHaveLength(arrivalsPerSec)
    expect(requests(samples).every((s) => s.durationUs >= 100_000 && s.status === 200 && s.bytes === 2)).toBe(
      true,
    )
    expect(run.metrics['latency.p50']!.value).toBeGreaterThanOrEqual(100)
    expect(run.health).toMatchObject({ sent: arrivalsPerSec, failed: 0, refused: 0, voidReason: '' })
  }
})

test('a stall shows in every request that was due while it lasted, from its intended start', async () => {
  // The server holds all answers until the whole schedule has arrived: nobody may wait for an answer before sending the next.
  const held: ServerResponse[] = []
  let releasedUnixUs = 0
  const options: LoadOptions = {
    url: await listen((_request, response) => {
      held.push(response)
      if (held.length < planned.length) return
      releasedUnixUs = Date.now() * 1000
      for (const waiting of held) waiting.end()
    }),
    scenario: one,
    arrivalsPerSec: 200,
    measuredMs: 1500,
    seed: 42,
  }
  const planned = plannedOf(options)
  const { run, samples } = await generateLoad(options)
  expect(samples).toHaveLength(planned.length)
  for (const [index, sample] of requests(samples).entries()) {
    const dueUs = run.startedAtUnixMs * 1000 + planned[index]!.dueMs * 1000
    expect(Math.abs(sample.intendedUnixUs - dueUs)).toBeLessThanOrEqual(1)
    expect(sample.sentUnixUs).toBeGreaterThanOrEqual(sample.intendedUnixUs)
    // The clock of Date has whole milliseconds, hence 2 ms of slack against the moment of release.
    expect(sample.intendedUnixUs + sample.durationUs).toBeGreaterThanOrEqual(releasedUnixUs - 2000)
  }
  // As the schedule demands: half of the requests waited for more than the second half of the schedule.
  const middle = planned[Math.floor(planned.length / 2)]!.dueMs
  expect(run.metrics['latency.p50']!.value).toBeGreaterThanOrEqual(planned.at(-1)!.dueMs - middle - 10)
})

test('latency counts from the intended start even when the generator itself was late', async () => {
  const blockMs = 150
  let answered = 0
  // The server shares the generator's thread: its 20th answer keeps the 40 arrivals that follow waiting.
  const url = await listen((_request, response) => {
    response.end()
    if (++answered !== 20) return
    const until = performance.now() + blockMs
    while (performance.now() < until);
  })
  const options: LoadOptions = {
    url,
    scenario: one,
    arrivals: 'constant',
    arrivalsPerSec: 100,
    measuredMs: 600,
    seed: 1,
  }
  const { run, samples } = await generateLoad(options)
  expect(answered).toBe(60)
  expect(samples).toHaveLength(60)
  const late = requests(samples).filter((s) => s.sentUnixUs - s.intendedUnixUs > 5000)
  // 15 arrivals were due while the thread was blocked; those of its last 5 ms were not late by the definition.
  expect(late.length).toBeGreaterThanOrEqual(14)
  expect(run.health.lateShareRatio).toBeCloseTo(late.length / 60, 10)
  expect(late.every((s) => s.durationUs >= s.sentUnixUs - s.intendedUnixUs)).toBe(true)
})

test('time-outs are errors with a latency of at least the limit', async () => {
  const url = await listen(() => {})
  const options: LoadOptions = {
    url,
    scenario: one,
    arrivalsPerSec: 100,
    measuredMs: 300,
    timeoutMs: 80,
    seed: 3,
  }
  const { run, samples } = await generateLoad(options)
  expect(samples).toHaveLength(plannedOf(options).length)
  expect(
    requests(samples).every((s) => s.error === 'timeout' && s.status === 0 && s.durationUs >= 80_000),
  ).toBe(true)
  expect(run.health.failed).toBe(samples.length)
  expect(run.metrics['error.ratio']!.value).toBe(1)
  expect(run.metrics['latency.p10']!.value).toBeGreaterThanOrEqual(80)
})

test('arrivals above the bound on open requests are refused, counted and never sent', async () => {
  const held: ServerResponse[] = []
  let releaseAll = false
  const url = await listen((_request, response) => {
    if (releaseAll) response.end()
    else held.push(response)
  })
  const options: LoadOptions = {
    url,
    scenario: one,
    arrivals: 'constant',
    arrivalsPerSec: 100,
    measuredMs: 500,
    maxOpen: 5,
    timeoutMs: 60_000,
    seed: 1,
    onProgress: ({ due }) => {
      if (due < 50) return
      releaseAll = true
      for (const response of held.splice(0)) response.end()
    },
  }
  const { run, samples } = await generateLoad(options)
  const refused = requests(samples).filter((s) => s.error === 'refused')
  expect(samples).toHaveLength(50)
  expect(refused).toHaveLength(45)
  expect(refused.every((s) => s.durationUs >= 60_000_000)).toBe(true)
  expect(run.health).toMatchObject({ sent: 5, refused: 45, failed: 45 })
})

test('failed connections, statuses from 400 and cut answers are errors; the sum of samples is the schedule', async () => {
  const url = await listen((request, response) => {
    if (request.url === '/missing') response.writeHead(404).end('no')
    else if (request.url === '/cut') request.socket.destroy()
    else response.end('fine')
  })
  const scenario = {
    name: 'mixed',
    endpoints: [
      { name: 'ok', path: '/ok' },
      { name: 'missing', path: '/missing' },
      { name: 'cut', path: '/cut' },
    ],
  }
  const options: LoadOptions = { url, scenario, arrivalsPerSec: 150, measuredMs: 600, seed: 5 }
  const { run, samples } = await generateLoad(options)
  const planned = plannedOf(options)
  expect(requests(samples).map((s) => s.endpoint)).toEqual(planned.map((r) => r.endpoint.name))
  for (const sample of requests(samples)) {
    if (sample.endpoint === 'ok') expect(sample).toMatchObject({ status: 200, error: '', bytes: 4 })
    if (sample.endpoint === 'missing') expect(sample).toMatchObject({ status: 404, error: 'status 404' })
    if (sample.endpoint === 'cut')
      expect(sample).toMatchObject({ status: 0, error: expect.stringMatching(/^UND_ERR_SOCKET|ECONNRESET$/) })
  }
  const bad = planned.filter((r) => r.endpoint.name !== 'ok').length
  expect(run.health.failed).toBe(bad)
  expect(run.metrics['error.ratio/cut']!.value).toBe(1)
  expect(run.metrics['latency.p50/cut']).toBeUndefined()

  const closed = await listen(() => {})
  const port = Number(new URL(closed).port)
  await new Promise((resolve) => servers.pop()!.close(resolve))
  const nobody: LoadOptions = { ...options, url: `http://127.0.0.1:${port}` }
  const refusedRun = await generateLoad(nobody)
  expect(new Set(requests(refusedRun.samples).map((s) => s.error))).toEqual(new Set(['ECONNREFUSED']))
  expect(refusedRun.run.health.voidReason).toBe(
    `nothing answers at http://127.0.0.1:${port} (ECONNREFUSED): start the application first`,
  )
})

test('each request carries its own traceparent, headers and body; warm-up is sent but not reported', async () => {
  const seen: { trace: string; method: string; kind: string; body: string }[] = []
  const url = await listen((request: IncomingMessage, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const { traceparent, 'x-kind': kind } = request.headers
      seen.push({ trace: String(traceparent), method: request.method!, kind: String(kind), body })
      response.end()
    })
  })
  const scenario = {
    name: 'post',
    endpoints: [
      { name: 'POST /cart', method: 'POST', path: '/cart', body: '{"id":1}', headers: { 'X-Kind': 'cart' } },
    ],
  }
  const options: LoadOptions = {
    url,
    scenario,
    arrivals: 'constant',
    arrivalsPerSec: 100,
    warmUpMs: 300,
    measuredMs: 200,
    seed: 1,
    headers: { 'x-kind': 'default' },
  }
  const { run, samples } = await generateLoad(options)
  expect(seen).toHaveLength(50)
  expect(samples).toHaveLength(20)
  expect(run.metrics.requests!.value).toBe(20)
  expect(seen.every((s) => s.method === 'POST' && s.kind === 'cart' && s.body === '{"id":1}')).toBe(true)
  const ids = seen.map((s) => /^00-([0-9a-f]{32})-[0-9a-f]{16}-01$/.exec(s.trace)?.[1])
  expect(new Set(ids).size).toBe(50)
  expect(requests(samples).every((s) => ids.includes(s.traceId))).toBe(true)
})

test('an abort ends the run at once, keeps what was measured and voids it', async () => {
  const url = await listen(() => {})
  const stop = new AbortController()
  const options: LoadOptions = {
    url,
    scenario: one,
    arrivals: 'constant',
    arrivalsPerSec: 100,
    measuredMs: 3_600_000,
    timeoutMs: 3_600_000,
    seed: 1,
    signal: stop.signal,
    onProgress: () => stop.abort(),
  }
  const { run, samples } = await generateLoad(options)
  expect(samples.length).toBeGreaterThan(0)
  expect(new Set(requests(samples).map((s) => s.error))).toEqual(new Set(['aborted']))
  expect(run.health.voidReason).toBe('stopped before the schedule ended')
})

test('options that cannot be used are named before anything is sent', async () => {
  const good: LoadOptions = { url: 'http://127.0.0.1:9', scenario: one, arrivalsPerSec: 1, measuredMs: 1 }
  const cases: [Partial<LoadOptions>, RegExp][] = [
    [{ url: 'http://example.com/' }, /url is "http:\/\/example.com\/"; expected an address of this machine/],
    [{ url: 'ftp://localhost' }, /expected an http:/],
    [{ arrivalsPerSec: 0 }, /arrivalsPerSec is 0; expected a number from 0.001 to 20000/],
    [{ measuredMs: Number.NaN }, /measuredMs is NaN/],
    [
      { maxRequests: 10, arrivalsPerSec: 100, measuredMs: 1000 },
      /maxRequests is 10; expected at least .* = 100/,
    ],
    [{ scenario: { name: 'x', endpoints: [] } }, /scenario.endpoints is \[\]; expected a list/],
    [
      { scenario: { name: 'x', endpoints: [{ name: 'a', path: 'a' }] } },
      /scenario.endpoints\[0\].path is "a"/,
    ],
    [{ headers: { 'a b': 'c' } }, /headers is "a b"; expected header names/],
  ]
  for (const [change, message] of cases)
    await expect(generateLoad({ ...good, ...change })).rejects.toThrow(message)
})

test('connections are kept alive: the number of sockets follows the concurrency, not the requests', async () => {
  const sockets = new Set<unknown>()
  const url = await listen((request, response) => {
    sockets.add(request.socket)
    response.end()
  })
  await generateLoad({
    url,
    scenario: one,
    arrivals: 'constant',
    arrivalsPerSec: 200,
    measuredMs: 500,
    seed: 1,
  })
  expect(sockets.size).toBeLessThan(100)
})
