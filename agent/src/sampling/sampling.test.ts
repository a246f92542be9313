import { parseSamplingState, type Span } from '@hotspan/otlp'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { runtime } from '../core/runtime.ts'
import { keeps, ratioOf, ratioSampler } from '../core/sampler.ts'
import { type AgentSpan, Status } from '../core/span.ts'
import { randomBits } from '../core/trace.ts'
import { beginSpan, newTrace } from '../core/tracer.ts'
import { attributesOf, named, type Sink, startSink } from '../testing/sink.ts'
import { startApp, type TestApp } from '../testing/test-app.ts'
import { createLocalTail } from './local-tail.ts'
import { createRateLimit } from './rate-limit.ts'

describe('rate limit', () => {
  test.each([
    [1000, 10],
    [5000, 100],
    [50, 100],
  ])(
    'of %i traces a second about %i are kept, and their weights add up to what arrived',
    (arrivals, perSec) => {
      const limit = createRateLimit(perSec, ratioSampler(1, true))
      const seconds = 20
      let kept = 0
      let weighted = 0
      for (let i = 0; i < arrivals * seconds; i++) {
        const sampler = limit((i * 1000) / arrivals)
        if (!keeps(sampler, randomBits(), randomBits())) continue
        kept++
        weighted += 1 / ratioOf(sampler)
      }
      const wanted = Math.min(arrivals, perSec) * seconds
      // Six standard deviations of a binomial count, and the first second, in which the rate is not known yet.
      const slack = 6 * Math.sqrt(wanted) + 2.5 * perSec
      expect(kept).toBeGreaterThan(wanted - slack)
      expect(kept).toBeLessThan(wanted + slack)
      expect(Math.abs(weighted / (arrivals * seconds) - 1)).toBeLessThan(6 / Math.sqrt(wanted))
    },
  )

  test('a burst after silence is held down within its own second', () => {
    const limit = createRateLimit(100, ratioSampler(1, true))
    limit(0)
    let kept = 0
    for (let i = 0; i < 20_000; i++) kept += ratioOf(limit(60_000 + i / 20_000))
    expect(kept).toBeLessThan(400)
  })

  test('the ratio of the sampler stays the most', () => {
    const limit = createRateLimit(100, ratioSampler(0.25, true))
    for (let i = 0; i < 100; i++) expect(ratioOf(limit(i * 100))).toBe(0.25)
    expect(ratioOf(ratioSampler(0, true))).toBe(0)
  })
})

describe('local tail', () => {
  afterEach(() => {
    runtime.tail = null
    runtime.sampler = ratioSampler(1, true)
    runtime.ended = () => {}
  })

  test('spans that wait are bounded: the oldest trace goes as the sampler said', () => {
    const sent: AgentSpan[] = []
    runtime.tail = createLocalTail(1000)
    runtime.ended = (span) => sent.push(span)
    const roots = Array.from({ length: 20 }, () => beginSpan(undefined, EMPTY_CONTEXT, 0, 0, 'root', 0))
    for (const root of roots)
      for (let i = 0; i < 1000; i++) beginSpan(root, EMPTY_CONTEXT, 0, 0, 'child', 0).endQuietly(1)
    expect(sent.length).toBeGreaterThanOrEqual(10_000)
    expect(sent.every(({ trace }) => trace === roots[0]!.trace || trace.tail?.decision === 'kept')).toBe(true)
    for (const root of roots) root.endQuietly(2)
    expect(sent).toHaveLength(20_020)
  })

  test('an unlikely trace that fails is kept with th:0, an equal one that does not is gone', () => {
    const sent: AgentSpan[] = []
    runtime.sampler = ratioSampler(0, true)
    runtime.tail = createLocalTail(1000)
    runtime.ended = (span) => sent.push(span)
    for (const status of [Status.Error, Status.Unset]) {
      const root = beginSpan(undefined, EMPTY_CONTEXT, 0, 0, 'root', 0)
      root.statusCode = status
      root.endQuietly(5)
      beginSpan(root, EMPTY_CONTEXT, 0, 0, 'late child', 6).endQuietly(7)
    }
    expect(sent.map(({ name, trace }) => [name, trace.traceState, trace.flags])).toEqual([
      ['root', 'ot=th:0', 1],
      ['late child', 'ot=th:0', 1],
    ])
    expect(newTrace(0).flags).toBe(0)
  })
})

describe('in an app', () => {
  let sink: Sink
  let app: TestApp
  beforeEach(async () => {
    sink = await startSink()
  })
  afterEach(async () => {
    await app?.end('SIGKILL')
    await sink.close()
  })
  const start = async (env: Record<string, string>): Promise<void> => {
    app = await startApp('sampling-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env })
  }
  const pathsOf = (spans: readonly Span[]): unknown[] =>
    spans.filter(({ kind }) => kind === 2).map((span) => attributesOf(span)['url.path'])
  const thresholdOf = ({ traceState }: Span): bigint | undefined =>
    parseSamplingState(traceState).threshold ?? undefined

  test('slow and failed traces are whole, the others follow the sampler', async () => {
    await start({
      HOTSPAN_KEEP_SLOW_MS: '250',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.000001',
    })
    for (let i = 0; i < 20; i++) await fetch(`${app.url}/ok`)
    const sent = (await fetch(`${app.url}/calling`)).headers.get('x-sent')!
    await Promise.all([fetch(`${app.url}/slow`), fetch(`${app.url}/failing`)])
    await app.end()
    expect(pathsOf(sink.spans).sort()).toEqual(['/calling', '/failing', '/slow'])
    for (const span of sink.spans) expect(thresholdOf(span)).toBe(0n)
    for (const path of ['/slow', '/failing', '/calling'])
      expect(named(sink.spans, `child of ${path}`)).toHaveLength(1)
    // The called service was told not to keep it, and said so to nobody: the trace lacks its part.
    expect(sent.endsWith('-00')).toBe(true)
    const [calling, ...others] = sink.spans
      .filter(({ kind }) => kind === 2)
      .sort((a, b) => String(attributesOf(a)['url.path']).localeCompare(String(attributesOf(b)['url.path'])))
    expect(attributesOf(calling!)).toMatchObject({ 'hotspan.sampling.partial': true })
    for (const other of others) expect(attributesOf(other)).not.toHaveProperty('hotspan.sampling.partial')
  })

  test('what the sampler keeps is sent when its request ends, with the threshold', async () => {
    await start({
      HOTSPAN_KEEP_SLOW_MS: '60000',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
    })
    for (let i = 0; i < 40; i++) await fetch(`${app.url}/ok`)
    await app.end()
    const servers = sink.spans.filter(({ kind }) => kind === 2)
    expect(servers.length).toBeGreaterThan(0)
    expect(servers.length).toBeLessThan(40)
    for (const span of servers) expect(thresholdOf(span)).toBe(1n << 55n)
    expect(named(sink.spans, 'child of /ok')).toHaveLength(servers.length)
  })

  test('HOTSPAN_MAX_TRACES_PER_SEC', async () => {
    await start({ HOTSPAN_MAX_TRACES_PER_SEC: '5' })
    for (let i = 0; i < 400; i++) await fetch(`${app.url}/ok`)
    await app.end()
    const servers = sink.spans.filter(({ kind }) => kind === 2)
    expect(servers.length).toBeGreaterThan(0)
    expect(servers.length).toBeLessThan(200)
    for (const span of servers) expect(thresholdOf(span)).toBeDefined()
  })
})
