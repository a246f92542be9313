import { isUtf8 } from 'node:buffer'
import { decodeUtf8 } from '@hotspan/otlp/wire'

/** Texts up to this many bytes are copied by a loop, which beats making a view for `set()`. */
const shortBytes = 300
/** The high bits of four bytes: set in none of ASCII. */
const highBits = 0x80808080 | 0
const two32 = 4294967296

/** Rows of one body at most. A resource is written with every span: a small body could else become terabytes of rows. */
export const maxRowBytes = 256 << 20

/** Bytes of one attribute's value, as text; what is longer is cut at a character's end. */
export const maxValueBytes = 256 * 1024
/** Bytes of an attribute's name; one with a longer name is left out. */
export const maxKeyBytes = 1024
/** Attributes of one span, event, resource or point; those with the last names in byte order are left out. */
export const maxAttributes = 1024

/** The two digits of every byte, the first one in the low half. */
const hexPairs = Uint16Array.from({ length: 256 }, (_, byte) =>
  Buffer.from(byte.toString(16).padStart(2, '0')).readUInt16LE(),
)

/** The rows of a body would be larger than `maxRowBytes`. */
export class RowsTooLarge extends Error {}

/** Of a buffer that is written anew body by body: one huge body must not hold its memory for ever. */
const maxKeptBytes = 4 << 20

/** A growing buffer of RowBinary. `copy` gives the finished rows; those of a page are handed over by `RowPages`. */
export class RowWriter {
  bytes: Buffer
  at = 0
  private view: DataView
  /** What is transcoded now, and a view of it for reading four bytes at once. */
  private source: Uint8Array
  private sourceView: DataView
  /** Values that were cut, and attributes that were left out. */
  cutValues = 0
  droppedAttributes = 0

  /** `room` is a capacity, or a buffer to write into. */
  constructor(room: number | Buffer = 1 << 16) {
    this.bytes = typeof room === 'number' ? Buffer.allocUnsafeSlow(room) : room
    this.view = viewOf(this.bytes)
    this.source = this.bytes
    this.sourceView = this.view
  }

