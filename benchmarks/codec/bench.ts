import { fileURLToPath } from 'node:url'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { decodeTraces, encodeTraces } from '../../otlp/dist/index.js'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { startWorker } from '../contract/processes.ts'
import { figure, median } from '../contract/spread.ts'
import { decodeWithProtobufjs } from './protobufjs-decoder.ts'
import { batchSpans, modelBatch, sdkBatch } from './sample-spans.ts'
import { hotspanPath, makeTrace, type SpanPath, stockPath } from './span-paths.ts'

const batchesPerTurn = 40
const tracesPerTurn = 4000
const spansPerTrace = 4

export const bench: Bench = {
  name: 'codec',
  question: 'CPU time per span, ours over OpenTelemetry JS (OTLP protobuf; same process, interleaved)',
  packages: ['otlp', 'agent'],
  figures: [
    { id: 'encode', unit: 'ratio', target: '<=1' },
    { id: 'decode', unit: 'ratio', target: '<=1' },
    { id: 'span-to-socket', unit: 'ratio', target: '<=0.5' },
    { id: 'bytes', unit: 'ratio', target: '<=1.02' },
  ],
  run,
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const rounds = options.rounds ?? (options.full ? 60 : 20)
  const sdkSpans = sdkBatch()
  const model = modelBatch()
  const theirs = ProtobufTraceSerializer.serializeRequest(sdkSpans)!
  const ours = encodeTraces(model)
  checkSame(theirs, ours)

  const repeat = (work: () => unknown) => async () => {
    for (let i = 0; i < batchesPerTurn; i++) work()
  }
  const encode = await pairs(
    options,
    rounds,
    repeat(() => encodeTraces(model)),
    repeat(() => ProtobufTraceSerializer.serializeRequest(sdkSpans)),
  )
  options.progress('encode done')
  const decode = await pairs(
    options,
    rounds,
    repeat(() => decodeTraces(theirs)),
    repeat(() => decodeWithProtobufjs(theirs)),
  )
  options.progress('decode done')

  const sink = await startWorker([fileURLToPath(new URL('span-sink.ts', import.meta.url))])
  const sinkUrl = String(sink.ready.url)
  const paths = { ours: hotspanPath(sinkUrl), stock: stockPath(sinkUrl) }
  let spanPath: Pairs
  try {
    spanPath = await pairs(options, rounds, fill(paths.ours), fill(paths.stock))
    await Promise.all([paths.ours.close(), paths.stock.close()])
    const received = ((await (await fetch(sinkUrl)).json()) as { spans: number }).spans
    const made = (2 * rounds + warmUps) * 2 * tracesPerTurn * spansPerTrace
    if (received !== made)
      throw new Error(`the sink received ${received} spans of ${made}: a lossy path is no measurement`)
  } finally {
    await sink.stop()
  }
  options.progress('span to socket done')

  const perBatch = (p: Pairs, side: 'ours' | 'peer') =>
    ((median(p[side]) / (batchesPerTurn * batchSpans)) * 1000).toFixed(2)
  const perSpan = (side: 'ours' | 'peer') =>
    ((median(spanPath[side]) / (tracesPerTurn * spansPerTrace)) * 1000).toFixed(2)
  const [encodeFigure, decodeFigure, pathFigure, bytesFigure] = bench.figures
  return {
    rounds,
    figures: [
      figure(encodeFigure!, encode.ratios),
      figure(decodeFigure!, decode.ratios),
      figure(pathFigure!, spanPath.ratios),
      figure(bytesFigure!, [ours.length / theirs.length]),
    ],
    notes: [
      `encode: ${perBatch(encode, 'ours')} against ${perBatch(encode, 'peer')} us per span, batch of ${batchSpans}; the reference codec of @hotspan/otlp against ProtobufTraceSerializer of otlp-transformer 0.301.1`,
      `decode: ${perBatch(decode, 'ours')} against ${perBatch(decode, 'peer')} us per span; against protobufjs 8.8.1 (otlp-transformer decodes no requests)`,
      `span to socket: ${perSpan('ours')} against ${perSpan('peer')} us per span, attributes set, ended, batched, encoded, posted to a sink in another process that decodes and counts: nothing was lost`,
      'peer: sdk-trace 3.1.1, BatchSpanProcessor (512, queue 65,536), OTLPTraceExporter protobuf 0.301.1; ours: agent core through @opentelemetry/api, defaults',
    ],
  }
}

/** Both must have written the same spans, or the comparison means nothing. */
function checkSame(theirs: Uint8Array, ours: Uint8Array): void {
  const show = (body: Uint8Array) =>
    JSON.stringify(decodeTraces(body), (_key, value) => (typeof value === 'bigint' ? String(value) : value))
  if (show(theirs) !== show(ours)) throw new Error('the two encoders wrote different spans')
}

function fill(path: SpanPath) {
  return async () => {
    for (let i = 0; i < tracesPerTurn; i++) {
      makeTrace(path.tracer, i)
      // As in a server, other work gets its turn; the exporters need it to send.
      if (i % 64 === 63) await new Promise((resolve) => setImmediate(resolve))
    }
    await path.drain()
  }
}

interface Pairs {
  readonly ratios: number[]
  /** CPU ms of a turn. */
  readonly ours: number[]
  readonly peer: number[]
}

const warmUps = 4

/** ABBA within every round, so that a drift of the machine hits both alike. One ratio per round. */
async function pairs(
  options: BenchOptions,
  rounds: number,
  ours: () => Promise<void>,
  peer: () => Promise<void>,
): Promise<Pairs> {
  for (let i = 0; i < warmUps; i++) {
    await ours()
    await peer()
  }
  const result: Pairs = { ratios: [], ours: [], peer: [] }
  for (let round = 0; round < rounds; round++) {
    options.signal.throwIfAborted()
    const [a1, b1, b2, a2] = [await cpuMs(ours), await cpuMs(peer), await cpuMs(peer), await cpuMs(ours)]
    result.ratios.push((a1 + a2) / (b1 + b2))
    result.ours.push(a1, a2)
    result.peer.push(b1, b2)
  }
  return result
}

/** CPU of the whole process: the garbage collector's threads count as well. */
async function cpuMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1000
}
