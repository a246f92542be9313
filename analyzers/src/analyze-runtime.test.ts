import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Report } from './finding.ts'
import { Bench } from './testing/bench.ts'
import { call, endOf, query, serve } from './testing/shapes.ts'
import { type MadeSpan, type MadeTrace, Traffic } from './testing/traffic.ts'

let bench: Bench
beforeAll(async () => {
  bench = await Bench.open()
}, 60_000)
afterAll(() => bench?.close())

const sure = (report: Report) => report.findings.filter((finding) => finding.confidence !== 'possible')
const ids = (report: Report) => sure(report).map((finding) => finding.detector)

const inference = (
  phase: 'load' | 'forward',
  thread: 'main' | 'worker',
  startMs: number,
  durationMs: number,
): MadeSpan => ({
  name: `inference.${phase} ranker.onnx`,
  startMs,
  durationMs,
  attributes: {
    'hotspan.inference.model.name': 'ranker.onnx',
    'hotspan.inference.phase': phase,
    'hotspan.inference.thread': thread,
  },
  ...(thread === 'worker' && { resource: { 'service.instance.id': 'api-1-worker', 'thread.id': '1' } }),
})

const stall = (
  startMs: number,
  durationMs: number,
  more: Record<string, string | number> = {},
): MadeSpan => ({
  name: 'event_loop.stall',
  startMs,
  durationMs,
  attributes: {
    'hotspan.event_loop.stall.duration': durationMs,
    'hotspan.event_loop.utilization': 0.99,
    'hotspan.event_loop.stall.cpu_time': durationMs * 0.9,
    ...more,
  },
})

const operation = 'GET /products/:id/recommendations'

/** A request that computes, and others of the process that are open meanwhile. */
function withVictims(
  traffic: Traffic,
  count: number,
  blocking: (blockMs: number) => MadeSpan[],
): MadeTrace[] {
  const traces: MadeTrace[] = []
  for (let i = 0; i < count; i++) {
    const atMs = (i * 5 * 60_000) / count
    const blockMs = traffic.around(100)
    const spans = blocking(blockMs)
    traces.push({ atMs, root: serve(operation, endOf(spans) + 5, spans) })
    for (let k = 0; k < 3; k++)
      traces.push({
        atMs: atMs + 20 + k * 10,
        root: serve('GET /products', blockMs, [query('SELECT a FROM b WHERE c = $1', blockMs - 5, 3)]),
      })
  }
  return traces
}

