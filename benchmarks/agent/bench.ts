import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { pinningNote, pinSelf, startWorker } from '../contract/processes.ts'
import { figure, median, spread } from '../contract/spread.ts'
import { makeCertificate } from './certificate.ts'
import { type Contender, core, peers, type Sink } from './contenders.ts'
import { measureOutage } from './outage.ts'
import { startPostgres } from './postgres.ts'
import { type Measured, measureRound, type RoundOptions, slices, warmUpMs } from './round.ts'
import { pause, perRoute, type RouteId, routes } from './routes.ts'
import { startApp } from './running-app.ts'
import { compareSpanSets } from './span-set.ts'

/** Rounds in which the other agents run too; their figures are for comparison, and Sentry alone costs as much as all of ours. */
const peerRounds = 1
/** On a busy machine rounds get longer: no further one is begun that, as long as the last, would end after this. */
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
    { id: 'added-rss', unit: 'ratio', target: '<=0.3' },
    { id: 'p99', unit: 'ratio', target: '' },
    { id: 'p99-noise', unit: 'ratio', target: '' },
    { id: 'outage-unaccounted', unit: 'spans', target: '<=0' },
    { id: 'outage-lost', unit: 'ratio', target: '' },
    { id: 'span-differences', unit: 'unexplained', target: '<=0' },
    { id: 'not-below-others', unit: 'routes', target: '<=0' },
  ],
  run,
}

type Round = Readonly<Record<string, Measured>>

