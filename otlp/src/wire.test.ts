import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ByteWriter,
  decodeUtf8,
  fillPaddedVarint,
  paddedVarintLimit,
  utf8Size,
  varintSize,
  WireError,
  WireReader,
  writeDouble,
  writeFixed32,
  writeFixed64,
  writeInt64,
  writeUtf8,
  writeVarint,
  writeVarint64,
} from './wire.ts'

const wellFormed = (text: string): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text))
const loneSurrogates = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)),
  maxLength: 120,
})
const anyText = fc.oneof(
  fc.string({ maxLength: 120 }),
  fc.string({ unit: 'binary', maxLength: 120 }),
  loneSurrogates,
)
const safeInt = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.constantFrom(
    0,
    127,
    128,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    -1,
    -(2 ** 32),
    -(2 ** 31),
  ),
)

function reasonOf(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    expect(error).toBeInstanceOf(WireError)
    return (error as WireError).reason
  }
  return 'none'
}

describe('writing', () => {
  test('varints of every safe integer read back, in the size announced', () => {
    fc.assert(
      fc.property(safeInt, (value) => {
        const bytes = new Uint8Array(16)
        const end = writeInt64(bytes, 3, value)
        const reader = new WireReader(bytes, 3, end)
        expect(reader.int64()).toBe(value)
        expect(reader.more()).toBe(false)
        if (value >= 0) {
          expect(end - 3).toBe(varintSize(value))
          expect(writeVarint(bytes, 0, value)).toBe(varintSize(value))
        } else expect(end - 3).toBe(10)
      }),
    )
  })

  test('64-bit halves as varint and fixed', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const high = Number(BigInt.asUintN(32, value >> 32n))
        const low = Number(BigInt.asUintN(32, value))
        const bytes = new Uint8Array(32)
        expect(new WireReader(bytes, 0, writeVarint64(bytes, 0, high, low)).int64BigInt()).toBe(value)
        const fixed = new WireReader(bytes, 1, writeFixed64(bytes, 1, high, low))
        expect(fixed.fixed64BigInt()).toBe(BigInt.asUintN(64, value))
      }),
    )
  })

  test('doubles and fixed32 keep every bit', () => {
    fc.assert(
      fc.property(fc.double(), fc.nat({ max: 0xffffffff }), (value, word) => {
        const bytes = new Uint8Array(12)
        writeFixed32(bytes, writeDouble(bytes, 0, value), word)
        const reader = new WireReader(bytes)
        expect(reader.double()).toBe(value)
        expect(reader.fixed32()).toBe(word)
      }),
    )
  })

  test('padded lengths are legal varints up to their limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.nat({ max: 0xffffffff }), (width, raw) => {
        const value = raw % (paddedVarintLimit(width) + 1)
        const bytes = new Uint8Array(8)
        expect(fillPaddedVarint(bytes, 1, width, value)).toBe(1 + width)
        const reader = new WireReader(bytes, 1)
        expect(reader.uint32()).toBe(value)
        expect(reader.at).toBe(1 + width)
      }),
    )
  })

  test('UTF-8 equals TextEncoder, lone surrogates included', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = new Uint8Array(text.length * 3 + 5)
        const end = writeUtf8(bytes, 2, text)
        expect(bytes.slice(2, end)).toEqual(new TextEncoder().encode(text))
        expect(end - 2).toBe(utf8Size(text))
        expect(decodeUtf8(bytes, 2, end)).toBe(wellFormed(text))
      }),
    )
  })

  test('text that does not fit is cut on a code-point border and nothing is written behind the limit', () => {
    fc.assert(
      fc.property(anyText, fc.nat({ max: 200 }), (text, limit) => {
        const bytes = new Uint8Array(text.length * 3 + 300).fill(0xee)
        const end = writeUtf8(bytes, 0, text, limit)
        expect(end).toBeLessThanOrEqual(limit)
        expect(bytes.subarray(end).every((byte) => byte === 0xee)).toBe(true)
        const whole = [...wellFormed(text)]
        let fits = ''
        for (const point of whole) {
          if (utf8Size(fits + point) > limit) break
          fits += point
        }
        expect(decodeUtf8(bytes, 0, end)).toBe(fits)
      }),
    )
  })

  test('nested messages of any size carry the right length', () => {
    for (const size of [0, 1, 127, 128, 16_383, 16_384, 300_000]) {
      const writer = new ByteWriter(16)
      writer.message(1, () =>
        writer.message(2, () => writer.bytesField(3, new Uint8Array(size).fill(7), true)),
      )
      writer.uintField(4, 9)
      const reader = new WireReader(writer.finish())
      expect(reader.tag()).toBe(10)
      const outer = reader.enter()
      expect(reader.tag()).toBe(18)
      const middle = reader.enter()
      expect(reader.tag()).toBe(26)
      expect(reader.slice().length).toBe(size)
      reader.leave(middle)
      reader.leave(outer)
      expect(reader.tag()).toBe(32)
      expect(reader.uint32()).toBe(9)
    }
  })
})

describe('reading hostile bytes', () => {
  test('every failure is a WireError with a reason and an offset', () => {
    const read = (bytes: number[]) => new WireReader(Uint8Array.from(bytes))
    expect(reasonOf(() => read([]).uint32())).toBe('truncated')
    expect(reasonOf(() => read([0x80]).uint32())).toBe('truncated')
    expect(reasonOf(() => read(new Array(11).fill(0x80)).varint64())).toBe('varint-too-long')
    expect(reasonOf(() => read([0x00]).tag())).toBe('bad-tag')
    expect(reasonOf(() => read([0x80, 0x80, 0x80, 0x80, 0x10]).tag())).toBe('bad-tag')
    expect(reasonOf(() => read([5, 1]).slice())).toBe('truncated')
    expect(reasonOf(() => read([0xff, 0xff, 0xff, 0xff, 0x0f]).length())).toBe('truncated')
    expect(reasonOf(() => read([1, 2, 3]).fixed32())).toBe('truncated')
    expect(reasonOf(() => read([1, 2, 3, 4, 5, 6, 7]).fixed64())).toBe('truncated')
    expect(reasonOf(() => read([]).skip(0x0e))).toBe('bad-wire-type')
    expect(reasonOf(() => read([]).skip(0x0c))).toBe('bad-wire-type')
    expect(reasonOf(() => read(new Array(500).fill(0x0b)).skip(0x0b))).toBe('too-deep')
    expect(reasonOf(() => read([0x14]).skip(0x0b))).toBe('bad-wire-type')
  })

  test('skipping stands exactly behind the field, groups included', () => {
    const group = [0x08, 0x96, 0x01, 0x13, 0x12, 0x01, 0x41, 0x14, 0x0c, 0x77]
    const reader = new WireReader(Uint8Array.from(group))
    reader.skip(0x0b)
    expect(reader.bytes[reader.at]).toBe(0x77)
  })

  test('random bytes never throw anything else and never read past the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const reader = new WireReader(bytes)
        try {
          while (reader.more()) reader.skip(reader.tag())
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
        expect(reader.at).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: 1000 },
    )
  })
})