describe('event-loop-block', () => {
  test('inference on the main thread: the request that blocks and the ones that pay are both named', async () => {
    const traffic = new Traffic(30)
    const report = await bench.analyse(
      withVictims(traffic, 40, (ms) => [inference('forward', 'main', 5, ms), stall(5, ms - 1)]),
    )
    expect(ids(report)).toEqual(['event-loop-block'])
    const [finding] = sure(report)
    expect(finding).toMatchObject({ operation, location: { model: 'ranker.onnx' } })
    expect(finding!.fix).toContain('worker')
    // Three others wait 100 ms each, less the 15 to 35 ms that they came later.
    expect(finding!.evidence.find(({ label }) => label.includes('that waited'))?.value).toBeCloseTo(3, 0)
    expect(finding!.saving!.perRequestMs.value).toBeGreaterThan(60)
    expect(finding!.saving!.perRequestMs.value).toBeLessThan(90)
  })

  test('what a request waited for anyway is not lost, and several stalls of one request add up', async () => {
    const traces: MadeTrace[] = []
    const rates = (callMs: number) =>
      serve('GET /rates', callMs + 3, [call('http://partner.test/rates', 1, callMs)])
    for (let i = 0; i < 30; i++) {
      const atMs = i * 10_000
      const block = (more: number): MadeTrace => ({
        atMs: atMs + more,
        root: serve(operation, 110, [inference('forward', 'main', 5, 100), stall(5, 100)]),
      })
      // Its call would have been over 51 ms into the first stall; the second one comes right after.
      traces.push(block(0), block(105), { atMs: atMs - 5, root: rates(215) })
      for (let k = 0; k < 3; k++) traces.push({ atMs: atMs + 2000 + k * 500, root: rates(60) })
    }
    const [finding] = sure(await bench.analyse(traces))
    expect(finding).toMatchObject({ detector: 'event-loop-block', operation })
    expect(finding!.saving!.perRequestMs.value).toBeGreaterThan(145)
    expect(finding!.saving!.perRequestMs.value).toBeLessThan(153)
  })

  test('on a machine without CPU to spare, a stall counts with what the code computed', async () => {
    const traffic = new Traffic(33)
    const report = await bench.analyse(
      withVictims(traffic, 40, (ms) => [
        inference('forward', 'main', 5, 4 * ms),
        stall(5, 4 * ms, { 'hotspan.event_loop.stall.cpu_time': ms }),
      ]),
    )
    const [finding] = sure(report)
    expect(finding).toMatchObject({ detector: 'event-loop-block', location: { model: 'ranker.onnx' } })
    const stallMs = finding!.evidence.find(({ label }) => label === 'length of a stall')!.value
    expect(Math.abs(stallMs - 100)).toBeLessThan(15)
    // The others, about 100 ms long, lie within the stall; a quarter of what they waited is the code's.
    expect(finding!.saving!.perRequestMs.value).toBeGreaterThan(20)
    expect(finding!.saving!.perRequestMs.value).toBeLessThan(30)
    expect(finding!.guards.join()).toContain('short of CPU')
  })

  test.each([
    ['hashPassword', 'hashPassword'],
    ['(anonymous:L#12:C#18)', 'an anonymous function at src/login.ts:12'],
  ])('synchronous work that the profiler names is found at its frame: %s', async (name, words) => {
    const traffic = new Traffic(31)
    const frame = {
      'code.function.name': name,
      'code.file.path': 'src/login.ts',
      'code.line.number': 12,
      'hotspan.event_loop.stall.samples': 9,
    }
    const report = await bench.analyse(withVictims(traffic, 40, (ms) => [stall(5, ms, frame)]))
    expect(sure(report)).toMatchObject([
      {
        detector: 'event-loop-block',
        title: expect.stringMatching(`by ${words}$`),
        location: { function: name, file: 'src/login.ts', line: 12 },
      },
    ])
  })

  test.each([
    [
      'inference in a worker',
      (ms: number) => [
        inference('forward', 'worker', 5, ms),
        { ...stall(5, ms), resource: { 'service.instance.id': 'api-1-worker', 'thread.id': '1' } },
      ],
    ],
    [
      'stalls of a process that was not given the CPU',
      (ms: number) => [stall(5, ms, { 'hotspan.event_loop.stall.cpu_time': 3 })],
    ],
    ['stalls below 50 ms', (ms: number) => [inference('forward', 'main', 5, ms * 0.2), stall(5, ms * 0.2)]],
    ['a stall that nothing names', (ms: number) => [stall(5, ms)]],
  ])('%s is none', async (_, blocking) => {
    expect(ids(await bench.analyse(withVictims(new Traffic(32), 40, blocking)))).toEqual([])
  })
})