async function run(options: BenchOptions): Promise<BenchResult> {
  const sliceMs = options.full ? 3000 : 1500
  const wanted = options.rounds ?? (options.full ? 12 : 4)
  pinSelf(1)
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-bench-agent-'))
  const postgres = await startPostgres(1)
  const certificate = makeCertificate(folder)
  const tls = certificate === undefined ? [] : [certificate.key, certificate.certificate]
  const sinkFile = fileURLToPath(new URL('span-sink.ts', import.meta.url))
  const sinkProcess = await startWorker([sinkFile, ...tls], { core: 1 })
  const sink = sinkProcess.ready as unknown as Sink
  const startedMs = performance.now()
  const roundsFile = join(tmpdir(), `hotspan-bench-agent-${process.pid}.json`)
  options.progress(`each round's measurements, which stay there when this is stopped: ${roundsFile}`)
  try {
    const spanSet = await compareSpanSets(postgres.url)
    options.progress('span sets compared')
    const outage = await measureOutage(core.find(({ id }) => id === 'hotspan')!, postgres.url, options.signal)
    options.progress('outage measured')
    const absent = new Map<string, string>()
    const spans = new Map<string, number>()
    for (const contender of [...core, ...peers]) {
      try {
        spans.set(contender.id, await spansOfEachRoute(contender, postgres.url, sink))
      } catch (error) {
        if (core.includes(contender)) throw error
        absent.set(contender.id, error instanceof Error ? error.message : String(error))
      }
    }
    const here = peers.filter(({ id }) => !absent.has(id))
    const rounds: Round[] = []
    let ratePerSec: number | undefined
    for (let index = 0; index < wanted; index++) {
      const contenders = index < peerRounds ? [...core, ...here] : core
      const setup: RoundOptions = {
        contenders: orderOf(contenders, index),
        databaseUrl: postgres.url,
        sink,
        sliceMs,
        ratePerSec,
        signal: options.signal,
      }
      const roundStartedMs = performance.now()
      let round: Round
      try {
        round = await measureRound(setup)
      } catch (error) {
        if (!options.signal.aborted || rounds.length === 0) throw error
        options.progress(`stopped in round ${index + 1}: ${String(options.signal.reason)}`)
        break
      }
      ratePerSec ??= round.hotspan?.perSec
      rounds.push(round)
      writeFileSync(roundsFile, JSON.stringify({ outage, spanSet, spans: Object.fromEntries(spans), rounds }))
      const ratios = figureValues([round]).map(
        (values, i) => `${bench.figures[i]!.id} ${values[0]?.toFixed(2)}`,
      )
      options.progress(`round ${index + 1} of ${wanted}: ${ratios.join(', ')}`)
      const nowMs = performance.now()
      if (!options.full && nowMs - startedMs + (nowMs - roundStartedMs) > lastEndMs) break
    }
    const values = figureValues(rounds)
    const lost = outage.failed + outage.dropped
    const others = comparedWith(here, rounds)
    values.push(
      [Math.abs(outage.made - outage.sent - lost)],
      [lost / outage.made],
      [spanSet.unexplained],
      [others.reduce((sum, { notBelow }) => sum + notBelow.length, 0)],
    )
    if (!options.signal.aborted) rmSync(roundsFile, { force: true })
    return {
      rounds: rounds.length,
      figures: bench.figures.map((definition, i) => figure(definition, values[i]!)),
      notes: [
        ...tableOf(rounds, [...core, ...here], spans),
        ...verdicts(rounds, others),
        `endpoint down for 10 s of 15 s at 500 requests/s: made ${outage.made} = sent ${outage.sent} + failed ${outage.failed} + dropped ${outage.dropped} (+ queued ${outage.queued}); the endpoint counted ${outage.received}`,
        'spans of ours beside those of stock for the same request, without ids, times and ephemeral ports:',
        ...spanSet.rows,
        `load: closed, 32 connections, ${warmUpMs / 1000} s to warm up a route, then ${slices} slices of ${sliceMs / 1000} s in turns; CPU (user and system) from the kernel's scheduler, all threads, of each slice until 5.5 s after its end; ${pinningNote}`,
        `added-rss: mean of the last 3 s of 6 s at 1,000 requests/s of 1-query, fresh process; p99: 3 s at ${ratePerSec} requests/s of 1-query, half of what ours answered at most in the first round, from when a request was due`,
        `other agents in the first ${peerRounds === 1 ? 'round' : `${Math.min(peerRounds, rounds.length)} rounds`}`,
        ...[...core, ...peers]
          .filter(({ configuration }) => configuration !== '')
          .map(
            ({ id, configuration }) =>
              `${id}: ${absent.has(id) ? `did not run: ${absent.get(id)}; ` : ''}${configuration}`,
          ),
        `PostgreSQL ${postgres.version}, Fastify 5.12.8, pg 8.23.1; outgoing = a fetch to the app itself`,
      ],
    }
  } finally {
    await sinkProcess.stop()
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Rotated by one each round, and reversed every second: no contender always follows the same one. */
function orderOf(contenders: readonly Contender[], round: number): Contender[] {
  const shift = round % contenders.length
  const rotated = [...contenders.slice(shift), ...contenders.slice(0, shift)]
  return round % 2 === 0 ? rotated : rotated.reverse()
}

/** Spans that one request of each route makes together. It is also everybody's first start, which reads files from the disk. */
async function spansOfEachRoute(contender: Contender, databaseUrl: string, sink: Sink): Promise<number> {
  const repeats = 20
  await fetch(sink.url)
  const app = await startApp(contender, databaseUrl, sink)
  try {
    for (let i = 0; i < repeats; i++)
      for (const { path } of routes) await (await fetch(`${String(app.ready.url)}${path(i)}`)).text()
    if (contender.args.length === 0) return 0
    await pause(6500)
    const { spans } = (await (await fetch(sink.url)).json()) as { spans: number }
    return spans / repeats
  } finally {
    await app.stop()
  }
}

const bareOf = (round: Round, pick: (m: Measured) => number): number =>
  (pick(round.bare!) + pick(round['bare-again']!)) / 2

/** Values per round, in the order of the figures that rounds give. */
function figureValues(rounds: readonly Round[]): number[][] {
  const ratios = (pick: (m: Measured) => number) =>
    rounds.map((round) => overhead(pick(round.hotspan!), pick(round.stock!), bareOf(round, pick)))
  return [
    ...routes.map(({ id }) => ratios((m) => m.cpuUs[id])),
    ratios((m) => m.startMs),
    ratios((m) => m.startCpuMs),
    ratios((m) => m.residentMiB),
    rounds.map((round) => round.hotspan!.p99Ms / bareOf(round, (m) => m.p99Ms)),
    rounds.map((round) => round['bare-again']!.p99Ms / round.bare!.p99Ms),
  ]
}

function tableOf(
  rounds: readonly Round[],
  contenders: readonly Contender[],
  spans: ReadonlyMap<string, number>,
): string[] {
  const rows = contenders.map(({ id }) => {
    const own = rounds.filter((round) => round[id] !== undefined)
    const of = (pick: (m: Measured) => number, digits = 0) =>
      median(own.map((round) => pick(round[id]!))).toFixed(digits)
    const added = (pick: (m: Measured) => number) =>
      median(own.map((round) => pick(round[id]!) - bareOf(round, pick))).toFixed(1)
    const cells = routes.map((route) => {
      const pick = (m: Measured) => m.cpuUs[route.id]
      return `${route.id} ${of(pick, 1)} us (+${added(pick)})`
    })
    const memory = (m: Measured) => m.residentMiB
    return [
      `${id.padEnd(10)} ${cells.join(', ')}`,
      `start ${of((m) => m.startMs)} ms, ${of((m) => m.startCpuMs)} ms CPU`,
      ...(Number.isFinite(own[0]!.bare!.residentMiB) && core.some((c) => c.id === id)
        ? [`${of(memory)} MiB (+${added(memory)})`, `p99 ${of((m) => m.p99Ms, 1)} ms`]
        : []),
      `${(spans.get(id) ?? 0).toFixed(1)} spans`,
    ].join(', ')
  })
  return [
    'medians per request; added to bare in brackets; spans of one request of each route together:',
    ...rows,
  ]
}

interface Compared {
  readonly id: string
  /** Routes whose requests cost us no less CPU. */
  readonly notBelow: readonly string[]
}

/** The other agents, in the rounds that they ran in. */
function comparedWith(others: readonly Contender[], rounds: readonly Round[]): Compared[] {
  return others.map(({ id }) => {
    const shared = rounds.filter((round) => round[id] !== undefined)
    const cpuUs = (contender: string, route: RouteId) =>
      median(shared.map((round) => round[contender]!.cpuUs[route]))
    const notBelow = routes.filter((route) => cpuUs('hotspan', route.id) >= cpuUs(id, route.id))
    return { id, notBelow: notBelow.map((route) => route.id) }
  })
}

function verdicts(rounds: readonly Round[], others: readonly Compared[]): string[] {
  const noise = perRoute((id) =>
    median(rounds.map((r) => Math.abs(r.bare!.cpuUs[id] - r['bare-again']!.cpuUs[id]))),
  )
  const below = others.map(({ id, notBelow }) =>
    notBelow.length === 0 ? `below ${id} on all four` : `not below ${id} on ${notBelow.join(', ')}`,
  )
  const [ours, bare] = [
    rounds.map((r) => r.hotspan!.p99Ms / bareOf(r, (m) => m.p99Ms)),
    rounds.map((r) => r['bare-again']!.p99Ms / r.bare!.p99Ms),
  ].map((values) => spread(values.filter(Number.isFinite)))
  return [
    `between the two bare runs of a round, us: ${routes.map(({ id }) => `${id} ${noise[id].toFixed(1)}`).join(', ')}`,
    `ours: ${below.join('; ') || 'no other agent ran'}`,
    `p99 of ours ${ours!.low <= Math.max(bare!.high, 1) ? 'not above bare within the noise of the two bare runs' : 'above bare'}`,
  ]
}
