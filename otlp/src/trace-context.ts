/** W3C Trace Context, level 2 (https://www.w3.org/TR/trace-context-2/): the `traceparent` header, read strictly. */
export interface TraceParent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string
  /** Bit 0 sampled, bit 1 random trace id; other bits are cleared, as the recommendation asks. */
  readonly flags: number
}

export const TraceFlag = { Sampled: 1, Random: 2 } as const

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const ZERO_TRACE_ID = '0'.repeat(32)
const ZERO_SPAN_ID = '0'.repeat(16)

/**
 * Reads a `traceparent`; `null` when it is not valid: upper case, all-zero ids, version `ff`, a version 00 longer than 55
 * characters. Later versions are read by their first 55 characters.
 */
export function parseTraceparent(header: string): TraceParent | null {
  // Real headers are 55 characters; anything huge is not worth a regular expression.
  if (header.length < 55 || header.length > 512) return null
  const match = pattern.exec(header.trim())
  if (match === null) return null
  const [, version, traceId, spanId, flags, rest] = match
  if (version === 'ff' || (version === '00' && rest !== undefined)) return null
  if (traceId === ZERO_TRACE_ID || spanId === ZERO_SPAN_ID) return null
  return { traceId: traceId!, spanId: spanId!, flags: Number.parseInt(flags!, 16) & 0x03 }
}

/** `traceparent` of version 00. The ids must be lower-case hex of 32 and 16 digits; only the low eight bits of `flags` count. */
export function formatTraceparent(traceId: string, spanId: string, flags: number): string {
  return `00-${traceId}-${spanId}-${(flags & 0xff).toString(16).padStart(2, '0')}`
}
