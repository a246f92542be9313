import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { liveOwner, openStore } from '../../collector/dist/index.js'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { startWorker, type Worker } from '../contract/processes.ts'
import { figure } from '../contract/spread.ts'
import { BodyMaker, type LoadBody } from '../store-load/bodies.ts'
import { Random } from '../store-load/random.ts'

const figures = [
  { id: 'lost', unit: '', target: '<=0' },
  { id: 'duplicates', unit: '', target: '<=0' },
  { id: 'failed-opens', unit: '', target: '<=0' },
  { id: 'kills', unit: '', target: '' },
  { id: 'acknowledged-spans', unit: '', target: '' },
]
const leastSpans = 1_000
const senders = 6

export const bench: Bench = {
  name: 'store-kill',
  question:
    'SIGKILL of receiver, engine or both at random moments under load, and a full disk: acknowledged spans lost, spans stored twice, stores that did not open',
  packages: ['otlp', 'collector'],
  figures,
  run,
}

interface Tally {
  readonly acknowledged: Map<string, LoadBody>
  spans: number
  kills: number
  failedOpens: number
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const kills = options.rounds ?? 100
  const killed = await killing(kills, options)
  const full = await fullDisk(options)
  return {
    rounds: kills,
    figures: [
      figure(figures[0]!, [killed.lost + (full?.lost ?? 0)]),
      figure(figures[1]!, [killed.duplicates + (full?.duplicates ?? 0)]),
      figure(figures[2]!, [killed.failedOpens + (full?.failedOpens ?? 0)]),
      figure(figures[3]!, [killed.kills]),
      figure(figures[4]!, [killed.spans + (full?.spans ?? 0)]),
    ],
    notes: [
      `each kill follows at least ${leastSpans} acknowledged spans of the same run of the process, then a random wait up to 300 ms; receiver, engine, both in turn; senders send again what had no answer`,
      full === null
        ? 'full disk: not tried, it needs Linux, root and tmpfs'
        : `full disk (tmpfs of 160 MiB filled under load, then freed): ${full.spans} spans acknowledged, ${full.refused} bodies refused meanwhile`,
      'lost: acknowledged spans that cannot be queried; duplicates: rows of otel_traces beyond one for each span, before any merge',
    ],
  }
}

const entry = fileURLToPath(new URL('../store-load/collector-process.ts', import.meta.url))

async function killing(kills: number, options: BenchOptions) {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-bench-kill-'))
  const maker = new BodyMaker(5)
  const random = new Random(6)
  const tally: Tally = { acknowledged: new Map(), spans: 0, kills: 0, failedOpens: 0 }
  let carried: LoadBody[] = []
  try {
    for (let round = 0; round < kills; round++) {
      options.signal.throwIfAborted()
      const collector = await opened(dataDir, tally)
      if (collector === null) continue
      carried = await killUnderLoad(collector, dataDir, round % 3, carried, maker, random, tally)
      if ((round + 1) % 10 === 0) options.progress(`${round + 1} kills, ${tally.spans} spans acknowledged`)
    }
    const last = await opened(dataDir, tally)
    if (last !== null) {
      for (const body of carried) await post(String(last.ready.otlpUrl), body, tally)
      await last.stop()
    }
    return { ...(await counted(dataDir, tally)), ...tally }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** null when it did not come up, or came up with the store moved aside: the same to who wants the spans. */
async function opened(dataDir: string, tally: Tally): Promise<Worker | null> {
  try {
    const worker = await startWorker([entry, dataDir])
    const status = (await (await fetch(`${String(worker.ready.pageUrl)}/api/v1/status`)).json()) as {
      quarantinedTo: unknown
    }
    if (status.quarantinedTo !== null) tally.failedOpens += 1
    return worker
  } catch {
    tally.failedOpens += 1
    return null
  }
}

async function killUnderLoad(
  collector: Worker,
  dataDir: string,
  what: number,
  carried: LoadBody[],
  maker: BodyMaker,
  random: Random,
  tally: Tally,
): Promise<LoadBody[]> {
  const url = String(collector.ready.otlpUrl)
  const waiting = [...carried]
  const unanswered: LoadBody[] = []
  const before = tally.spans
  let ended = false
  let armed = false
  const gone = new Promise<void>((resolve) => collector.child.once('close', () => resolve()))
  const kill = async () => {
    armed = true
    await new Promise((resolve) => setTimeout(resolve, random.below(300)))
    const engine = liveOwner(dataDir)?.enginePid ?? 0
    tally.kills += 1
    if (what !== 0 && engine > 0) process.kill(engine, 'SIGKILL')
    // An engine that died alone is started again: sending goes on for a while, then the receiver is killed as well.
    if (what === 1) await new Promise((resolve) => setTimeout(resolve, 200 + random.below(600)))
    collector.child.kill('SIGKILL')
    ended = true
  }
  const sending = Array.from({ length: senders }, async () => {
    while (!ended) {
      const body = waiting.shift() ?? maker.next(Date.now() - 1_000, Date.now())
      if (!(await post(url, body, tally))) unanswered.push(body)
      if (!armed && tally.spans - before >= leastSpans) void kill()
    }
  })
  await Promise.all(sending)
  await gone
  return [...unanswered, ...waiting]
}

async function post(url: string, body: LoadBody, tally: Tally): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(body.bytes),
      signal: AbortSignal.timeout(30_000),
    })
    await answer.arrayBuffer()
    if (answer.status !== 200) return false
    tally.acknowledged.set(body.traceId, body)
    tally.spans += body.spans
    return true
  } catch {
    return false
  }
}

