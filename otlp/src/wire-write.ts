/**
 * Protobuf writing over (bytes, offset): each function writes at `at` and returns the offset behind what it wrote.
 * They are plain functions without state because the encoders that build on them run per span. None checks for room: typed
 * arrays ignore writes past their end, so a caller compares the returned offset with its limit, or reserves first.
 */

const TWO_32 = 4294967296

/** Longest varint: ten bytes (a negative int64). */
export const MAX_VARINT_BYTES = 10

/** Bytes that `writeVarint` takes for a whole number from 0 to 2^53 - 1. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  if (value < 0x10000000) return 4
  if (value < 0x800000000) return 5
  if (value < 0x40000000000) return 6
  if (value < 0x2000000000000) return 7
  return 8
}

/** Whole number from 0 to 2^53 - 1. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value
  while (rest > 0x7fffffff) {
    bytes[at++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest
  return at
}

/** 64-bit value given as two 32-bit halves (either sign; the bits count). */
export function writeVarint64(bytes: Uint8Array, at: number, high: number, low: number): number {
  let h = high >>> 0
  let l = low >>> 0
  while (h !== 0) {
    bytes[at++] = (l & 0x7f) | 0x80
    l = ((l >>> 7) | (h << 25)) >>> 0
    h >>>= 7
  }
  while (l > 0x7f) {
    bytes[at++] = (l & 0x7f) | 0x80
    l >>>= 7
  }
  bytes[at++] = l
  return at
}

/** Protobuf `int64`/`int32`: safe integer of either sign; a negative one takes ten bytes. */
export function writeInt64(bytes: Uint8Array, at: number, value: number): number {
  if (value >= 0) return writeVarint(bytes, at, value)
  return writeVarint64(bytes, at, Math.floor(value / TWO_32), value % TWO_32)
}

/** Writes `value` as a varint of exactly `width` bytes (2 to 5): legal protobuf, so a length can be filled in afterwards. */
export function fillPaddedVarint(bytes: Uint8Array, at: number, width: number, value: number): number {
  let rest = value
  const last = at + width - 1
  while (at < last) {
    bytes[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[at++] = rest & 0x7f
  return at
}

/** Largest length that a padded varint of `width` bytes (1 to 4) can hold, in bytes; five bytes hold any 32-bit length. */
export function paddedVarintLimit(width: number): number {
  return width >= 5 ? 0xffffffff : 2 ** (7 * width) - 1
}

/** Little-endian 32 bits. */
export function writeFixed32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
  return at + 4
}

/** Little-endian 64 bits from two 32-bit halves. */
export function writeFixed64(bytes: Uint8Array, at: number, high: number, low: number): number {
  return writeFixed32(bytes, writeFixed32(bytes, at, low), high)
}

const doubleView = new DataView(new ArrayBuffer(8))

/** Little-endian IEEE double. */
export function writeDouble(bytes: Uint8Array, at: number, value: number): number {
  doubleView.setFloat64(0, value, true)
  return writeFixed64(bytes, at, doubleView.getUint32(4, true), doubleView.getUint32(0, true))
}

const textEncoder = new TextEncoder()

/** Above this many UTF-16 units the built-in encoder is quicker than the loop, whose calls need no subarray. */
const LOOP_LIMIT = 48

/**
 * UTF-8 of `text` at `at`, never past `limit`: text that does not fit is cut on a code-point border. A lone surrogate becomes
 * U+FFFD. Returns the offset behind the last byte written.
 */
export function writeUtf8(bytes: Uint8Array, at: number, text: string, limit: number = bytes.length): number {
  const length = text.length
  if (length > LOOP_LIMIT) {
    if (at >= limit) return at
    return at + textEncoder.encodeInto(text, bytes.subarray(at, limit)).written
  }
  for (let i = 0; i < length; i++) {
    let unit = text.charCodeAt(i)
    if (unit < 0x80) {
      if (at >= limit) return at
      bytes[at++] = unit
    } else if (unit < 0x800) {
      if (at + 2 > limit) return at
      bytes[at++] = 0xc0 | (unit >> 6)
      bytes[at++] = 0x80 | (unit & 0x3f)
    } else {
      if (unit >= 0xd800 && unit <= 0xdfff) {
        const next = unit < 0xdc00 && i + 1 < length ? text.charCodeAt(i + 1) : 0
        if (next >= 0xdc00 && next <= 0xdfff) {
          if (at + 4 > limit) return at
          i++
          const point = 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00)
          bytes[at++] = 0xf0 | (point >> 18)
          bytes[at++] = 0x80 | ((point >> 12) & 0x3f)
          bytes[at++] = 0x80 | ((point >> 6) & 0x3f)
          bytes[at++] = 0x80 | (point & 0x3f)
          continue
        }
        unit = 0xfffd
      }
      if (at + 3 > limit) return at
      bytes[at++] = 0xe0 | (unit >> 12)
      bytes[at++] = 0x80 | ((unit >> 6) & 0x3f)
      bytes[at++] = 0x80 | (unit & 0x3f)
    }
  }
  return at
}

/** Bytes that `writeUtf8` needs for the whole text. */
export function utf8Size(text: string): number {
  let size = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) {
      size++
      continue
    }
    size += 2
    if (unit >= 0xd800 && unit < 0xdc00 && i + 1 < text.length) {
      const next = text.charCodeAt(i + 1)
      if (next >= 0xdc00 && next <= 0xdfff) i++
    }
  }
  return size
}
