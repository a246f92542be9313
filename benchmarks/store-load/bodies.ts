import { Random } from './random.ts'
import { makeTemplate, type Template } from './template.ts'

export interface LoadBody {
  readonly bytes: Buffer
  readonly spans: number
  /** Of one of its traces, hex. */
  readonly traceId: string
}

const templates = 16
const tracesPerBody = 32

/** Endless bodies of about 530 spans, each with ids, times, durations and numbers of its own; the seed decides all of them. */
export class BodyMaker {
  private readonly random: Random
  private readonly templates: Template[]
  private made = 0

  constructor(seed: number) {
    this.random = new Random(seed)
    this.templates = Array.from({ length: templates }, (_, i) => makeTemplate(1000 + i, tracesPerBody))
  }

  /** A body whose traces start within [fromMs, toMs). */
  next(fromMs: number, toMs: number): LoadBody {
    const { random } = this
    const template = this.templates[this.made++ % templates]!
    const bytes = Buffer.from(template.bytes)
    const words = (count: number) => Uint32Array.from({ length: count }, () => random.next())
    const traceWords = words(template.traces * 4)
    const spanWords = words(template.spans * 2)
    for (const [at, n] of template.slots.traceIds)
      for (let i = 0; i < 4; i++) bytes.writeUInt32LE(traceWords[n * 4 + i]!, at + i * 4)
    for (const [at, n] of template.slots.spanIds)
      for (let i = 0; i < 2; i++) bytes.writeUInt32LE(spanWords[n * 2 + i]!, at + i * 4)
    const startsMs = Array.from({ length: template.traces }, () => fromMs + random.share() * (toMs - fromMs))
    for (const [startAt, endAt, trace, n] of template.slots.times) {
      const startMs = Math.floor(startsMs[trace]!)
      const restNs = Math.round(
        (startsMs[trace]! - startMs) * 1e6 + template.offsetsNs[n]! + random.below(100_000),
      )
      const start = BigInt(startMs) * 1_000_000n + BigInt(restNs)
      bytes.writeBigUInt64LE(start, startAt)
      bytes.writeBigUInt64LE(start + BigInt(random.duration(template.mediansNs[n]!)), endAt)
    }
    for (const at of template.slots.digits)
      bytes.write(String(10_000_000 + random.below(89_999_999)), at, 'latin1')
    const [at] = template.slots.traceIds[0]!
    return { bytes, spans: template.spans, traceId: bytes.toString('hex', at, at + 16) }
  }
}
