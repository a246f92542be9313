import type { RequestAccount } from '../accounting/account.ts'
import type { HeldTrace } from '../sampling/local-tail.ts'
import type { ClockAnchor } from './clock.ts'

/**
 * 32 random bits, signed: V8 keeps such a number in the object itself, an unsigned one on the heap. `Math.random` as in the
 * stock SDK: ids need to be distinct, not secret.
 */
export const randomBits = (): number => (Math.random() * 4294967296) | 0

const HEX: string[] = []
for (let i = 0; i < 256; i++) HEX.push(i.toString(16).padStart(2, '0'))

/** Eight lower-case hex digits of a 32-bit number. */
export const hex32 = (value: number): string =>
  HEX[value >>> 24]! + HEX[(value >>> 16) & 255]! + HEX[(value >>> 8) & 255]! + HEX[value & 255]!

/** What the spans of one trace share in this process. Ids are 32-bit numbers; text is made when somebody asks. */
export class Trace {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
  readonly sampled: boolean
  /** Trace flags as they travel: bit 0 sampled. */
  flags: number
  /** `tracestate` that children and outgoing requests get; the sampling threshold is in it. */
  traceState: string
  readonly anchor: ClockAnchor
  /** Incoming `baggage` header, passed on unchanged unless the app sets baggage of its own. */
  baggage = ''
  /** The caller wants this trace whatever a sampler says (B3, Jaeger); passed on. */
  debug = false
  /** Span id of the first span of this process, two halves; 0, 0 until there is one. */
  rootHigh = 0
  rootLow = 0
  /** What the request of this trace used here; null when nobody counts. */
  account: RequestAccount | null = null
  /** Its spans wait here until the first of them ends; null when they are sent as they end. */
  tail: HeldTrace | null = null
  private hex = ''

  constructor(
    a: number,
    b: number,
    c: number,
    d: number,
    sampled: boolean,
    flags: number,
    traceState: string,
    anchor: ClockAnchor,
  ) {
    this.a = a | 0
    this.b = b | 0
    this.c = c | 0
    this.d = d | 0
    this.sampled = sampled
    this.flags = flags
    this.traceState = traceState
    this.anchor = anchor
  }

  get traceId(): string {
    if (this.hex === '') this.hex = hex32(this.a) + hex32(this.b) + hex32(this.c) + hex32(this.d)
    return this.hex
  }
}
