import {
  fillPaddedVarint,
  MAX_VARINT_BYTES,
  varintSize,
  writeDouble,
  writeFixed32,
  writeFixed64,
  writeInt64,
  writeUtf8,
  writeVarint,
  writeVarint64,
} from './wire-write.ts'

const LOW_32 = 0xffffffffn

/**
 * A growing protobuf message, for encoders that do not count nanoseconds. Fields are written in the order of the calls; a
 * nested message is written in place and its length moved in behind it, so the output has canonical (shortest) lengths.
 */
export class ByteWriter {
  bytes: Uint8Array
  at = 0

  constructor(initialBytes = 1024) {
    this.bytes = new Uint8Array(Math.max(16, initialBytes))
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.at)
  }

  /** Makes room for `more` bytes. */
  ensure(more: number): void {
    if (this.at + more <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.at + more))
    grown.set(this.bytes.subarray(0, this.at))
    this.bytes = grown
  }

  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType)
  }

  varint(value: number): void {
    this.ensure(MAX_VARINT_BYTES)
    this.at = writeVarint(this.bytes, this.at, value)
  }

  /** `uint32`, `bool` or enum field; zero is left out, as proto3 does. */
  uintField(field: number, value: number): void {
    if (value === 0) return
    this.tag(field, 0)
    this.ensure(MAX_VARINT_BYTES)
    this.at = writeInt64(this.bytes, this.at, value)
  }

  /** `int64` or `uint64` field, written even when zero. Bits above 64 are cut off. */
  bigintField(field: number, value: bigint): void {
    this.tag(field, 0)
    this.ensure(MAX_VARINT_BYTES)
    this.at = writeVarint64(this.bytes, this.at, Number((value >> 32n) & LOW_32), Number(value & LOW_32))
  }

  fixed32Field(field: number, value: number): void {
    if (value === 0) return
    this.tag(field, 5)
    this.ensure(4)
    this.at = writeFixed32(this.bytes, this.at, value)
  }

  fixed64Field(field: number, value: bigint): void {
    if (value === 0n) return
    this.tag(field, 1)
    this.ensure(8)
    this.at = writeFixed64(this.bytes, this.at, Number((value >> 32n) & LOW_32), Number(value & LOW_32))
  }

  /** Written even when zero. */
  doubleField(field: number, value: number): void {
    this.tag(field, 1)
    this.ensure(8)
    this.at = writeDouble(this.bytes, this.at, value)
  }

  /** Empty text is left out unless `always`. */
  stringField(field: number, value: string, always = false): void {
    if (value === '' && !always) return
    this.message(field, () => {
      this.ensure(value.length * 3)
      this.at = writeUtf8(this.bytes, this.at, value)
    })
  }

  /** Empty bytes are left out unless `always`. */
  bytesField(field: number, value: Uint8Array, always = false): void {
    if (value.length === 0 && !always) return
    this.tag(field, 2)
    this.varint(value.length)
    this.ensure(value.length)
    this.bytes.set(value, this.at)
    this.at += value.length
  }

  /** A length-delimited field whose content `body` writes. */
  message(field: number, body: () => void): void {
    this.tag(field, 2)
    this.ensure(1)
    const lengthAt = this.at
    const start = ++this.at
    body()
    const length = this.at - start
    const width = varintSize(length)
    if (width > 1) {
      this.ensure(width - 1)
      this.bytes.copyWithin(start + width - 1, start, this.at)
      this.at += width - 1
      fillPaddedVarint(this.bytes, lengthAt, width, length)
    } else {
      this.bytes[lengthAt] = length
    }
  }
}
