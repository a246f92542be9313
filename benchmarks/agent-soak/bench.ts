import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { core, type Sink } from '../agent/contenders.ts'
import { fixedRate } from '../agent/fixed-rate.ts'
import { startPostgres } from '../agent/postgres.ts'
import { pause, routes } from '../agent/routes.ts'
import { startApp } from '../agent/running-app.ts'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { pinningNote, pinSelf, startWorker } from '../contract/processes.ts'
import { figure, median } from '../contract/spread.ts'

const perSec = 200
const warmUpMs = 60_000
const soakMs = 600_000
const betweenReadsMs = 30_000

const mebibyte = 1024 * 1024

export const bench: Bench = {
  name: 'agent-soak',
  question: 'what ten minutes of load leave in the heap of a traced server, after garbage collection',
  packages: ['otlp', 'agent'],
  figures: [
    { id: 'heap-growth', unit: 'MiB', target: '<=1' },
    { id: 'external-growth', unit: 'MiB', target: '<=1' },
    { id: 'living-spans-growth', unit: 'spans', target: '<=64' },
    { id: 'unaccounted', unit: 'spans', target: '<=0' },
  ],
  run,
}

interface HeapReport {
  readonly heapUsed: number
  readonly external: number
  readonly rss: number
  /** Span objects that garbage collection did not take: requests under way and idle connections have one each. */
  readonly livingSpans: number
  readonly spans: Readonly<Record<'made' | 'sent' | 'failed' | 'dropped' | 'queued', number>>
}

async function run(options: BenchOptions): Promise<BenchResult> {
  pinSelf(1)
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-bench-soak-'))
  const file = join(folder, 'heap.json')
  const postgres = await startPostgres(1)
  const sinkFile = fileURLToPath(new URL('../agent/span-sink.ts', import.meta.url))
  const sink = await startWorker([sinkFile], { core: 1 })
  try {
    const hotspan = core.find(({ id }) => id === 'hotspan')!
    const report = fileURLToPath(new URL('heap-report.mjs', import.meta.url))
    const app = await startApp(hotspan, postgres.url, sink.ready as unknown as Sink, {
      args: ['--expose-gc', '--import', report],
      env: { BENCH_HEAP_FILE: file },
    })
    try {
      const read = async (): Promise<HeapReport> => {
        rmSync(file, { force: true })
        app.child.kill('SIGUSR2')
        while (!existsSync(file)) {
          options.signal.throwIfAborted()
          await pause(50)
        }
        return JSON.parse(readFileSync(file, 'utf8')) as HeapReport
      }
      const path = (i: number) => routes[i % routes.length]!.path(i)
      const url = String(app.ready.url)
      await fixedRate(url, path, { perSec, ms: warmUpMs }, options.signal)
      const load = fixedRate(url, path, { perSec, ms: soakMs }, options.signal)
      const reads: HeapReport[] = []
      for (let at = 0; at <= soakMs; at += betweenReadsMs) {
        reads.push(await read())
        options.progress(`${at / 1000} s of ${soakMs / 1000}: ${describe(reads.at(-1)!)}`)
        await Promise.race([pause(betweenReadsMs), load.then(() => {})])
      }
      await load
      await pause(3000)
      const last = await read()
      const { made, sent, failed, dropped, queued } = last.spans
      const growth = (pick: (r: HeapReport) => number) => growthOf(reads.map(pick))
      const values = [
        growth((r) => r.heapUsed / mebibyte),
        growth((r) => r.external / mebibyte),
        growth((r) => r.livingSpans),
        Math.abs(made - sent - failed - dropped - queued),
      ]
      return {
        rounds: 1,
        figures: bench.figures.map((definition, i) => figure(definition, [values[i]!])),
        notes: [
          `${perSec} requests/s over the four routes of the agent's bench, ${warmUpMs / 1000} s before the first read, ${reads.length} reads in ${soakMs / 1000} s; growth = median of the last third minus median of the first`,
          `first read: ${describe(reads[0]!)}`,
          `last read: ${describe(reads.at(-1)!)}`,
          `spans: made ${made} = sent ${sent} + failed ${failed} + dropped ${dropped} + queued ${queued}`,
          `${hotspan.configuration}; ${pinningNote}`,
        ],
      }
    } finally {
      await app.stop()
    }
  } finally {
    await sink.stop()
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const describe = ({ heapUsed, external, rss, livingSpans }: HeapReport): string =>
  `heap ${(heapUsed / mebibyte).toFixed(1)} MiB, external ${(external / mebibyte).toFixed(1)} MiB, resident ${(rss / mebibyte).toFixed(0)} MiB, ${livingSpans} living spans`

function growthOf(values: readonly number[]): number {
  const third = Math.floor(values.length / 3)
  return median(values.slice(-third)) - median(values.slice(0, third))
}
