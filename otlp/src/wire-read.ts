import { WireError } from './wire-error.ts'

/** Protobuf wire types. */
export const WireType = { Varint: 0, Fixed64: 1, Length: 2, GroupStart: 3, GroupEnd: 4, Fixed32: 5 } as const

const TWO_32 = 4294967296
const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true })
const doubleView = new DataView(new ArrayBuffer(8))

/** Groups nested deeper than this are refused when they are skipped. */
export const MAX_GROUP_DEPTH = 100

/**
 * A cursor over protobuf bytes, without allocation per value: 64-bit values land in `high` and `low` (unsigned 32-bit halves).
 * Everything is checked against `end`; the only error thrown is `WireError`. The bytes are not copied and must not change.
 *
 * A nested message is read by narrowing `end`: `const outer = r.enter(); while (r.more()) {...}; r.leave(outer)`.
 */
export class WireReader {
  readonly bytes: Uint8Array
  at: number
  end: number
  high = 0
  low = 0

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = Math.min(end, bytes.length)
  }

  more(): boolean {
    return this.at < this.end
  }

  /** Field number and wire type in one number: `tag >>> 3` and `tag & 7`. */
  tag(): number {
    const start = this.at
    this.varint64()
    const field = this.low >>> 3
    if (this.high !== 0 || field === 0) throw new WireError('bad-tag', start, 'bad field number')
    return this.low
  }

  /** Any varint into `high` and `low`; at most ten bytes. */
  varint64(): void {
    const bytes = this.bytes
    const end = this.end
    let at = this.at
    if (at >= end) throw this.truncated(at)
    let byte = bytes[at++]!
    // One and two bytes are nearly all of what occurs: tags, short lengths, small numbers.
    if (byte < 0x80) {
      this.low = byte
      this.high = 0
      this.at = at
      return
    }
    let low = byte & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      if (at >= end) throw this.truncated(at)
      byte = bytes[at++]!
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.low = low
        this.high = 0
        this.at = at
        return
      }
    }
    if (at >= end) throw this.truncated(at)
    byte = bytes[at++]!
    low |= (byte & 0x0f) << 28
    let high = (byte & 0x7f) >> 4
    for (let shift = 3; byte >= 0x80; shift += 7) {
      if (shift > 31) throw new WireError('varint-too-long', this.at, 'varint longer than ten bytes')
      if (at >= end) throw this.truncated(at)
      byte = bytes[at++]!
      high |= (byte & 0x7f) << shift
    }
    this.low = low >>> 0
    this.high = high >>> 0
    this.at = at
  }

  /** Low 32 bits of a varint, unsigned: `uint32`, lengths, enums. */
  uint32(): number {
    this.varint64()
    return this.low
  }

  /** Low 32 bits of a varint, signed: `int32`, enums. */
  int32(): number {
    this.varint64()
    return this.low | 0
  }

  bool(): boolean {
    this.varint64()
    return this.low !== 0 || this.high !== 0
  }

  /** `int64` as a number: exact up to 2^53, else the nearest double. */
  int64(): number {
    this.varint64()
    return (this.high | 0) * TWO_32 + this.low
  }

  int64BigInt(): bigint {
    this.varint64()
    return (BigInt(this.high | 0) << 32n) | BigInt(this.low)
  }

  fixed32(): number {
    const at = this.at
    if (at + 4 > this.end) throw this.truncated(at)
    this.at = at + 4
    return this.word(at)
  }

  /** Fixed 64 bits into `high` and `low`. */
  fixed64(): void {
    const at = this.at
    if (at + 8 > this.end) throw this.truncated(at)
    this.at = at + 8
    this.low = this.word(at)
    this.high = this.word(at + 4)
  }

  fixed64BigInt(): bigint {
    this.fixed64()
    return (BigInt(this.high) << 32n) | BigInt(this.low)
  }

  double(): number {
    this.fixed64()
    doubleView.setUint32(0, this.low, true)
    doubleView.setUint32(4, this.high, true)
    return doubleView.getFloat64(0, true)
  }

  /** Length of a length-delimited field, checked to fit; the cursor then stands on its first byte. */
  length(): number {
    const start = this.at
    this.varint64()
    if (this.high !== 0 || this.low > this.end - this.at) {
      throw new WireError('truncated', start, 'length runs past the end')
    }
    return this.low
  }

  /** Opens a length-delimited field as the range to read; returns the outer end for `leave`. */
  enter(): number {
    const length = this.length()
    const outer = this.end
    this.end = this.at + length
    return outer
  }

  leave(outerEnd: number): void {
    this.at = this.end
    this.end = outerEnd
  }

  /** A view of a length-delimited field, not a copy. */
  slice(): Uint8Array {
    const length = this.length()
    const at = this.at
    this.at = at + length
    return this.bytes.subarray(at, this.at)
  }

  /** UTF-8 text; invalid sequences become U+FFFD, so that one bad string does not lose a batch. */
  string(): string {
    const length = this.length()
    const at = this.at
    this.at = at + length
    return decodeUtf8(this.bytes, at, this.at)
  }

  /** Passes over one field of any wire type. Groups may nest `MAX_GROUP_DEPTH` deep. */
  skip(tag: number): void {
    const at = this.at
    switch (tag & 7) {
      case WireType.Varint:
        this.varint64()
        return
      case WireType.Fixed64:
        if (at + 8 > this.end) throw this.truncated(at)
        this.at = at + 8
        return
      case WireType.Length: {
        const length = this.length()
        this.at += length
        return
      }
      case WireType.Fixed32:
        if (at + 4 > this.end) throw this.truncated(at)
        this.at = at + 4
        return
      case WireType.GroupStart:
        this.skipGroup(tag)
        return
      default:
        throw new WireError('bad-wire-type', at, `wire type ${tag & 7} is not valid here`)
    }
  }

  private skipGroup(openTag: number): void {
    // A stack of its own: recursion on hostile input would end in a RangeError.
    const open = [openTag >>> 3]
    while (open.length > 0) {
      const start = this.at
      const tag = this.tag()
      const wireType = tag & 7
      if (wireType === WireType.GroupStart) {
        if (open.length >= MAX_GROUP_DEPTH) throw new WireError('too-deep', start, 'groups nested too deep')
        open.push(tag >>> 3)
      } else if (wireType === WireType.GroupEnd) {
        if (open.pop() !== tag >>> 3)
          throw new WireError('bad-wire-type', start, 'group end without its start')
      } else {
        this.skip(tag)
      }
    }
  }

  private word(at: number): number {
    const bytes = this.bytes
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  }

  private truncated(at: number): WireError {
    return new WireError('truncated', at, 'message ends in the middle of a value')
  }
}

/** Text of bytes[start, end): a loop for short ASCII, the built-in decoder for the rest. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= 24) {
    let text = ''
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!
      if (byte > 0x7f) return textDecoder.decode(bytes.subarray(start, end))
      text += String.fromCharCode(byte)
    }
    return text
  }
  return textDecoder.decode(bytes.subarray(start, end))
}
