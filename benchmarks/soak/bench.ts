import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  openStore,
  operations,
  repeatedSiblings,
  requestSeries,
  serviceGraph,
  statements,
} from '../../collector/dist/index.js'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { residentMiB, startWorker } from '../contract/processes.ts'
import { figure, median } from '../contract/spread.ts'
import { BodyMaker } from '../store-load/bodies.ts'
import { Sender } from '../store-load/send.ts'
import { untilStored } from '../store-load/store-figures.ts'

const figures = [
  { id: 'errors', unit: '', target: '<=0' },
  { id: 'ack-p99', unit: 'ms', target: '<=1000' },
  { id: 'rss-max', unit: 'MiB', target: '<=1536' },
  { id: 'rss-growth', unit: 'ratio', target: '<=1.15' },
  { id: 'spans-per-second', unit: '/s', target: '' },
  { id: 'queries', unit: '', target: '' },
]
const wantedPerSec = 10_000

export const bench: Bench = {
  name: 'soak',
  question: `${wantedPerSec.toLocaleString('en')} spans a second for half an hour (--full) or three minutes, with queries running`,
  packages: ['otlp', 'collector'],
  figures,
  run,
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const minutes = Number(process.env.HOTSPAN_BENCH_MINUTES) || (options.full ? 30 : 3)
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-bench-soak-'))
  const entry = fileURLToPath(new URL('../store-load/collector-process.ts', import.meta.url))
  const worker = await startWorker([entry, dataDir])
  const sender = new Sender(String(worker.ready.otlpUrl), 4)
  const store = await openStore({ dataDir })
  const pids = [worker.child.pid!, Number(worker.ready.enginePid)]
  const maker = new BodyMaker(3)
  const startedMs = Date.now()
  const endMs = startedMs + minutes * 60_000
  const over = () => Date.now() >= endMs || options.signal.aborted
  const resident: number[] = []
  let spans = 0
  let errors = 0
  let queries = 0
  try {
    const load = sender
      .sendAll(
        () => {
          if (over()) return null
          const body = maker.next(Date.now() - 1_000, Date.now())
          spans += body.spans
          return body
        },
        { latencies: true, paceMs: () => startedMs + (spans / wantedPerSec) * 1000 - Date.now() },
      )
      .catch((error: unknown) => {
        errors += 1
        options.progress(`load: ${error instanceof Error ? error.message : String(error)}`)
      })
    const ask = async () => {
      while (!over()) {
        const toMs = Date.now()
        const scope = { fromMs: toMs - 300_000, toMs }
        for (const question of [operations, statements, repeatedSiblings, serviceGraph, requestSeries]) {
          try {
            await question(store, scope)
            queries += 1
          } catch (error) {
            errors += 1
            options.progress(`query: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`)
          }
        }
        await pause(1_000)
      }
    }
    const watch = async () => {
      for (let second = 0; !over(); second++) {
        await pause(1_000)
        resident.push(pids.reduce((sum, pid) => sum + residentMiB(pid), 0))
        if (second % 60 === 59)
          options.progress(`minute ${(second + 1) / 60}: ${spans} spans, ${resident.at(-1)!.toFixed(0)} MiB`)
      }
    }
    await Promise.all([load, ask(), watch()])
    options.signal.throwIfAborted()
    const seconds = (Date.now() - startedMs) / 1000
    await untilStored(store, spans, AbortSignal.timeout(120_000))
    const sorted = sender.latenciesMs.sort((a, b) => a - b)
    const third = Math.floor(resident.length / 3)
    const growth = median(resident.slice(-third)) / median(resident.slice(third, 2 * third))
    return {
      rounds: 1,
      figures: [
        figure(figures[0]!, [errors]),
        figure(figures[1]!, [sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN]),
        figure(figures[2]!, [Math.max(...resident)]),
        figure(figures[3]!, [growth]),
        figure(figures[4]!, [spans / seconds]),
        figure(figures[5]!, [queries]),
      ],
      notes: [
        `${minutes} minutes${options.full ? '' : ' (--full: 30)'}; receiver and engine together; growth: median of the last third over that of the middle third`,
        `${sorted.length} acknowledgements, p50 ${sorted[Math.floor(sorted.length / 2)]?.toFixed(1)} ms, worst ${sorted.at(-1)?.toFixed(0)} ms; ${sender.refusals} answers of "come again"; sender, receiver, engine and queries share the machine`,
        'queries: operations, statements, repeated siblings, service graph and requests over time of the last five minutes, one after another, a second between rounds',
      ],
    }
  } finally {
    await sender.close()
    await store.close()
    await worker.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
