import { fileURLToPath } from 'node:url'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { cpuMsOf, pinningNote, pinSelf, residentMiB, startWorker } from '../contract/processes.ts'
import { figure, median } from '../contract/spread.ts'
import { closedLoad } from './closed-load.ts'
import { type Contender, contenders } from './contenders.ts'
import { startPostgres } from './postgres.ts'

const routes = [
  { id: 'hello', path: () => '/hello' },
  { id: '1-query', path: (i: number) => `/query/${1 + (i % 1000)}` },
  { id: '5-queries', path: (i: number) => `/queries/${1 + (i % 1000)}` },
  { id: 'outgoing', path: () => '/outgoing' },
] as const
type RouteId = (typeof routes)[number]['id']

const warmUpAnswers = 4000
/** Spans of the last batch are still on their way when the load ends; the anchor sends every 5 s. */
const settleMs = 5500
/** On a busy machine rounds get longer: no further one is begun when it would end after this. */
const lastEndMs = 23 * 60_000

/** Ratio of what each adds to bare: (ours - bare) / (stock - bare), within one round. */
const overhead = (ours: number, stock: number, bare: number) => (ours - bare) / (stock - bare)

export const bench: Bench = {
  name: 'agent',
  question: 'what tracing adds to bare, ours over stock OpenTelemetry auto-instrumentation (OTLP protobuf)',
  packages: ['otlp', 'agent'],
  figures: [
    ...routes.map(({ id }) => ({ id: `added-cpu-${id}`, unit: 'ratio', target: '<=0.2' })),
    { id: 'added-start-up', unit: 'ratio', target: '<=0.15' },
    { id: 'added-start-up-cpu', unit: 'ratio', target: '<=0.15' },
    { id: 'added-rss', unit: 'ratio', target: '' },
  ],
  run,
}

interface Measured {
  /** us of CPU per answered request, all threads. */
  readonly cpuUs: Record<RouteId, number>
  readonly spans: Record<RouteId, number>
  readonly startMs: number
  readonly startCpuMs: number
  readonly residentMiB: number
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const rounds = options.rounds ?? (options.full ? 12 : 7)
  const routeMs = options.full ? 6000 : 3000
  pinSelf(1)
  const postgres = await startPostgres(1)
  const sink = await startWorker([fileURLToPath(new URL('span-sink.ts', import.meta.url))], { core: 1 })
  const results: Record<Contender['id'], Measured>[] = []
  const startedMs = performance.now()
  try {
    // Once each, not measured: the first start of anything reads its files from the disk.
    for (const contender of contenders)
      await (await startApp(contender, postgres.url, String(sink.ready.url))).stop()
    for (let round = 0; round < rounds; round++) {
      const one = {} as Record<Contender['id'], Measured>
      for (const contender of orderOf(round)) {
        one[contender.id] = await measure(
          contender,
          postgres.url,
          String(sink.ready.url),
          routeMs,
          options.signal,
        )
      }
      results.push(one)
      options.progress(`round ${round + 1} of ${rounds}`)
      const elapsedMs = performance.now() - startedMs
      if (!options.full && elapsedMs * (1 + 1 / results.length) > lastEndMs) break
    }
  } finally {
    await sink.stop()
    await postgres.stop()
  }
  const ratios = (pick: (m: Measured) => number) =>
    results.map((r) => overhead(pick(r.hotspan), pick(r.stock), (pick(r.bare) + pick(r['bare-again'])) / 2))
  const picks: ((m: Measured) => number)[] = [
    ...routes.map(
      ({ id }) =>
        (m: Measured) =>
          m.cpuUs[id],
    ),
    (m) => m.startMs,
    (m) => m.startCpuMs,
    (m) => m.residentMiB,
  ]
  return {
    rounds: results.length,
    figures: bench.figures.map((definition, i) => figure(definition, ratios(picks[i]!))),
    notes: [
      ...absolutes(results),
      `load: closed, 32 connections, ${warmUpAnswers} answers to warm up a route, then ${routeMs / 1000} s; CPU from the kernel's scheduler, all threads; ${pinningNote}`,
      'stock: auto-instrumentations-node 0.82.0 --require register (as its README says), OTLP http/protobuf, traces only, new HTTP and database names, queue 65,536 so that it drops nothing',
      'ours: @hotspan/agent --import register, defaults; it makes no pg-pool.connect span for a wait under 1 ms, where stock makes one per query: compare the span counts above',
      `PostgreSQL ${postgres.version}, Fastify 5.12.8, pg 8.23.1; outgoing = a fetch to the app itself`,
      'added-rss is taken after the load of all routes, not at 1,000 requests/s: it informs only',
    ],
  }
}

