import { fileURLToPath } from 'node:url'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { startWorker } from '../contract/processes.ts'
import { figure, median } from '../contract/spread.ts'

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const rates = [50, 500]
const seconds = 10
const stallMs = 2000

const tools = [
  { id: 'hotspan', script: 'hotspan-run.ts', extra: [] },
  { id: 'autocannon-rate', script: 'autocannon-run.ts', extra: ['0'] },
  { id: 'autocannon-no-correction', script: 'autocannon-run.ts', extra: ['1'] },
] as const

/**
 * Two truths. Steady: the server takes 100 ms and records what each answer took; the datum is a tool's p50 over the server's own.
 * Stall: the server answers nothing for 2 s of 10; on an open schedule the mean latency is then (S^2/2 + (T - S) x 100 ms) / T from
 * the intended starts (those that arrive in the last 100 ms of the stall still take their 100 ms: 0.1 ms in 280, left out).
 */
export const bench: Bench = {
  name: 'load-generator',
  question:
    'latency that a load generator reports over the truth, 1 is right (server always 100 ms; server that stalls 2 s of 10)',
  packages: ['loadtests'],
  figures: [
    ...rates.flatMap((rate) =>
      tools.map(({ id }) => ({
        id: `p50-${rate}-${id}`,
        unit: 'ratio',
        target: id === 'hotspan' ? '1..1.03' : '',
      })),
    ),
    ...tools.map(({ id }) => ({
      id: `stall-mean-${id}`,
      unit: 'ratio',
      target: id === 'hotspan' ? '0.95..1.05' : '',
    })),
  ],
  run,
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const rounds = options.rounds ?? (options.full ? 12 : 4)
  const values = new Map<string, number[]>(bench.figures.map(({ id }) => [id, []]))
  const health: { cpu: number; late: number }[] = []
  const server = await startWorker([file('slow-server.ts')])
  const url = String(server.ready.url)
  const record = async () => (await (await fetch(`${url}/record`)).json()) as number[]
  try {
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? tools : [...tools].reverse()
      for (const tool of order) {
        for (const rate of rates) {
          options.signal.throwIfAborted()
          await record()
          const answer = await measure(tool.script, [url, String(rate), String(seconds), ...tool.extra])
          const truth = median(await record())
          values.get(`p50-${rate}-${tool.id}`)!.push(answer.p50Ms / truth)
          if (answer.generatorCpuMs !== undefined && rate === 500) {
            health.push({ cpu: answer.generatorCpuMs / (seconds * 1000), late: answer.lateShareRatio ?? 0 })
          }
        }
        options.signal.throwIfAborted()
        const stall = setTimeout(() => void fetch(`${url}/stall?ms=${stallMs}`), (seconds * 1000) / 2)
        const answer = await measure(tool.script, [url, '50', String(seconds), ...tool.extra])
        clearTimeout(stall)
        values.get(`stall-mean-${tool.id}`)!.push(answer.meanMs / stallTruthMs)
      }
      options.progress(`round ${round + 1} of ${rounds}`)
    }
  } finally {
    await server.stop()
  }
  return {
    rounds,
    figures: bench.figures.map((definition) => figure(definition, values.get(definition.id)!)),
    notes: [
      'autocannon 9.0.0: programmatic, overallRate, 10 connections or rate x 0.2 s, 10 s; "no-correction" is ignoreCoordinatedOmission: true',
      'ours: constant arrivals, 10 s, up to 10,000 open requests; each tool in a fresh process, order reversed every round',
      `ours at 500/s: ${median(health.map((h) => h.cpu)).toFixed(2)} of a core, ${(median(health.map((h) => h.late)) * 100).toFixed(2)} % of requests sent over 5 ms late`,
      'k6 is not compared here: it drops late iterations instead of delaying them, and is no npm package',
    ],
  }
}

const stallTruthMs = (stallMs ** 2 / 2 + (seconds * 1000 - stallMs) * 100) / (seconds * 1000)

interface Answer {
  readonly p50Ms: number
  readonly meanMs: number
  readonly generatorCpuMs?: number
  readonly lateShareRatio?: number
}

async function measure(script: string, args: readonly string[]): Promise<Answer> {
  const worker = await startWorker([file(script), ...args])
  await worker.stop()
  return worker.ready as unknown as Answer
}
