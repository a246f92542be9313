/** W3C Trace Context: parsing without regular expressions, since every request passes here. */

/** The last accepted header's numbers; read them before the next call. */
export const parsed = { a: 0, b: 0, c: 0, d: 0, high: 0, low: 0, flags: 0 }

/** Values of lower-case hex digits by character, -1 for all others. */
const DIGITS = new Int8Array(128).fill(-1)
for (let digit = 0; digit < 16; digit++) DIGITS[digit.toString(16).charCodeAt(0)] = digit

const nibble = (unit: number): number => (unit < 128 ? DIGITS[unit]! : -1)

/** Set by `word` when a digit was none. */
let malformed = 0

/**
 * Value of eight lower-case hex digits at `at`, 32 bits, signed as everywhere: the first number beyond 2^31 would make V8 give
 * up the code of every function that makes spans.
 */
function word(text: string, at: number): number {
  let value = 0
  for (let i = at; i < at + 8; i++) {
    const digit = nibble(text.charCodeAt(i))
    malformed |= digit
    value = (value << 4) | digit
  }
  return value
}

/**
 * Reads `traceparent` into `parsed`. False for everything that the standard calls invalid: wrong length, upper case, version
 * `ff`, ids of zeros. A version above 00 is read by its first 55 characters.
 */
export function parseTraceParent(text: string): boolean {
  if (text.length < 55) return false
  if (text.charCodeAt(2) !== 45 || text.charCodeAt(35) !== 45 || text.charCodeAt(52) !== 45) return false
  const version = nibble(text.charCodeAt(0)) * 16 + nibble(text.charCodeAt(1))
  if (nibble(text.charCodeAt(0)) < 0 || nibble(text.charCodeAt(1)) < 0 || version === 255) return false
  if (text.length > 55 && (version === 0 || text.charCodeAt(55) !== 45)) return false
  malformed = 0
  const a = word(text, 3)
  const b = word(text, 11)
  const c = word(text, 19)
  const d = word(text, 27)
  const high = word(text, 36)
  const low = word(text, 44)
  if (malformed < 0) return false
  if ((a | b | c | d) === 0 || (high | low) === 0) return false
  const first = nibble(text.charCodeAt(53))
  const second = nibble(text.charCodeAt(54))
  if (first < 0 || second < 0) return false
  parsed.a = a
  parsed.b = b
  parsed.c = c
  parsed.d = d
  parsed.high = high
  parsed.low = low
  parsed.flags = first * 16 + second
  return true
}

/** Most members that `tracestate` may have. */
const MAX_MEMBERS = 32

/** `tracestate` as it came, or empty when it is not usable. */
export function usableTraceState(header: string | string[] | undefined): string {
  if (header === undefined) return ''
  const text = typeof header === 'string' ? header : header.join(',')
  if (text.length > 512) return ''
  let members = 1
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 44) members++
  return members > MAX_MEMBERS ? '' : text.trim()
}
