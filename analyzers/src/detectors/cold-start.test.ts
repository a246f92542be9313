import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Report } from '../finding.ts'
import { Bench } from '../testing/bench.ts'
import { query, serve } from '../testing/shapes.ts'
import { type MadeSpan, type MadeTrace, Traffic } from '../testing/traffic.ts'

// A real engine on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 })

let bench: Bench
beforeAll(async () => {
  bench = await Bench.open()
}, 60_000)
afterAll(() => bench?.close())

const operation = 'GET /quotes'
const minuteMs = 60_000

const found = (report: Report) => report.findings.filter(({ detector }) => detector === 'cold-start')

interface Start {
  readonly atMs: number
  readonly version?: string
  /** Duration of request number `i` of the process, 0 = the first. */
  readonly ms?: (i: number, steadyMs: number) => number
  readonly firstChildren?: (ms: number) => MadeSpan[]
  readonly isFirstError?: boolean
  readonly isAgeUnknown?: boolean
  readonly traceState?: string
}

const slowFirst = (i: number, steadyMs: number) => (i === 0 ? 400 + steadyMs : steadyMs)

/** Processes with 20 requests each, one every 10 s from a second after their start. */
function processes(seed: number, starts: readonly Start[], requests = 20): MadeTrace[] {
  const traffic = new Traffic(seed)
  return starts.flatMap((start, p) =>
    Array.from({ length: requests }, (_, i): MadeTrace => {
      const ms = (start.ms ?? slowFirst)(i, traffic.around(20))
      const children =
        i === 0 && start.firstChildren !== undefined
          ? start.firstChildren(ms)
          : [query('SELECT a FROM b WHERE c = $1', 1, ms * 0.5)]
      return {
        atMs: start.atMs + 1000 + i * 10_000,
        traceState: start.traceState ?? '',
        root: {
          ...serve(operation, ms, children),
          isError: i === 0 && start.isFirstError === true,
          resource: {
            'service.instance.id': `api-${p}`,
            'process.creation.time': start.isAgeUnknown
              ? ''
              : new Date(bench.nextOriginMs + start.atMs).toISOString(),
            ...(start.version !== undefined && { 'service.version': start.version }),
          },
        },
      }
    }),
  )
}

/** A first process that has run for long when the others start, three minutes apart. */
const scaledOut = (more: Partial<Start> = {}, count = 8): Start[] => [
  { atMs: -20 * minuteMs, ms: (_, steadyMs) => steadyMs },
  ...Array.from({ length: count }, (_, i) => ({ atMs: (i + 1) * 3 * minuteMs, ...more })),
]

/** The requests of the first process lie in the window too. */
const analyse = (seed: number, starts: readonly Start[]) =>
  bench.analyse(
    processes(seed, starts).map((trace) =>
      trace.atMs < 0 ? { ...trace, atMs: trace.atMs + 21 * minuteMs } : trace,
    ),
  )

test('the first request of each process that starts is found, with the excess as saving', async () => {
  const [finding, ...more] = found(await analyse(1, scaledOut()))
  expect(more).toEqual([])
  expect(finding).toMatchObject({
    confidence: 'likely',
    operation,
    service: 'api',
    location: { route: operation },
  })
  expect(finding!.title).toMatch(/^The first request of a process takes 2\d times as long$/)
  expect(finding!.saving!.perRequestMs.value).toBeCloseTo(400, -1.5)
  expect(finding!.evidence.find(({ unit }) => unit === '{process}')?.value).toBe(8)
  expect(finding!.traceIds.length).toBe(8)
  expect(finding!.fix).toContain('ready')
})

test('a span that only first requests have is named: a model, loaded once per process, is no finding of model-load', async () => {
  const load = (ms: number): MadeSpan[] => [
    {
      name: 'inference.load ranker.onnx',
      startMs: 2,
      durationMs: ms - 20,
      attributes: {
        'hotspan.inference.model.name': 'ranker.onnx',
        'hotspan.inference.phase': 'load',
        'hotspan.inference.thread': 'main',
      },
    },
  ]
  const report = await analyse(2, scaledOut({ firstChildren: load }))
  expect(report.findings.filter(({ confidence }) => confidence !== 'possible')).toMatchObject([
    { detector: 'cold-start', location: { model: 'ranker.onnx' } },
  ])
  expect(found(report)[0]!.title).toContain('inference.load ranker.onnx')
  expect(found(report)[0]!.fix).toContain('loading ranker.onnx')
})

test('a roll-out is possible only and claims no saving; starts after it count', async () => {
  const rollOut = Array.from({ length: 6 }, (_, i) => ({ atMs: i * minuteMs, version: '2.0.0' }))
  const [finding] = found(await analyse(3, rollOut))
  expect(finding).toMatchObject({ confidence: 'possible', saving: null })
  expect(finding!.guards.join(' ')).toContain('roll-out')
  const later = Array.from({ length: 5 }, (_, i) => ({ atMs: (12 + 3 * i) * minuteMs, version: '2.0.0' }))
  const [counted] = found(await analyse(4, [...rollOut, ...later]))
  expect(counted).toMatchObject({ confidence: 'likely' })
  expect(counted!.evidence.find(({ unit }) => unit === '{process}')?.value).toBe(5)
})

test.each<[string, Start[]]>([
  ['first requests at 2.5 times the steady ones', scaledOut({ ms: (i, ms) => (i === 0 ? 2.5 * ms : ms) })],
  ['slow requests in the middle', scaledOut({ ms: (i, ms) => (i === 7 ? 500 : ms) })],
  ['two processes', scaledOut({}, 2)],
  ['processes of unknown age', scaledOut({ isAgeUnknown: true })],
  ['first requests that failed', scaledOut({ isFirstError: true })],
  ['sampled traces, whose first request is not known', scaledOut({ traceState: 'ot=th:e' })],
  ['less than the floor', scaledOut({ ms: (i, ms) => (i === 0 ? 4 * (ms / 20) : ms / 20) })],
])('%s: none', async (_, starts) => {
  expect(found(await analyse(5, starts))).toEqual([])
})

test('processes that are slow for all of their first minute are possible only', async () => {
  const slowMinute = (i: number, ms: number) => (i < 6 ? 400 + ms : ms)
  const report = await analyse(6, scaledOut({ ms: slowMinute }))
  expect(found(report)).toMatchObject([{ confidence: 'possible' }])
})

test('one process per service, as in a demo, gives neither a finding nor a candidate', async () => {
  const report = await analyse(7, [{ atMs: 0 }])
  expect(found(report)).toEqual([])
  expect(report.candidates.filter(({ detector }) => detector === 'cold-start')).toEqual([])
})
