import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Report } from '../finding.ts'
import { Bench } from '../testing/bench.ts'
import { query, serve } from '../testing/shapes.ts'
import { type MadeTrace, Traffic } from '../testing/traffic.ts'

// Thousands of spans through a real engine, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 })

let bench: Bench
beforeAll(async () => {
  bench = await Bench.open()
}, 60_000)
afterAll(() => bench?.close())

interface Shape {
  /** null: not measured. */
  readonly utilization?: number | null
  /** Share of CPU time in a stall. */
  readonly cpuRatio?: number
  /** Function that samples name in stall number `i`. */
  readonly functionOf?: (i: number) => string
  readonly samples?: number
  readonly everyMs?: number
  readonly minutes?: number
  readonly stallMs?: number
}

/** A stall a second, as a trace of its own, and two requests that are open during it. */
function traffic(seed: number, shape: Shape): MadeTrace[] {
  const {
    utilization = 0.97,
    cpuRatio = 0.95,
    functionOf,
    everyMs = 1000,
    minutes = 4,
    stallMs = 120,
  } = shape
  const random = new Traffic(seed)
  return Array.from({ length: (minutes * 60_000) / everyMs }, (_, i): MadeTrace[] => {
    const atMs = i * everyMs + 300
    const ms = random.around(stallMs)
    const name = functionOf?.(i) ?? ''
    const stall: MadeTrace = {
      atMs,
      root: {
        name: 'event_loop.stall',
        service: 'api',
        startMs: 0,
        durationMs: ms,
        attributes: {
          'hotspan.event_loop.stall.duration': ms,
          ...(utilization !== null && { 'hotspan.event_loop.utilization': utilization }),
          'hotspan.event_loop.stall.cpu_time': ms * cpuRatio,
          ...(name !== '' && {
            'code.function.name': name,
            'code.file.path': 'src/work.ts',
            'hotspan.event_loop.stall.samples': shape.samples ?? Math.floor(ms / 10),
          }),
        },
      },
    }
    const victims = [0, 1].map(
      (k): MadeTrace => ({
        atMs: atMs - 20 + 10 * k,
        root: serve('GET /products', ms + 30, [query('SELECT a FROM b WHERE c = $1', 1, ms + 25)]),
      }),
    )
    return [stall, ...victims]
  }).flat()
}

const found = (report: Report, detector: string) =>
  report.findings.filter((finding) => finding.detector === detector)

describe('event-loop-saturation', () => {
  const saturation = (report: Report) => found(report, 'event-loop-saturation')

  test('utilisation above 0.9 for whole minutes, with many small causes, is one finding of the service', async () => {
    const report = await bench.analyse(traffic(1, { functionOf: (i) => `handle${i % 5}` }))
    expect(saturation(report)).toMatchObject([
      { confidence: 'likely', service: 'api', operation: 'all requests', location: {}, saving: null },
    ])
    const [finding] = saturation(report)
    // The first and the last minute of the traffic are not whole.
    expect(finding!.title).toMatch(/busy above 90 % for [34] minutes/)
    expect(finding!.evidence.find(({ label }) => label.startsWith('utilisation'))?.value).toBeCloseTo(0.97, 1)
    expect(finding!.evidence.filter(({ label }) => label.startsWith('share of the stalled')).length).toBe(3)
  })

  test('stalls that cover the minute say it without a measured utilisation', async () => {
    const shape = { utilization: null, stallMs: 990, everyMs: 1000 }
    const made = traffic(2, shape).map((trace) =>
      trace.root.name === 'event_loop.stall' ? { ...trace, root: { ...trace.root, durationMs: 985 } } : trace,
    )
    expect(saturation(await bench.analyse(made)).length).toBe(1)
  })

  test.each<[string, Shape]>([
    ['utilisation of 0.88', { utilization: 0.88 }],
    ['a stall every other second', { everyMs: 2000 }],
    ['one busy minute', { minutes: 1 }],
    [
      'one function with most of the stalled time, which event-loop-block names',
      { functionOf: () => 'hash' },
    ],
    ['stalls without CPU', { cpuRatio: 0.1 }],
  ])('%s: none', async (_, shape) => {
    expect(saturation(await bench.analyse(traffic(3, shape)))).toEqual([])
  })

  test('half of the CPU only: possible', async () => {
    expect(saturation(await bench.analyse(traffic(4, { cpuRatio: 0.5 })))).toMatchObject([
      { confidence: 'possible' },
    ])
  })
})

describe('cpu-starvation', () => {
  const starvation = (report: Report) => found(report, 'cpu-starvation')

  test('stalls without CPU time: the machine was busy, possible, and no code is named', async () => {
    const report = await bench.analyse(traffic(5, { cpuRatio: 0.1, utilization: 0.5 }))
    expect(starvation(report)).toMatchObject([
      { title: 'The machine was busy', confidence: 'possible', service: 'api', location: {} },
    ])
    expect(report.findings.filter(({ confidence }) => confidence !== 'possible')).toEqual([])
    // Each request is open for all of a stall of 120 ms.
    expect(starvation(report)[0]!.saving!.perRequestMs.value / 120).toBeGreaterThan(0.9)
    expect(starvation(report)[0]!.saving!.perRequestMs.value / 120).toBeLessThan(1.1)
  })

  test('a frame that a chance sample named is not blamed', async () => {
    const report = await bench.analyse(
      traffic(6, { cpuRatio: 0.1, functionOf: () => 'innocent', samples: 1 }),
    )
    expect(starvation(report).length).toBe(1)
    expect(JSON.stringify(report.findings)).not.toContain('innocent')
  })

  test('samples in one place through the stalls: a synchronous wait, no finding', async () => {
    const report = await bench.analyse(traffic(7, { cpuRatio: 0.1, functionOf: () => 'execSync' }))
    expect(starvation(report)).toEqual([])
    expect(report.candidates.find(({ detector }) => detector === 'cpu-starvation')?.reason).toContain(
      'execSync',
    )
  })

  test.each<[string, Shape]>([
    ['stalls that compute', {}],
    ['stalls just above the share of CPU', { cpuRatio: 0.31 }],
    ['stalls whose CPU time alone would stall a free machine', { cpuRatio: 0.2, stallMs: 400 }],
    ['one minute only', { cpuRatio: 0.1, minutes: 0.8 }],
  ])('%s: none', async (_, shape) => {
    expect(starvation(await bench.analyse(traffic(8, shape)))).toEqual([])
  })
})