describe('model-load', () => {
  test('a load in every request is found, and its stall is not a second finding', async () => {
    const traffic = new Traffic(40)
    const report = await bench.analyse(
      withVictims(traffic, 40, (ms) => [
        inference('load', 'main', 5, ms),
        stall(6, ms - 2),
        inference('forward', 'main', 6 + ms, 20),
      ]),
    )
    expect(ids(report)).toEqual(['model-load'])
    expect(sure(report)).toMatchObject([
      { operation, location: { model: 'ranker.onnx' }, confidence: 'likely' },
    ])
    expect(sure(report)[0]!.saving!.perRequestMs.value / 100).toBeGreaterThan(0.9)
    expect(sure(report)[0]!.saving!.perRequestMs.value / 100).toBeLessThan(1.1)
  })

  test('loads at start-up, and one at the first request of each process, are none', async () => {
    const traffic = new Traffic(41)
    traffic.add(40, 5, (i) => {
      const process = `api-${i % 8}`
      const spans = [
        ...(i < 8 ? [inference('load', 'main', 5, 100)] : []),
        inference('forward', 'main', 110, 20),
      ]
      return { ...serve(operation, endOf(spans) + 5, spans), resource: { 'service.instance.id': process } }
    })
    const report = await bench.analyse(traffic.traces)
    expect(ids(report)).toEqual([])
    const start = new Traffic(42)
    start.add(8, 5, () => ({ ...inference('load', 'main', 0, 400), service: 'api' }))
    start.add(40, 5, () => serve(operation, 40, [inference('forward', 'main', 5, 20)]))
    expect(ids(await bench.analyse(start.traces))).toEqual([])
  })
})