/** Every acknowledged body has ids of its own; its spans are counted by the ids that were sent. */
async function counted(dataDir: string, tally: Tally): Promise<{ lost: number; duplicates: number }> {
  const store = await openStore({ dataDir, onEvent: () => undefined })
  try {
    const answer = await store.client.query({
      query: 'SELECT toFloat64(count()) AS n, toFloat64(uniqExact(TraceId, SpanId)) AS ids FROM otel_traces',
      format: 'JSONEachRow',
    })
    const { n, ids } = (await answer.json<{ n: number; ids: number }>())[0]!
    const firsts = await store.client.query({
      query:
        'SELECT toFloat64(uniqExact(TraceId)) AS n FROM otel_traces WHERE TraceId IN {ids:Array(String)}',
      query_params: { ids: [...tally.acknowledged.keys()] },
      format: 'JSONEachRow',
    })
    const found = (await firsts.json<{ n: number }>())[0]!.n
    // A body is one frame: whole or not at all. Spans of unacknowledged bodies may be there as well.
    const missingBodies = tally.acknowledged.size - found
    return { lost: Math.max(missingBodies * 500, tally.spans - ids, 0), duplicates: n - ids }
  } finally {
    await store.close()
  }
}

async function fullDisk(options: BenchOptions) {
  const path = mkdtempSync(join(tmpdir(), 'hotspan-bench-disk-'))
  const canMount =
    process.platform === 'linux' &&
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=160m', 'hotspan', path]).status === 0
  try {
    if (!canMount) return null
    const dataDir = join(path, 'data')
    const tally: Tally = { acknowledged: new Map(), spans: 0, kills: 0, failedOpens: 0 }
    const maker = new BodyMaker(9)
    const collector = await opened(dataDir, tally)
    if (collector === null) return { lost: 0, duplicates: 0, refused: 0, ...tally }
    const url = String(collector.ready.otlpUrl)
    for (let i = 0; i < 20; i++) await post(url, maker.next(Date.now() - 1_000, Date.now()), tally)
    const ballast = join(path, 'ballast')
    fillUp(ballast)
    const refused: LoadBody[] = []
    for (let i = 0; i < 1_000 && refused.length < 10; i++) {
      const body = maker.next(Date.now() - 1_000, Date.now())
      if (!(await post(url, body, tally))) refused.push(body)
    }
    // Killed on the full disk, opened again when there is room.
    const gone = new Promise<void>((resolve) => collector.child.once('close', () => resolve()))
    process.kill(liveOwner(dataDir)?.enginePid ?? collector.child.pid!, 'SIGKILL')
    collector.child.kill('SIGKILL')
    await gone
    rmSync(ballast)
    const again = await opened(dataDir, tally)
    if (again !== null) {
      for (const body of refused) await post(String(again.ready.otlpUrl), body, tally)
      await again.stop()
    }
    options.progress(`full disk: ${tally.spans} spans acknowledged`)
    return { ...(await counted(dataDir, tally)), refused: refused.length, ...tally }
  } finally {
    if (canMount) spawnSync('umount', ['-l', path])
    rmSync(path, { recursive: true, force: true })
  }
}

function fillUp(path: string): void {
  const file = openSync(path, 'w')
  for (let bytes = 1 << 20; bytes >= 4096; ) {
    try {
      writeSync(file, Buffer.alloc(bytes))
    } catch {
      bytes >>= 1
    }
  }
  closeSync(file)
}
