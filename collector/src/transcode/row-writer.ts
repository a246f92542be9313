import { isUtf8 } from 'node:buffer'
import { decodeUtf8 } from '@hotspan/otlp/wire'

/** Rows of one body at most. A resource is written with every span: a small body could else become terabytes of rows. */
export const maxRowBytes = 256 << 20

/** Bytes of one attribute's value, as text; what is longer is cut at a character's end. */
export const maxValueBytes = 256 * 1024
/** Bytes of an attribute's name; one with a longer name is left out. */
export const maxKeyBytes = 1024
/** Attributes of one span, event, resource or point; those with the last names in byte order are left out. */
export const maxAttributes = 1024

/** The rows of a body would be larger than `maxRowBytes`, or more than there may be. */
export class RowsTooLarge extends Error {}

/** Of a buffer that is written anew body by body: one huge body must not hold its memory for ever. */
const maxKeptBytes = 4 << 20

/** A growing buffer of RowBinary. `copy` gives the finished rows; those of a page are handed over by `RowPages`. */
export class RowWriter {
  bytes: Buffer
  at = 0
  /** Values that were cut, and attributes that were left out. */
  cutValues = 0
  droppedAttributes = 0

  /** `room` is a capacity, or a buffer to write into. */
  constructor(room: number | Buffer = 1 << 16) {
    this.bytes = typeof room === 'number' ? Buffer.allocUnsafeSlow(room) : room
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const need = this.at + count
    if (need <= this.bytes.length) return
    if (need > maxRowBytes) throw new RowsTooLarge(`the rows are larger than ${maxRowBytes} bytes`)
    const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(need, this.bytes.length * 2), maxRowBytes))
    this.bytes.copy(grown, 0, 0, this.at)
    this.bytes = grown
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

  /** Length and UTF-8 text of source[start, end); invalid sequences become U+FFFD. */
  text(source: Uint8Array, start: number, end: number): void {
    if (isUtf8(source.subarray(start, end))) {
      this.varint(end - start)
      this.raw(source, start, end)
    } else this.string(decodeUtf8(source, start, end))
  }

  /** As `text`, at most `maxValueBytes`. */
  limitedText(source: Uint8Array, start: number, end: number): void {
    // A broken byte becomes three.
    if ((end - start) * 3 <= maxValueBytes) this.text(source, start, end)
    else this.limitedString(decodeUtf8(source, start, end))
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

  /** All of another writer, which may stand in many rows; what was cut in it is counted each time. */
  append(other: RowWriter): void {
    this.raw(other.bytes, 0, other.at)
    this.cutValues += other.cutValues
    this.droppedAttributes += other.droppedAttributes
  }

  /** Empty, with nothing counted. */
  clear(): void {
    this.at = 0
    this.cutValues = 0
    this.droppedAttributes = 0
  }

  copy(): Buffer {
    return Buffer.from(this.bytes.subarray(0, this.at))
  }

  /** Goes on at its start, in a small buffer when this one has become large. */
  startAgain(): void {
    if (this.bytes.length > maxKeptBytes) this.bytes = Buffer.allocUnsafeSlow(1 << 16)
    this.at = 0
  }

  /** Goes on at the start of another buffer. */
  startIn(bytes: Buffer): void {
    this.bytes = bytes
    this.at = 0
  }
}
