import { giveUp, spellText, spellValue, takeRows } from './host'
import { isUtf8 } from './utf8'

/**
 * RowBinary, into a buffer that JavaScript empties. Texts are read and written sixteen bytes at once, up to fifteen of them behind their
 * end: there is room behind the body and behind the buffers, and the next write stands over them.
 */

const slack: usize = 32
/** Rows are handed over in pieces of about this size, which stay in the processor's cache. */
const pieceBytes: usize = 96 * 1024
/** With room for the longest value behind a piece. */
const rowsBytes: usize = pieceBytes + 320 * 1024
const rowsStart = memory.data(<i32>(rowsBytes + slack), 16)
/** What the rows of a scope have in common: the columns of its resource and its own. */
const sharedBytes: usize = 64 * 1024
const sharedStart = memory.data(<i32>(sharedBytes + slack), 16)
let sharedEnd: usize = sharedStart

/** Where the next byte goes, and where the room for it ends. */
let at: usize = rowsStart
let limit: usize = rowsStart + rowsBytes
/** Where the rows go on behind the shared part; 0 while they are written. */
let rowsAt: usize = 0

/** Starts on another body. */
export function startRows(): void {
  at = rowsStart
  limit = rowsStart + rowsBytes
  rowsAt = 0
}

/** What is written until `endShared` goes behind the first `kept` bytes of the shared part. */
export function startShared(kept: usize): void {
  rowsAt = at
  at = sharedStart + kept
  limit = sharedStart + sharedBytes
}

/** Returns how many bytes the shared part has. */
export function endShared(): usize {
  sharedEnd = at
  at = rowsAt
  limit = rowsStart + rowsBytes
  rowsAt = 0
  return sharedEnd - sharedStart
}

export function endOfRow(): void {
  if (at - rowsStart > pieceBytes) handOver()
}

/** Gives what was written to JavaScript. */
export function handOver(): void {
  takeRows(rowsStart, at)
  at = rowsStart
}

function reserve(bytes: usize): void {
  if (at + bytes <= limit) return
  if (rowsAt !== 0) giveUp()
  handOver()
}

/** LEB128: of how many elements a map or an array is. */
export function count(value: usize): void {
  reserve(5)
  while (value >= 0x80) {
    store<u8>(at++, value | 0x80)
    value >>>= 7
  }
  store<u8>(at++, value)
}

/** At most eight of them. */
export function zeros(bytes: usize): void {
  reserve(8)
  store<u64>(at, 0)
  at += bytes
}

export function int64(value: u64): void {
  reserve(8)
  store<u64>(at, value)
  at += 8
}

/** A text of at most 15 bytes at `named`, with its length in front. */
export function name(named: usize): void {
  reserve(16)
  v128.store(at, v128.load(named))
  at += 1 + <usize>load<u8>(named)
}

/** The shared part, into every row. */
export function shared(): void {
  const bytes = sharedEnd - sharedStart
  reserve(bytes)
  for (let i: usize = 0; i < bytes; i += 16) v128.store(at + i, v128.load(sharedStart + i))
  at += bytes
}

/** Of a text that is copied here: its length takes two bytes. */
const longestBytes: usize = 0x3fff

/** Length and UTF-8 text of [from, to); false, and nothing written, when it is not UTF-8 or too long. Copies and looks in one pass. */
export function plainText(from: usize, to: usize): bool {
  const bytes = to - from
  if (bytes > longestBytes) return false
  reserve(bytes + 2)
  let target = at
  if (bytes < 0x80) store<u8>(target++, bytes)
  else {
    store<u16>(target, (bytes & 0x7f) | 0x80 | ((bytes >>> 7) << 8))
    target += 2
  }
  let seen = i64x2.splat(0)
  let i: usize = 0
  for (; i + 16 <= bytes; i += 16) {
    const part = v128.load(from + i)
    seen = v128.or(seen, part)
    v128.store(target + i, part)
  }
  const rest = v128.load(from + i)
  v128.store(target + i, rest)
  const highBits = i8x16.bitmask(seen) | (i8x16.bitmask(rest) & ((1 << (<i32>(bytes - i))) - 1))
  if (highBits !== 0 && !isUtf8(from, to)) return false
  at = target + bytes
  return true
}

/** Any text; what is not UTF-8 in it becomes U+FFFD. */
export function text(from: usize, to: usize): void {
  if (plainText(from, to)) return
  const room = roomForSpelling()
  at += spellText(from, to, at, room)
}

/** An AnyValue that is not spelled here. */
export function otherValue(from: usize, to: usize): void {
  const room = roomForSpelling()
  at += spellValue(from, to, at, room)
}

function roomForSpelling(): usize {
  if (rowsAt === 0) endOfRow()
  return limit - at
}

/** Decimal digits with their length in front. */
export function decimal(value: i64): void {
  reserve(21)
  const start = at++
  let rest: u64 = value
  if (value < 0) {
    store<u8>(at++, 0x2d)
    rest = 0 - rest
  }
  let digits: usize = 1
  for (let power: u64 = 10; digits < 19 && rest >= power; power *= 10) digits++
  const first = at
  at += digits
  let place = at
  // Half of the numbers' width is a fraction of the division's time.
  if (rest >> 32 === 0) {
    for (let small = <u32>rest; place > first; small /= 10) store<u8>(--place, 0x30 + (small % 10))
  } else for (; place > first; rest /= 10) store<u8>(--place, 0x30 + (rest % 10))
  store<u8>(start, at - start - 1)
}

/** `true` or `false`. */
export function boolean(value: bool): void {
  reserve(8)
  // Length and letters, little-endian.
  store<u64>(at, value ? 0x6575727404 : 0x65736c616605)
  at += value ? 5 : 6
}

/** The hex digits of an id of 16 or 8 bytes, lower-case, with their length in front; of no bytes the empty text. */
export function id(from: usize, bytes: usize): void {
  reserve(33)
  store<u8>(at++, bytes * 2)
  if (bytes === 0) return
  const raw = v128.load(from)
  // biome-ignore format: the sixteen digits
  const digits = i8x16(0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66)
  const high = i8x16.swizzle(digits, i8x16.shr_u(raw, 4))
  const low = i8x16.swizzle(digits, v128.and(raw, i8x16.splat(0x0f)))
  v128.store(at, i8x16.shuffle(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23))
  if (bytes === 16)
    v128.store(at, i8x16.shuffle(high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16)
  at += bytes * 2
}
