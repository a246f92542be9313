/**
 * Consistent probability sampling (OpenTelemetry tracestate handling, `ot=th`): keep when R >= T, where R is the low 56 bits
 * of the trace id or `ot=rv:`, and T = (1 - p) * 2^56. Numbers are split at bit 32: `high` has 24 bits, `low` 32.
 */
export interface RootSampler {
  /** Threshold of new traces; `never` keeps none. */
  readonly high: number
  readonly low: number
  readonly never: boolean
  /** `ot=th:...` of new traces. */
  readonly traceState: string
  /** Follow the parent's flag when there is a parent. */
  readonly parentBased: boolean
}

const TWO_24 = 16777216
const TWO_32 = 4294967296

/** Sampler that keeps the share `ratio` (0 to 1) of new traces. */
export function ratioSampler(ratio: number, parentBased: boolean): RootSampler {
  if (!(ratio > 0)) return { high: TWO_24, low: 0, never: true, traceState: '', parentBased }
  const share = (1 - Math.min(1, ratio)) * TWO_24
  const high = Math.floor(share)
  const low = Math.floor((share - high) * TWO_32)
  const hex = (high.toString(16).padStart(6, '0') + low.toString(16).padStart(8, '0')).replace(/0+$/, '')
  return { high, low, never: false, traceState: `ot=th:${hex === '' ? '0' : hex}`, parentBased }
}

/** Share of new traces that a sampler keeps, 0 to 1. */
export const ratioOf = ({ high, low, never }: RootSampler): number =>
  never ? 0 : 1 - (high + low / TWO_32) / TWO_24

/** Whether the trace with these two low words (bits 32 to 63, 0 to 31) is kept. */
export function keeps(sampler: RootSampler, c: number, d: number): boolean {
  if (sampler.never) return false
  const randomHigh = c & 0xffffff
  return randomHigh > sampler.high || (randomHigh === sampler.high && d >>> 0 >= sampler.low)
}

const member = /(?:^|,)\s*ot=([^,]*)/

/**
 * `tracestate` of a remote parent, with the threshold erased when the sampled flag contradicts it (OpenTelemetry: an
 * inconsistent `th` means that the probability is unknown, and unknown is never 1).
 */
export function consistentTraceState(traceState: string, sampled: boolean, c: number, d: number): string {
  // A threshold of 0 keeps everything: what our own roots write, and by far the most frequent.
  if (sampled && traceState === 'ot=th:0') return traceState
  const found = member.exec(traceState)
  if (found === null) return traceState
  const fields = found[1]!.split(';')
  const threshold = fields.find((field) => field.startsWith('th:'))?.slice(3)
  if (threshold === undefined) return traceState
  const random = fields.find((field) => field.startsWith('rv:'))?.slice(3)
  if (/^[0-9a-f]{1,14}$/.test(threshold)) {
    const t = threshold.padEnd(14, '0')
    const r = random !== undefined && /^[0-9a-f]{14}$/.test(random) ? random : lowDigits(c, d)
    if (r >= t === sampled) return traceState
  }
  const rest = fields.filter((field) => !field.startsWith('th:')).join(';')
  const others = traceState.replace(member, '').replace(/^,/, '')
  return rest === '' ? others : others === '' ? `ot=${rest}` : `ot=${rest},${others}`
}

const lowDigits = (c: number, d: number): string =>
  (c & 0xffffff).toString(16).padStart(6, '0') + (d >>> 0).toString(16).padStart(8, '0')