describe('wasted-renders', () => {
  const commits = (
    events: readonly Record<string, string | number>[],
    build = 'profiling',
    phase = 'update',
    span: Record<string, string | number> = {},
  ): MadeSpan => ({
    name: 'interaction keydown',
    service: 'web',
    startMs: 0,
    durationMs: 120,
    attributes: { 'hotspan.view.route': '/search' },
    children: [
      {
        name: 'react.commits',
        startMs: 2,
        durationMs: 90,
        attributes: {
          'hotspan.view.route': '/search',
          'hotspan.react.build': build,
          'hotspan.react.phase': phase,
          'hotspan.react.commits': 1,
          'hotspan.react.skipped_commits': 0,
          ...span,
        },
        events: events.map((attributes) => ({
          name: 'hotspan.react.component',
          attributes: Object.fromEntries(
            Object.entries(attributes).map(([key, value]) => [
              key.startsWith('code.') ? key : `hotspan.react.${key}`,
              value,
            ]),
          ),
        })),
      },
    ],
  })
  const card = (traffic: Traffic, ms: number, more: Record<string, string | number> = {}) => ({
    component: 'ProductCard',
    cascade_root: 'ShopProvider',
    renders: 96,
    mounts: 0,
    compared: 96,
    wasted: 96,
    reasons: 'ref:ctx:ShopContext=96, parent=3',
    self_time: traffic.around(ms),
    wasted_time: traffic.around(ms),
    ...more,
  })
  const stars = (ms: number) => ({
    component: 'Stars',
    cascade_root: 'ShopProvider',
    renders: 96,
    mounts: 0,
    compared: 96,
    wasted: 96,
    reasons: 'parent=96',
    self_time: ms,
    wasted_time: ms,
  })

  test('a context value that is new at every render is one finding: the cards, the context and the root', async () => {
    const traffic = new Traffic(50)
    traffic.add(30, 5, () => commits([stars(6), card(traffic, 30)]))
    const report = await bench.analyse(traffic.traces)
    expect(sure(report)).toMatchObject([
      {
        detector: 'wasted-renders',
        confidence: 'likely',
        operation: '/search',
        location: { component: 'ProductCard', function: 'ShopProvider', route: '/search' },
      },
    ])
    expect(sure(report)[0]!.fix).toContain('ShopContext')
    expect(sure(report)[0]!.saving!.perRequestMs.value).toBeGreaterThan(32)
    expect(sure(report)[0]!.saving!.perRequestMs.value).toBeLessThan(40)
  })

  test('a component of a resolved build stands at its file and line; a name of the build says that it is one', async () => {
    const place = { 'code.file.path': 'src/product-card.tsx', 'code.line.number': 41 }
    const resolved = new Traffic(53)
    resolved.add(30, 5, () => commits([card(resolved, 30, place)]))
    const [finding] = sure(await bench.analyse(resolved.traces))
    expect(finding!.location).toEqual({
      component: 'ProductCard',
      file: 'src/product-card.tsx',
      line: 41,
      route: '/search',
    })
    const built = new Traffic(54)
    built.add(30, 5, () => commits([card(built, 30, { component: 't~1xk3f9a' })]))
    expect(sure(await bench.analyse(built.traces))[0]!.guards.join(' ')).toContain(
      'hotspan sourcemaps upload',
    )
  })

  test.each([
    ['a development build', 'development', 'update', {}],
    ['first mounts', 'profiling', 'mount', {}],
    ['less than 16 ms', 'profiling', 'update', { wasted_time: 8, self_time: 8 }],
    ['less than 30 % of the renders', 'profiling', 'update', { wasted: 25, wasted_time: 60 }],
  ])('%s is none', async (_, build, phase, more) => {
    const traffic = new Traffic(51)
    traffic.add(30, 5, () => commits([card(traffic, 30, more)], build, phase))
    const report = await bench.analyse(traffic.traces)
    expect(report.findings).toEqual([])
    if (build === 'development')
      expect(report.cannotJudge).toMatchObject([{ detector: 'wasted-renders', service: 'web' }])
    for (const candidate of report.candidates) expect(candidate.minutes).toBeGreaterThan(1)
  })

  test('what a walk cut short did not see is taken to be like the rest, of a single commit only', async () => {
    const cut = (commitCount: number) => {
      const traffic = new Traffic(52 + commitCount)
      const span = {
        'hotspan.react.commits': commitCount,
        'hotspan.react.skipped_commits': 1,
        'hotspan.react.duration': 60,
      }
      traffic.add(30, 5, () =>
        commits([card(traffic, 30, { self_time: 24, wasted_time: 24 })], 'profiling', 'update', span),
      )
      return bench.analyse(traffic.traces)
    }
    expect(sure(await cut(1))[0]!.saving!.perRequestMs.value).toBeCloseTo(60, 6)
    expect(sure(await cut(2))[0]!.saving!.perRequestMs.value).toBeCloseTo(24, 6)
  })

  test('times estimated by a production build are possible only, and the report says what is missing', async () => {
    const traffic = new Traffic(52)
    traffic.add(30, 5, () => {
      const { self_time: _, wasted_time: __, ...rest } = card(traffic, 30)
      return commits([{ ...rest, est_time: 40 }], 'production')
    })
    const report = await bench.analyse(traffic.traces)
    expect(ids(report)).toEqual([])
    expect(report.cannotJudge.map(({ title }) => title)).toEqual([
      'Cannot judge wasted-renders: no hotspan.react.self_time on service web',
    ])
  })

  test('without any times the report says which components rendered in vain, how often and why', async () => {
    const traffic = new Traffic(55)
    const place = { 'code.file.path': 'src/product-card.tsx', 'code.line.number': 41 }
    traffic.add(30, 5, () => {
      const { self_time: _, wasted_time: __, ...rest } = card(traffic, 30, place)
      const { self_time: ___, wasted_time: ____, ...star } = stars(10)
      return commits([rest, { ...star, wasted: 48 }], 'production')
    })
    const report = await bench.analyse(traffic.traces)
    expect(ids(report)).toEqual([])
    const [gap] = report.cannotJudge
    expect(gap).toMatchObject({
      location: { component: 'ProductCard', file: 'src/product-card.tsx', line: 41 },
      evidence: [
        { label: 'spans without it' },
        { label: "wasted share of ProductCard's renders", value: 1 },
        { label: "wasted share of Stars's renders", value: 0.5 },
      ],
    })
    expect(gap!.traceIds).toHaveLength(3)
    expect(gap!.fix).toContain(
      'ProductCard (src/product-card.tsx:41) for a new value of ShopContext each time; Stars with ShopProvider.',
    )
  })
})
