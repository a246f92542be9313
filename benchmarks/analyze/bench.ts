import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStore } from '../../collector/dist/index.js'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { startWorker, type Worker } from '../contract/processes.ts'
import { figure } from '../contract/spread.ts'
import { bodies } from './traffic.ts'

const spans = Number(process.env.HOTSPAN_BENCH_SPANS ?? 1_000_000)
const windowMs = 3_600_000

const figures = [
  { id: 'seconds-per-million-spans', unit: 's', target: '' },
  { id: 'peak-rss-mb', unit: 'MiB', target: '' },
  { id: 'engine-peak-rss-mb', unit: 'MiB', target: '' },
]

export const bench: Bench = {
  name: 'analyze',
  question: `time and memory of one analysis of ${spans.toLocaleString('en')} stored spans, an hour of a shop's traffic`,
  packages: ['otlp', 'collector', 'loadtests', 'analyzers'],
  figures,
  run,
}

interface Round {
  readonly tookMs: number
  readonly peakMiB: number
  readonly engineMiB: number
  readonly spans: number
  readonly findings: readonly string[]
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-bench-analyze-'))
  let collector: Worker | undefined
  try {
    collector = await startWorker([path('../savings/collector-process.ts'), dataDir])
    const toMs = Math.floor(Date.now() / windowMs) * windowMs
    const scope = { fromMs: toMs - windowMs, toMs }
    await fill(String(collector.ready.otlpUrl), dataDir, scope.fromMs, options)
    const rounds: Round[] = []
    for (let round = 0; round < (options.rounds ?? 5); round++) {
      options.signal.throwIfAborted()
      rounds.push(await analysis(collector, dataDir, scope))
      options.progress(`round ${round + 1}: ${(rounds[round]!.tookMs / 1000).toFixed(1)} s`)
    }
    const last = rounds.at(-1)!
    return {
      rounds: rounds.length,
      figures: [
        figure(
          figures[0]!,
          rounds.map((round) => (round.tookMs / 1000 / round.spans) * 1e6),
        ),
        figure(
          figures[1]!,
          rounds.map((round) => round.peakMiB),
        ),
        figure(
          figures[2]!,
          rounds.map((round) => round.engineMiB),
        ),
      ],
      notes: [
        `${last.spans.toLocaleString('en')} spans of 12 routes and 4 processes, made from a seed and sent through the receiver`,
        'peak-rss-mb is the process that analyses, fresh each round; the engine stays, with its caches warm from the second round on',
        `findings: ${[...last.findings].sort().join(', ')}`,
      ],
    }
  } finally {
    await collector?.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** Sends the spans, and waits until all of them can be queried. */
async function fill(otlpUrl: string, dataDir: string, fromMs: number, options: BenchOptions): Promise<void> {
  let sent = 0
  for (const { body, spans: count } of bodies(spans, fromMs, windowMs)) {
    options.signal.throwIfAborted()
    await post(otlpUrl, body, options.signal)
    const before = sent
    sent += count
    if (Math.floor(sent / 250_000) > Math.floor(before / 250_000)) options.progress(`${sent} spans sent`)
  }
  const store = await openStore({ dataDir })
  try {
    for (;;) {
      options.signal.throwIfAborted()
      const answer = await store.client.query({
        query: 'SELECT toFloat64(count()) AS n FROM otel_traces',
        format: 'JSONEachRow',
      })
      const [row] = await answer.json<{ n: number }>()
      if (row !== undefined && row.n >= sent) return
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  } finally {
    await store.close()
  }
}

/** A full journal answers 429 or 503: a sender waits and sends again. */
async function post(otlpUrl: string, body: Uint8Array, signal: AbortSignal): Promise<void> {
  for (;;) {
    const response = await fetch(`${otlpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: body as Uint8Array<ArrayBuffer>,
      signal,
    })
    const text = await response.text()
    if (response.ok) return
    if (response.status !== 429 && response.status !== 503)
      throw new Error(`the receiver answered ${response.status}: ${text}`)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

async function analysis(
  collector: Worker,
  dataDir: string,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<Round> {
  const engines = childrenOf(collector.child.pid!)
  for (const pid of engines) forgetPeak(pid)
  const worker = await startWorker([path('analyze-process.ts'), dataDir, String(fromMs), String(toMs)])
  await worker.stop()
  const result = worker.ready as unknown as Omit<Round, 'engineMiB'>
  return { ...result, engineMiB: engines.reduce((sum, pid) => sum + peakMiB(pid), 0) }
}

/** The engine is a child process of the collector (Linux). */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => statusOf(candidate, 'PPid') === pid)
}

const peakMiB = (pid: number): number => statusOf(pid, 'VmHWM') / 1024

/** The peak starts over. */
const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')

function statusOf(pid: number, field: string): number {
  try {
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    // It ended between the two reads.
    return Number.NaN
  }
}
