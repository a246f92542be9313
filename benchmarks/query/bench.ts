import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  openStore,
  repeatedSiblings,
  requestSeries,
  type Scope,
  type Store,
  statements,
  traceById,
} from '../../collector/dist/index.js'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { cpuMsOf, residentMiB, startWorker, type Worker } from '../contract/processes.ts'
import { figure, median } from '../contract/spread.ts'
import { BodyMaker } from '../store-load/bodies.ts'
import { Sender } from '../store-load/send.ts'
import {
  sealedBuckets,
  tableBytes,
  untilMerged,
  untilSealed,
  untilStored,
} from '../store-load/store-figures.ts'

const figures = [
  { id: 'trace-by-id-cpu-ms', unit: 'ms', target: '<=20' },
  { id: 'n-plus-one-cpu-ms', unit: 'ms', target: '<=400' },
  { id: 'statements-cpu-ms', unit: 'ms', target: '<=100' },
  { id: 'red-5-min-cpu-ms', unit: 'ms', target: '<=20' },
]
const rangeSpans = 2_000_000
const spansPerSec = 500
const bucketSec = 300

export const bench: Bench = {
  name: 'query',
  question: `CPU of the engine per query over a range of ${rangeSpans.toLocaleString('en')} spans, warm, parts merged, buckets sealed`,
  packages: ['otlp', 'collector'],
  figures,
  run,
}

interface Question {
  readonly name: string
  ask(store: Store, scope: Scope): Promise<readonly unknown[]>
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const asked = Number(process.env.HOTSPAN_BENCH_SPANS)
  const spans = asked > 0 ? asked : options.full ? 10_000_000 : 3_000_000
  const rounds = options.rounds ?? 15
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-bench-query-'))
  const entry = fileURLToPath(new URL('../store-load/collector-process.ts', import.meta.url))
  let worker: Worker | undefined
  try {
    worker = await startWorker([entry, folder])
    // Spans end a minute ago, at an even rate.
    const toMs = Math.floor(Date.now() / 60_000) * 60_000 - 60_000
    const fromMs = toMs - (spans / spansPerSec) * 1000
    const ids = await fill(String(worker.ready.otlpUrl), spans, fromMs, toMs, options)
    const store = await openStore({ dataDir: folder })
    await untilStored(store, spans, options.signal)
    options.progress('waiting for merges')
    await untilMerged(store, options.signal)
    const enginePid = Number(worker.ready.enginePid)
    const sealing = await sealingCost(store, spans, enginePid, options)
    await untilMerged(store, options.signal)
    const range = { fromMs: toMs - (Math.min(rangeSpans, spans) / spansPerSec) * 1000, toMs }
    const whole = { fromMs, toMs }
    let next = 0
    const questions: Question[] = [
      { name: 'trace by id', ask: (s) => traceById(s, ids[(next++ * 7919) % ids.length]!) },
      { name: 'n-plus-one', ask: (s, scope) => repeatedSiblings(s, scope) },
      { name: 'statements', ask: (s, scope) => statements(s, scope) },
      {
        name: 'red 5 min',
        ask: (s, scope) => requestSeries(s, { fromMs: scope.toMs - 300_000, toMs: scope.toMs }),
      },
    ]
    const inRange: number[][] = []
    const inWhole: string[] = []
    const unsealed: string[] = []
    // As on a server, where nothing is sealed.
    const withoutSeals: Store = { ...store, mode: 'server' }
    for (const question of questions) {
      const measured = await measure(question, store, range, enginePid, rounds, options)
      inRange.push(measured)
      const over = await measure(question, store, whole, enginePid, 3, options)
      inWhole.push(`${question.name} ${median(over).toFixed(0)}`)
      const raw = await measure(question, withoutSeals, range, enginePid, 3, options)
      unsealed.push(`${question.name} ${median(raw).toFixed(0)}`)
      options.progress(
        `${question.name}: ${median(measured).toFixed(1)} ms, whole table ${median(over).toFixed(1)} ms, without seals ${median(raw).toFixed(1)} ms`,
      )
    }
    await store.close()
    return {
      rounds,
      figures: figures.map((definition, i) => figure(definition, inRange[i]!)),
      notes: [
        `${spans.toLocaleString('en')} spans at ${spansPerSec}/s in the store; range: the last ${Math.min(rangeSpans, spans).toLocaleString('en')}${options.full ? '' : ' (--full: ten million spans)'}`,
        `the same over the whole table, ms: ${inWhole.join(', ')}`,
        `the same over the range read span by span, as the last minutes are and what no seal is known of, ms: ${unsealed.join(', ')}`,
        ...sealing,
        `CPU of the engine's process for one typed query of @hotspan/collector, its HTTP interface included; engine ${residentMiB(enginePid).toFixed(0)} MiB`,
      ],
    }
  } finally {
    await worker?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Waits for the seals of all buckets; what they cost. */
async function sealingCost(
  store: Store,
  spans: number,
  enginePid: number,
  options: BenchOptions,
): Promise<string[]> {
  const before = { cpuMs: cpuMsOf(enginePid), buckets: await sealedBuckets(store) }
  options.progress(`waiting for seals, ${before.buckets} buckets have one`)
  await untilSealed(store, options.signal)
  const buckets = (await sealedBuckets(store)) - before.buckets
  const cpuSec = (cpuMsOf(enginePid) - before.cpuMs) / 1000
  const bytes = async (table: string) => (await tableBytes(store, table)) / spans
  const sealBytes = await bytes('hotspan_sealed_buckets')
  const all = (await bytes('otel_traces')) + (await bytes('otel_traces_trace_id_ts')) + sealBytes
  return [
    `measured when all buckets of five minutes were sealed, which took ${(cpuSec / (buckets * bucketSec * spansPerSec * 1e-6)).toFixed(1)} s of the engine's CPU per million spans (over the ${buckets} buckets sealed after the last insert), in the background`,
    `disk: ${all.toFixed(1)} bytes a span, of which seals ${sealBytes.toFixed(2)}`,
  ]
}

/** Sends the spans and returns some of their trace ids. */
async function fill(
  url: string,
  spans: number,
  fromMs: number,
  toMs: number,
  options: BenchOptions,
): Promise<string[]> {
  const maker = new BodyMaker(77)
  const sender = new Sender(url, 4)
  const ids: string[] = []
  let made = 0
  try {
    await sender.sendAll(
      () => {
        if (made >= spans) return null
        const atMs = fromMs + (made / spans) * (toMs - fromMs)
        const body = maker.next(atMs, Math.min(atMs + 2_000, toMs))
        if (Math.floor((made + body.spans) / 500_000) > Math.floor(made / 500_000))
          options.progress(`${(made + body.spans).toLocaleString('en')} spans sent`)
        made += body.spans
        if (made % 7 === 0) ids.push(body.traceId)
        return body
      },
      { signal: options.signal },
    )
  } finally {
    await sender.close()
  }
  return ids
}

async function measure(
  question: Question,
  store: Store,
  scope: Scope,
  enginePid: number,
  rounds: number,
  options: BenchOptions,
): Promise<number[]> {
  const used: number[] = []
  for (let round = -2; round < rounds; round++) {
    options.signal.throwIfAborted()
    const before = cpuMsOf(enginePid)
    const rows = await question.ask(store, scope)
    if (rows.length === 0) throw new Error(`${question.name} found nothing`)
    if (round >= 0) used.push(cpuMsOf(enginePid) - before)
  }
  return used
}
