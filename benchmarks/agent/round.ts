import { cpuMsOf, residentMiB, type Worker } from '../contract/processes.ts'
import { closedLoad } from './closed-load.ts'
import { type Contender, core, type Sink } from './contenders.ts'
import { fixedRate, percentile } from './fixed-rate.ts'
import { pause, perRoute, type RouteId, routes } from './routes.ts'
import { startApp } from './running-app.ts'

/** By time, not by count: on a slow machine the compiler needs longer too. After less, the one route is charged for its compilation. */
export const warmUpMs = 7000
/** Contenders take turns in each route this often, forwards and backwards: an even number, so that nobody is first more often. */
export const slices = 2
/** Spans of the last batch are still on their way when the load ends; the anchor sends every 5 s. */
const settleMs = 5500
const residentPerSec = 1000
const residentMs = 6000
/** The memory is read once a second, in the last of these. */
const residentReads = 3
const rateMs = 3000
/**
 * Of what ours answers at most under closed load. An open loop costs the load more, which shares its core with PostgreSQL: with a
 * larger share that core is what saturates, and everybody waits for it alike.
 */
const rateShare = 0.5

export interface Measured {
  /** us of CPU per answered request, all threads. */
  readonly cpuUs: Record<RouteId, number>
  readonly startMs: number
  readonly startCpuMs: number
  /** At 1,000 requests/s; NaN for the other agents. */
  residentMiB: number
  /** At the fixed rate `perSec`; NaN for the other agents. */
  p99Ms: number
  perSec: number
  /** Answers per second of 1-query under closed load. */
  mostPerSec: number
}

export interface RoundOptions {
  readonly contenders: readonly Contender[]
  readonly databaseUrl: string
  readonly sink: Sink
  readonly sliceMs: number
  /** Rate for the latencies, the same for everybody; without one it is found in this round. */
  readonly ratePerSec: number | undefined
  readonly signal: AbortSignal
}

interface Runner {
  readonly contender: Contender
  readonly app: Worker
  readonly measured: Measured
}

/** Every contender in a fresh process; all of them stay alive, so that the load can go from one to the next in seconds. */
export async function measureRound(options: RoundOptions): Promise<Record<string, Measured>> {
  const runners: Runner[] = []
  try {
    for (const contender of options.contenders) {
      const app = await startApp(contender, options.databaseUrl, options.sink)
      const measured: Measured = {
        cpuUs: perRoute(() => Number.NaN),
        startMs: app.startMs,
        startCpuMs: cpuMsOf(app.child.pid!),
        residentMiB: Number.NaN,
        p99Ms: Number.NaN,
        perSec: Number.NaN,
        mostPerSec: Number.NaN,
      }
      runners.push({ contender, app, measured })
    }
    const measuredFully = runners.filter(({ contender }) => core.includes(contender))
    for (const runner of measuredFully) await measureResident(runner, options)
    for (const route of routes) await measureRoute(runners, route, options)
    const ours = runners.find(({ contender }) => contender.id === 'hotspan')
    const perSec = options.ratePerSec ?? Math.round(rateShare * (ours?.measured.mostPerSec ?? 0))
    for (const runner of measuredFully) await measureLatency(runner, perSec, options.signal)
    return Object.fromEntries(runners.map(({ contender, measured }) => [contender.id, measured]))
  } finally {
    await Promise.all(runners.map(({ app }) => app.stop()))
  }
}

async function measureResident(runner: Runner, { signal }: RoundOptions): Promise<void> {
  const pid = runner.app.child.pid!
  const load = fixedRate(
    String(runner.app.ready.url),
    routes[1].path,
    { perSec: residentPerSec, ms: residentMs },
    signal,
  )
  const reads: number[] = []
  const read = async () => {
    await pause(residentMs - residentReads * 1000)
    for (let i = 0; i < residentReads; i++) {
      reads.push(residentMiB(pid))
      await pause(900)
    }
  }
  await Promise.all([load, read()])
  runner.measured.residentMiB = reads.reduce((sum, value) => sum + value, 0) / reads.length
}

/** CPU of one route: everybody is warmed up, then they take turns. */
async function measureRoute(
  runners: readonly Runner[],
  route: (typeof routes)[number],
  { sliceMs, signal }: RoundOptions,
): Promise<void> {
  const load = ({ app }: Runner, ms: number) => closedLoad(String(app.ready.url), route.path, { ms }, signal)
  for (const runner of runners) await load(runner, warmUpMs)
  // What the warm-up has made is sent before it counts, so that each load pays for its own spans and no others.
  await pause(settleMs)
  const cpuMs = ({ app }: Runner): number => cpuMsOf(app.child.pid!)
  const answers = runners.map(() => 0)
  const usedMs = runners.map(() => 0)
  for (let slice = 0; slice < slices; slice++) {
    const order = [...runners.keys()]
    if (slice % 2 === 1) order.reverse()
    const reads: Promise<void>[] = []
    for (const i of order) {
      const runner = runners[i]!
      const beforeMs = cpuMs(runner)
      answers[i]! += await load(runner, sliceMs)
      // Exporting what these requests made belongs to their cost. Everybody is read as late, however many others have their
      // turn meanwhile: timers cost the same then.
      const read = pause(settleMs).then(() => {
        usedMs[i]! += cpuMs(runner) - beforeMs
      })
      // Until it is awaited below, a failing load may come first.
      read.catch(() => {})
      reads.push(read)
    }
    await Promise.all(reads)
  }
  for (const [i, { measured }] of runners.entries()) {
    measured.cpuUs[route.id] = (usedMs[i]! * 1000) / answers[i]!
    if (route.id === '1-query') measured.mostPerSec = (answers[i]! * 1000) / (sliceMs * slices)
  }
}

async function measureLatency({ app, measured }: Runner, perSec: number, signal: AbortSignal): Promise<void> {
  const latencies = await fixedRate(String(app.ready.url), routes[1].path, { perSec, ms: rateMs }, signal)
  measured.perSec = perSec
  measured.p99Ms = percentile(latencies, 0.99)
}
