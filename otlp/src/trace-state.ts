/**
 * W3C `tracestate`, and OpenTelemetry's member `ot` in it: `th` (rejection threshold) and `rv` (explicit randomness).
 * https://opentelemetry.io/docs/specs/otel/trace/tracestate-handling/ and .../tracestate-probability-sampling/
 */
export interface TraceStateMember {
  readonly key: string
  readonly value: string
}

/** Members a `tracestate` may have at most. */
export const MAX_TRACE_STATE_MEMBERS = 32

const keyPattern = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/
const valuePattern = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

/**
 * Members in their order. A header that breaks the rules (bad key or value, a key twice, more than 32 members) gives none:
 * the recommendation asks to drop it whole.
 */
export function parseTraceState(header: string): TraceStateMember[] {
  const members: TraceStateMember[] = []
  const seen = new Set<string>()
  for (const part of header.split(',')) {
    const member = part.replace(/^[ \t]+|[ \t]+$/g, '')
    if (member === '') continue
    const equals = member.indexOf('=')
    const key = member.slice(0, Math.max(0, equals))
    const value = member.slice(equals + 1)
    if (!keyPattern.test(key) || !valuePattern.test(value) || seen.has(key)) return []
    if (members.length === MAX_TRACE_STATE_MEMBERS) return []
    seen.add(key)
    members.push({ key, value })
  }
  return members
}

/** The header text; members past the 32nd are cut off at the right end. */
export function formatTraceState(members: readonly TraceStateMember[]): string {
  return members
    .slice(0, MAX_TRACE_STATE_MEMBERS)
    .map(({ key, value }) => `${key}=${value}`)
    .join(',')
}

export interface SamplingState {
  /** Rejection threshold `T`, 0 to 2^56 - 1; `null` when unknown. A trace is kept when its randomness is >= T. */
  readonly threshold: bigint | null
  /** Explicit randomness `R` of 56 bits; `null` when it is the low 56 bits of the trace id. */
  readonly randomness: bigint | null
}

const SCALE = 1n << 56n
const unknownState: SamplingState = { threshold: null, randomness: null }

/** Reads `th` and `rv` of the member `ot`; malformed values count as absent. */
export function parseSamplingState(traceState: string): SamplingState {
  if (traceState === '' || !traceState.includes('ot=')) return unknownState
  const member = parseTraceState(traceState).find(({ key }) => key === 'ot')
  if (member === undefined) return unknownState
  let threshold: bigint | null = null
  let randomness: bigint | null = null
  for (const field of member.value.split(';')) {
    const text = field.slice(3)
    if (field.startsWith('th:') && /^[0-9a-f]{1,14}$/.test(text))
      threshold = BigInt(`0x${text.padEnd(14, '0')}`)
    if (field.startsWith('rv:') && /^[0-9a-f]{14}$/.test(text)) randomness = BigInt(`0x${text}`)
  }
  return { threshold, randomness }
}

/** The member `ot` that says this threshold and randomness, first; other members and other fields of `ot` are kept. */
export function withSamplingState(traceState: string, state: SamplingState): string {
  const members = parseTraceState(traceState)
  const old = members.find(({ key }) => key === 'ot')
  const fields: string[] = []
  if (state.threshold !== null) fields.push(`th:${formatThreshold(state.threshold)}`)
  if (state.randomness !== null) fields.push(`rv:${state.randomness.toString(16).padStart(14, '0')}`)
  for (const field of old?.value.split(';') ?? []) {
    if (field !== '' && !field.startsWith('th:') && !field.startsWith('rv:')) fields.push(field)
  }
  const others = members.filter(({ key }) => key !== 'ot')
  return formatTraceState(fields.length > 0 ? [{ key: 'ot', value: fields.join(';') }, ...others] : others)
}

/** Hex of a threshold without trailing zeros; `0` keeps everything. */
export function formatThreshold(threshold: bigint): string {
  return threshold.toString(16).padStart(14, '0').replace(/0+$/, '') || '0'
}

/** Threshold of a sampling probability from 2^-56 to 1. */
export function thresholdOfProbability(probability: number): bigint {
  const kept = BigInt(Math.round(probability * 2 ** 56))
  return kept >= SCALE ? 0n : kept <= 0n ? SCALE - 1n : SCALE - kept
}

/**
 * How many spans a sampled span stands for. Without a threshold the probability is unknown: the weight is 1 and `known` is
 * false, which a reader has to say.
 */
export function samplingWeight(traceState: string): { readonly weight: number; readonly known: boolean } {
  const { threshold } = parseSamplingState(traceState)
  if (threshold === null) return { weight: 1, known: false }
  return { weight: Number(SCALE) / Number(SCALE - threshold), known: true }
}

/** Low 56 bits of a trace id: its randomness when `rv` is absent. */
export function randomnessOfTraceId(traceId: string): bigint {
  return BigInt(`0x${traceId.slice(-14)}`)
}
