import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { spanRowsFromObjects } from '../../collector/dist/transcode/spans-from-objects.js'
import { decodeTraces } from '../../otlp/dist/index.js'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import {
  cpuMsOf,
  pinningNote,
  pinSelf,
  residentMiB,
  startWorker,
  type Worker,
} from '../contract/processes.ts'
import { figure, median } from '../contract/spread.ts'
import { BodyMaker, type LoadBody } from '../store-load/bodies.ts'
import { Sender } from '../store-load/send.ts'
import { findStockCollector, startStockCollector } from '../store-load/stock-collector.ts'

const distinctBodies = 64
const sendsPerTurn = 1200
const warmUpSends = 600

const figures = [
  { id: 'identity', unit: 'ratio', target: '>=1.7' },
  { id: 'gzip', unit: 'ratio', target: '>=1.2' },
  { id: 'spans-per-cpu-second-identity', unit: '/s', target: '' },
  { id: 'spans-per-cpu-second-gzip', unit: '/s', target: '' },
  { id: 'rss', unit: 'MiB', target: '' },
]

export const bench: Bench = {
  name: 'receive',
  question:
    'spans received per second of server CPU, ours (transcoded to rows) over the OpenTelemetry Collector (otlp to debug basic)',
  packages: ['otlp', 'collector'],
  figures,
  run,
}

interface Contender {
  readonly name: 'ours' | 'peer'
  readonly pid: number
  readonly sender: Sender
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const path = findStockCollector()
  if (path === null) throw new Error('the OpenTelemetry Collector is missing: npm run tools builds it')
  const rounds = options.rounds ?? (options.full ? 30 : 10)
  const maker = new BodyMaker(1)
  const nowMs = Date.now()
  const plain = Array.from({ length: distinctBodies }, () => maker.next(nowMs - 60_000, nowMs))
  const zipped = plain.map((body) => ({ ...body, bytes: gzipSync(body.bytes) }))
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-bench-receive-'))
  const entry = fileURLToPath(new URL('receiver-process.ts', import.meta.url))
  await checkRows(entry, folder, plain)
  options.progress('the rows of every body are those of the object route')
  pinSelf(1)
  const ours = await startWorker([entry, folder, 'count'], { core: 0 })
  const peer = await startStockCollector(path, {
    exporters: '  debug:\n    verbosity: basic',
    exporter: 'debug',
    core: 0,
  })
  const contenders: Contender[] = [
    { name: 'ours', pid: ours.child.pid!, sender: new Sender(String(ours.ready.url)) },
    { name: 'peer', pid: peer.child.pid!, sender: new Sender(peer.url) },
  ]
  const rates = {
    identity: { ours: [] as number[], peer: [] as number[] },
    gzip: { ours: [] as number[], peer: [] as number[] },
  }
  const ratios = { identity: [] as number[], gzip: [] as number[] }
  let expectedRows = 0
  let rss = 0
  try {
    for (let round = -1; round < rounds; round++) {
      options.signal.throwIfAborted()
      for (const encoding of ['identity', 'gzip'] as const) {
        const bodies = encoding === 'gzip' ? zipped : plain
        const turn: Record<string, number> = {}
        // ABBA: a drift of the machine hits both alike.
        for (const who of [0, 1, 1, 0]) {
          const contender = contenders[round % 2 === 0 ? who : 1 - who]!
          const sends = round < 0 ? warmUpSends : sendsPerTurn / 2
          const { spans, cpuMs } = await send(contender, bodies, sends, encoding === 'gzip', options.signal)
          if (contender.name === 'ours') expectedRows += spans
          turn[`${contender.name}Spans`] = (turn[`${contender.name}Spans`] ?? 0) + spans
          turn[`${contender.name}Ms`] = (turn[`${contender.name}Ms`] ?? 0) + cpuMs
        }
        if (round < 0) continue
        const rate = (name: string) => turn[`${name}Spans`]! / (turn[`${name}Ms`]! / 1000)
        rates[encoding].ours.push(rate('ours'))
        rates[encoding].peer.push(rate('peer'))
        ratios[encoding].push(rate('ours') / rate('peer'))
      }
      options.progress(
        `round ${round + 1} of ${rounds}: identity ${ratios.identity.at(-1)?.toFixed(2) ?? 'warm-up'}, gzip ${ratios.gzip.at(-1)?.toFixed(2) ?? ''}`,
      )
    }
    rss = residentMiB(ours.child.pid!)
    const counted = (await (await fetch(String(ours.ready.side))).json()) as { rows: number }
    if (counted.rows !== expectedRows)
      throw new Error(`${counted.rows} rows came out of ${expectedRows} spans`)
    const peerRss = residentMiB(peer.child.pid!)
    const spans = plain.reduce((sum, body) => sum + body.spans, 0)
    const bytes = plain.reduce((sum, body) => sum + body.bytes.length, 0)
    const perCpuSecond = (values: readonly number[]) => `${Math.round(median(values) / 1000)}k`
    return {
      rounds,
      figures: [
        figure(figures[0]!, ratios.identity),
        figure(figures[1]!, ratios.gzip),
        figure(figures[2]!, rates.identity.ours),
        figure(figures[3]!, rates.gzip.ours),
        figure(figures[4]!, [rss]),
      ],
      notes: [
        `peer: ${perCpuSecond(rates.identity.peer)} and ${perCpuSecond(rates.gzip.peer)} spans per CPU second, ${peerRss.toFixed(0)} MiB; otlp/http in, debug exporter (basic) out, its own metrics off`,
        `${distinctBodies} bodies of ${Math.round(spans / distinctBodies)} spans, ${Math.round(bytes / spans)} B a span, gzip ${(zipped.reduce((sum, body) => sum + body.bytes.length, 0) / bytes).toFixed(2)}; 8 connections; CPU of the server's threads from the kernel`,
        'ours: the whole intake (access, limits, body hash, transcode to rows), with a counter for the journal; the rows were compared with the object route by SHA-256 before, and counted after',
        pinningNote,
      ],
    }
  } finally {
    for (const { sender } of contenders) await sender.close()
    await ours.stop()
    await peer.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function send(
  contender: Contender,
  bodies: readonly LoadBody[],
  sends: number,
  gzip: boolean,
  signal: AbortSignal,
): Promise<{ spans: number; cpuMs: number }> {
  let sent = 0
  let spans = 0
  const before = cpuMsOf(contender.pid)
  await contender.sender.sendAll(
    () => {
      if (sent === sends) return null
      const body = bodies[sent++ % bodies.length]!
      spans += body.spans
      return body
    },
    { gzip, signal },
  )
  return { spans, cpuMs: cpuMsOf(contender.pid) - before }
}

/** What the hot route writes must be what the object route writes, or its speed means nothing. */
async function checkRows(entry: string, folder: string, bodies: readonly LoadBody[]): Promise<void> {
  const expected = Buffer.alloc(32)
  for (const { bytes } of bodies) {
    const hash = createHash('sha256')
      .update(spanRowsFromObjects(decodeTraces(bytes)).payload)
      .digest()
    for (let i = 0; i < 32; i++) expected[i] = expected[i]! ^ hash[i]!
  }
  const worker: Worker = await startWorker([entry, folder, 'check'])
  const sender = new Sender(String(worker.ready.url))
  try {
    let at = 0
    await sender.sendAll(() => bodies[at++] ?? null)
    const answer = (await (await fetch(String(worker.ready.side))).json()) as { hash: string }
    if (answer.hash !== expected.toString('hex'))
      throw new Error('the transcoder wrote other rows than the object route')
  } finally {
    await sender.close()
    await worker.stop()
  }
}
