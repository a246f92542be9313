import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStore, type Store } from '../../collector/dist/index.js'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { cpuMsOf, residentMiB, startWorker, type Worker } from '../contract/processes.ts'
import { figure, median } from '../contract/spread.ts'
import { BodyMaker, type LoadBody } from '../store-load/bodies.ts'
import { Sender } from '../store-load/send.ts'
import { findStockCollector, startStockCollector } from '../store-load/stock-collector.ts'
import { numberOf, tableBytes, untilMerged, untilStored } from '../store-load/store-figures.ts'
import { exporterOrder } from './exporter-order.ts'

const figures = [
  { id: 'spans-per-cpu-second', unit: '/s', target: '>=60000' },
  { id: 'ratio-to-exporter', unit: 'ratio', target: '>=3' },
  { id: 'bytes-per-span', unit: 'By', target: '<=45' },
  { id: 'disk-ratio', unit: 'ratio', target: '<=0.85' },
  { id: 'engine-rss', unit: 'MiB', target: '' },
]

export const bench: Bench = {
  name: 'ingest',
  question:
    'spans per CPU second from OTLP to queryable, all processes; beside the Collector with its ClickHouse exporter into the same engine',
  packages: ['otlp', 'collector'],
  figures,
  run,
}

/** Sent before the clock starts, to both: a fresh process compiles its code for the first second. */
const warmUpSpans = 100_000

async function run(options: BenchOptions): Promise<BenchResult> {
  const rounds = options.rounds ?? (options.full ? 10 : 3)
  const spansPerTurn = options.full ? 1_000_000 : 400_000
  const path = findStockCollector()
  const ours: number[] = []
  const theirs: number[] = []
  const ratios: number[] = []
  const rss: number[] = []
  let disk = { perSpan: Number.NaN, ratio: Number.NaN, spans: 0 }
  for (let round = 0; round < rounds; round++) {
    const bodies = makeBodies(round, spansPerTurn)
    const turns = [
      async () => {
        const mine = await turn(bodies, null, options, async (store, spans) => {
          if (round === 0) disk = await diskFigures(store, spans, options)
        })
        ours.push(mine.perCpuSecond)
        rss.push(mine.engineMiB)
      },
      async () => {
        if (path !== null) theirs.push((await turn(bodies, path, options)).perCpuSecond)
      },
    ]
    for (const one of round % 2 === 0 ? turns : turns.reverse()) await one()
    if (path !== null) ratios.push(ours.at(-1)! / theirs.at(-1)!)
    options.progress(
      `round ${round + 1}: ${Math.round(ours.at(-1)!)} spans per CPU second, peer ${Math.round(theirs.at(-1) ?? Number.NaN)}`,
    )
  }
  return {
    rounds,
    figures: [
      figure(figures[0]!, ours),
      figure(figures[1]!, path === null ? [Number.NaN] : ratios),
      figure(figures[2]!, [disk.perSpan]),
      figure(figures[3]!, [disk.ratio]),
      figure(figures[4]!, rss),
    ],
    notes: [
      `${spansPerTurn.toLocaleString('en')} spans a turn in bodies of about 530, random ids, after ${warmUpSpans.toLocaleString('en')} that are not counted; a fresh store each turn; CPU of receiver and engine together, merges until then included`,
      path === null
        ? 'the OpenTelemetry Collector is missing (npm run tools builds it): no peer'
        : `peer: ${Math.round(median(theirs)).toLocaleString('en')} spans per CPU second; Collector otlp/http in, sending_queue batch of 5,000 to 10,000, ClickHouse exporter (create_schema: false, no compression, no async_insert) to our ClickHouse interface and the same table; CPU of the Collector, the interface and the engine`,
      `disk: ${disk.spans.toLocaleString('en')} spans, all columns and the lookup table, parts merged; ratio: the main table alone, over the same rows and columns in the exporter's order with its indexes`,
    ],
  }
}