  /** Texts of `source` are copied faster from now on. */
  readFrom(source: Uint8Array, view: DataView): void {
    this.source = source
    this.sourceView = view
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const need = this.at + count
    if (need <= this.bytes.length) return
    if (need > maxRowBytes) throw new RowsTooLarge(`the rows are larger than ${maxRowBytes} bytes`)
    const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(need, this.bytes.length * 2), maxRowBytes))
    this.bytes.copy(grown, 0, 0, this.at)
    this.use(grown)
  }

  private use(bytes: Buffer): void {
    this.bytes = bytes
    this.view = viewOf(bytes)
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.at++] = value
  }

  /** LEB128 of a whole number from 0 to 2^53. */
  varint(value: number): void {
    if (this.at + 8 > this.bytes.length) this.reserve(8)
    if (value < 0x80) {
      this.bytes[this.at++] = value
      return
    }
    let rest = value
    while (rest >= 0x80) {
      this.bytes[this.at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.bytes[this.at++] = rest
  }

  zeros(count: number): void {
    if (this.at + count > this.bytes.length) this.reserve(count)
    for (let i = 0; i < count; i++) this.bytes[this.at++] = 0
  }

  /** Length and UTF-8 bytes; a lone surrogate becomes U+FFFD. */
  string(text: string): void {
    const size = Buffer.byteLength(text)
    this.varint(size)
    this.reserve(size)
    this.at += this.bytes.write(text, this.at, size, 'utf8')
  }

  /** As `string`, at most `maxValueBytes`. */
  limitedString(text: string): void {
    // A code unit is at most three bytes.
    if (text.length * 3 <= maxValueBytes || Buffer.byteLength(text) <= maxValueBytes) {
      this.string(text)
      return
    }
    const whole = Buffer.from(text)
    let end = maxValueBytes
    while ((whole[end]! & 0xc0) === 0x80) end -= 1
    this.cutValues += 1
    this.varint(end)
    this.raw(whole, 0, end)
  }

  /** 32 bits, signed or unsigned. */
  int32(value: number): void {
    this.reserve(4)
    this.bytes.writeInt32LE(value | 0, this.at)
    this.at += 4
  }

  double(value: number): void {
    this.reserve(8)
    this.bytes.writeDoubleLE(value, this.at)
    this.at += 8
  }

  uint64(value: bigint): void {
    this.reserve(8)
    this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.at)
    this.at += 8
  }

  /** A 64-bit little-endian integer from its halves. */
  int64(high: number, low: number): void {
    if (this.at + 8 > this.bytes.length) this.reserve(8)
    this.view.setInt32(this.at, low, true)
    this.view.setInt32(this.at + 4, high, true)
    this.at += 8
  }

  /** Ids and times of a span as they stand in what `readFrom` named: 40 bytes. */
  identity(traceIdAt: number, spanIdAt: number, startAt: number, endAt: number): void {
    if (this.at + 40 > this.bytes.length) this.reserve(40)
    const { view, sourceView, at } = this
    for (let i = 0; i < 16; i += 4) view.setInt32(at + i, sourceView.getInt32(traceIdAt + i, true), true)
    for (let i = 0; i < 8; i += 4) view.setInt32(at + 16 + i, sourceView.getInt32(spanIdAt + i, true), true)
    this.at = at + 24
    this.time(startAt)
    this.time(endAt)
  }

  /** The eight bytes at `at` of what `readFrom` named; zeros for -1. */
  time(at: number): void {
    if (at < 0) this.int64(0, 0)
    else this.int64(this.sourceView.getInt32(at + 4, true), this.sourceView.getInt32(at, true))
  }

  /** The time at `endAt` minus the one at `startAt` as UInt64, 0 when the clock went back; -1 is the time 0. */
  duration(startAt: number, endAt: number): void {
    const { sourceView } = this
    let low = 0
    let high = 0
    if (endAt >= 0) {
      low = sourceView.getUint32(endAt, true)
      high = sourceView.getUint32(endAt + 4, true)
    }
    if (startAt >= 0) {
      low -= sourceView.getUint32(startAt, true)
      high -= sourceView.getUint32(startAt + 4, true)
    }
    if (low < 0) {
      low += two32
      high -= 1
    }
    if (high < 0) this.int64(0, 0)
    else this.int64(high, low)
  }

  /**
   * Length and UTF-8 text of source[start, end), without a string between; invalid sequences become U+FFFD. Bytes are copied and
   * looked at in one pass. False when something was mended.
   */
  text(source: Uint8Array, start: number, end: number): boolean {
    const length = end - start
    const before = this.at
    if (length > shortBytes) return this.longText(source, start, end)
    if (before + length + 2 > this.bytes.length) this.reserve(length + 2)
    const { bytes } = this
    let at = before
    if (length < 0x80) bytes[at++] = length
    else {
      bytes[at++] = (length & 0x7f) | 0x80
      bytes[at++] = length >>> 7
    }
    let seen = 0
    let i = start
    if (source === this.source) {
      const { view, sourceView } = this
      for (const last = end - 4; i <= last; i += 4) {
        const word = sourceView.getInt32(i, true)
        seen |= word
        view.setInt32(at, word, true)
        at += 4
      }
    }
    for (; i < end; i++) {
      const byte = source[i]!
      seen |= byte
      bytes[at++] = byte
    }
    if ((seen & highBits) !== 0 && !isUtf8(source.subarray(start, end))) {
      this.string(decodeUtf8(source, start, end))
      return false
    }
    this.at = at
    return true
  }

  private longText(source: Uint8Array, start: number, end: number): boolean {
    const part = source.subarray(start, end)
    if (!isUtf8(part)) {
      this.string(decodeUtf8(source, start, end))
      return false
    }
    this.varint(end - start)
    this.reserve(part.length)
    this.bytes.set(part, this.at)
    this.at += part.length
    return true
  }

  /** Decimal digits with their length, of a whole number from 0 to 2^31 - 1. */
  digits(value: number): void {
    if (this.at + 11 > this.bytes.length) this.reserve(11)
    const { bytes } = this
    let count = 1
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) count++
    bytes[this.at] = count
    let at = this.at + count
    this.at = at + 1
    for (let rest = value; count > 0; count--) {
      const next = (rest / 10) | 0
      bytes[at--] = 0x30 + rest - next * 10
      rest = next
    }
  }

  /** As `text`, at most `maxValueBytes`. */
  limitedText(source: Uint8Array, start: number, end: number): void {
    // A broken byte becomes three.
    if ((end - start) * 3 <= maxValueBytes) this.text(source, start, end)
    else this.limitedString(decodeUtf8(source, start, end))
  }

  /** Length and lower-case hex digits of source[start, start + length); at most 63 bytes. */
  hex(source: Uint8Array, start: number, length: number): void {
    if (this.at + 2 * length + 1 > this.bytes.length) this.reserve(2 * length + 1)
    const { view } = this
    let at = this.at
    view.setUint8(at++, length * 2)
    for (const end = start + length; start < end; start++) {
      view.setUint16(at, hexPairs[source[start]!]!, true)
      at += 2
    }
    this.at = at
  }

  /** Bytes as they are, without a length. */
  raw(source: Uint8Array, start: number, end: number): void {
    const length = end - start
    if (this.at + length > this.bytes.length) this.reserve(length)
    const { bytes } = this
    let at = this.at
    if (length <= 40) for (let i = start; i < end; i++) bytes[at++] = source[i]!
    else bytes.set(source.subarray(start, end), at)
    this.at += length
  }

  /** Bytes that this writer wrote before, again. */
  again(start: number, end: number): void {
    const length = end - start
    if (this.at + length > this.bytes.length) this.reserve(length)
    this.bytes.copyWithin(this.at, start, end)
    this.at += length
  }

  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.at))
  }

  /** Goes on at its start, in a small buffer when this one has become large. */
  startAgain(): void {
    if (this.bytes.length > maxKeptBytes) this.use(Buffer.allocUnsafeSlow(1 << 16))
    this.at = 0
  }

  /** Goes on at the start of another buffer. */
  startIn(bytes: Buffer): void {
    this.use(bytes)
    this.at = 0
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