/** Rotated by one each round, and reversed every second: no contender always follows the same one. */
function orderOf(round: number): Contender[] {
  const shift = round % contenders.length
  const rotated = [...contenders.slice(shift), ...contenders.slice(0, shift)]
  return round % 2 === 0 ? rotated : rotated.reverse()
}

function startApp(contender: Contender, databaseUrl: string, sinkUrl: string) {
  return startWorker([...contender.args, fileURLToPath(new URL('app.mjs', import.meta.url))], {
    core: 0,
    env: { NODE_ENV: 'production', BENCH_DATABASE_URL: databaseUrl, ...contender.env(sinkUrl) },
  })
}

async function measure(
  contender: Contender,
  databaseUrl: string,
  sinkUrl: string,
  routeMs: number,
  signal: AbortSignal,
): Promise<Measured> {
  const app = await startApp(contender, databaseUrl, sinkUrl)
  try {
    const pid = app.child.pid!
    const url = String(app.ready.url)
    const startCpuMs = cpuMsOf(pid)
    const cpuUs = {} as Record<RouteId, number>
    const spans = {} as Record<RouteId, number>
    const traced = contender.args.length > 0
    for (const route of routes) {
      await closedLoad(url, route.path, { count: warmUpAnswers }, signal)
      if (traced) await new Promise((resolve) => setTimeout(resolve, settleMs))
      await fetch(sinkUrl)
      const before = cpuMsOf(pid)
      const answers = await closedLoad(url, route.path, { ms: routeMs }, signal)
      // Exporting what these requests made belongs to their cost; bare waits as long, for its timers to cost the same.
      await new Promise((resolve) => setTimeout(resolve, settleMs))
      cpuUs[route.id] = ((cpuMsOf(pid) - before) * 1000) / answers
      const counted = (await (await fetch(sinkUrl)).json()) as { spans: number }
      spans[route.id] = counted.spans / answers
    }
    return { cpuUs, spans, startMs: app.startMs, startCpuMs, residentMiB: residentMiB(pid) }
  } finally {
    await app.stop()
  }
}

function absolutes(results: readonly Record<Contender['id'], Measured>[]): string[] {
  const rows = contenders.map(({ id }) => {
    const of = (pick: (m: Measured) => number, digits = 1) =>
      median(results.map((r) => pick(r[id]))).toFixed(digits)
    const cells = routes.map((route) => {
      const spans = of((m) => m.spans[route.id], 2)
      return `${route.id} ${of((m) => m.cpuUs[route.id])} us${spans === '0.00' ? '' : ` (${spans} spans)`}`
    })
    const start = `start ${of((m) => m.startMs, 0)} ms, ${of((m) => m.startCpuMs, 0)} ms CPU`
    return `${id.padEnd(11)} ${[...cells, start, `${of((m) => m.residentMiB, 0)} MiB`].join(', ')}`
  })
  const noise = routes.map((route) => {
    const gaps = results.map((r) => Math.abs(r.bare.cpuUs[route.id] - r['bare-again'].cpuUs[route.id]))
    return `${route.id} ${median(gaps).toFixed(1)}`
  })
  return ['medians per request:', ...rows, `between the two bare runs of a round, us: ${noise.join(', ')}`]
}