function makeBodies(seed: number, spans: number): LoadBody[] {
  const maker = new BodyMaker(100 + seed)
  const toMs = Date.now()
  const bodies: LoadBody[] = []
  for (let made = 0; made < spans; ) {
    const share = made / spans
    const body = maker.next(toMs - 3_600_000 * (1 - share), toMs - 3_600_000 * (1 - share) + 5_000)
    bodies.push(body)
    made += body.spans
  }
  return bodies
}

async function turn(
  bodies: readonly LoadBody[],
  peer: string | null,
  options: BenchOptions,
  then?: (store: Store, spans: number) => Promise<void>,
): Promise<{ perCpuSecond: number; engineMiB: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-bench-ingest-'))
  const entry = fileURLToPath(new URL('../store-load/collector-process.ts', import.meta.url))
  let worker: Worker | undefined
  let stock: Awaited<ReturnType<typeof startStockCollector>> | undefined
  let sender: Sender | undefined
  try {
    worker = await startWorker([entry, folder, ...(peer === null ? [] : ['door'])])
    if (peer !== null) {
      stock = await startStockCollector(peer, {
        exporter: 'clickhouse',
        exporters: `  clickhouse:
    endpoint: "${String(worker.ready.clickHouseUrl)}?compress=none"
    compress: none
    async_insert: false
    database: hotspan_default
    create_schema: false
    sending_queue: { num_consumers: 2, queue_size: 5000000, sizer: items, block_on_overflow: true, batch: { min_size: 5000, max_size: 10000, flush_timeout: 500ms } }`,
      })
    }
    const pids = [
      worker.child.pid!,
      Number(worker.ready.enginePid),
      ...(stock === undefined ? [] : [stock.child.pid!]),
    ]
    const cpuMs = () => pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0)
    const store = await openStore({ dataDir: folder })
    sender = new Sender(stock?.url ?? String(worker.ready.otlpUrl))
    const send = async (all: readonly LoadBody[]) => {
      let at = 0
      await sender!.sendAll(() => all[at++] ?? null, { signal: options.signal })
      return all.reduce((sum, body) => sum + body.spans, 0)
    }
    const warmUp = await send(makeBodies(90, warmUpSpans))
    await untilStored(store, warmUp, options.signal)
    const before = cpuMs()
    const sent = await send(bodies)
    const spans = warmUp + sent
    await untilStored(store, spans, options.signal)
    const perCpuSecond = sent / ((cpuMs() - before) / 1000)
    const engineMiB = residentMiB(Number(worker.ready.enginePid))
    const count = await numberOf(store, 'SELECT toFloat64(count()) FROM otel_traces')
    if (count !== spans) throw new Error(`${count} rows of ${spans} spans`)
    await then?.(store, spans)
    await store.close()
    return { perCpuSecond, engineMiB }
  } finally {
    await sender?.close()
    await stock?.stop()
    await worker?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function diskFigures(store: Store, spans: number, options: BenchOptions) {
  // The engine's memory is capped: one thread and small blocks write the copy within it.
  const slow = {
    clickhouse_settings: {
      max_execution_time: 900,
      max_threads: 1,
      max_insert_threads: '1',
      max_block_size: '16384',
      min_insert_block_size_rows: '65536',
      min_insert_block_size_bytes: '33554432',
    },
  }
  for (const table of ['otel_traces', 'otel_traces_trace_id_ts'])
    await store.client.command({ query: `OPTIMIZE TABLE ${table} FINAL`, ...slow })
  await untilMerged(store, options.signal)
  const main = await tableBytes(store, 'otel_traces')
  const lookup = await tableBytes(store, 'otel_traces_trace_id_ts')
  for (const query of exporterOrder) await store.client.command({ query, ...slow })
  await untilMerged(store, options.signal)
  const theirs = await tableBytes(store, 'exporter_order')
  return { perSpan: (main + lookup) / spans, ratio: main / theirs, spans }
}
