import type { Baggage } from '@opentelemetry/api'

/** Headers that came in; names are asked in lower case. */
export interface IncomingHeaders {
  get(name: string): string | undefined
  names(): Iterable<string>
}

/** Headers that go out. */
export interface OutgoingHeaders {
  /** True when the app or another instrumentation has written it: it stays. */
  has(name: string): boolean
  set(name: string, value: string): void
}

/** Parent in another process. Ids are 32-bit numbers. */
export interface RemoteIds {
  /** 32 bits each, signed. */
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
  readonly high: number
  readonly low: number
  /** Undefined when the sender leaves the decision to the receiver. */
  readonly sampled: boolean | undefined
  /** W3C flags beyond `sampled`. */
  readonly random: boolean
  /** The sender wants the trace whatever a sampler says, and so should who comes next (B3, Jaeger). */
  readonly debug: boolean
  readonly traceState: string
}

/** Span whose children the receiver's spans become. */
export interface OutgoingIds {
  readonly traceId: string
  readonly spanId: string
  readonly flags: number
  readonly debug: boolean
  readonly traceState: string
}

/** One way to write a span's identity into headers. */
export interface TraceFormat {
  /** Every header it may write; the first is always among them. */
  readonly fields: readonly [string, ...string[]]
  /** `'denied'`: no ids, but the sender does not want a trace. Undefined: nothing, or nothing valid. */
  read(headers: IncomingHeaders): RemoteIds | 'denied' | undefined
  write(ids: OutgoingIds, headers: OutgoingHeaders): void
}

/** One way to write baggage into headers. */
export interface BaggageFormat {
  readonly fields: readonly string[]
  /** As text of the W3C `baggage` header; empty for none. */
  read(headers: IncomingHeaders): string
  write(baggage: Baggage, headers: OutgoingHeaders): void
}

const HEX = /^[0-9a-f]+$/i
const word = (hex: string, at: number): number => Number.parseInt(hex.slice(at, at + 8), 16) | 0

/** From hex digits, zeros on the left may be missing. Undefined for other digits, too many of them, or ids of zeros. */
export function remoteIds(
  traceId: string,
  spanId: string,
  sampled: boolean | undefined,
  debug = false,
): RemoteIds | undefined {
  if (traceId.length > 32 || spanId.length > 16 || !HEX.test(traceId) || !HEX.test(spanId)) return undefined
  const trace = traceId.padStart(32, '0')
  const span = spanId.padStart(16, '0')
  const [a, b, c, d] = [word(trace, 0), word(trace, 8), word(trace, 16), word(trace, 24)]
  const [high, low] = [word(span, 0), word(span, 8)]
  if ((a | b | c | d) === 0 || (high | low) === 0) return undefined
  return { a, b, c, d, high, low, sampled, random: false, debug, traceState: '' }
}
