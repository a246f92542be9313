import { decodeUtf8, WireError, type WireReader } from '@hotspan/otlp/wire'
import { attributeText } from './attribute-text.ts'
import { readNestedValue } from './nested-value.ts'
import { maxAttributes, maxKeyBytes, type RowWriter } from './row-writer.ts'

/** What one body may hold; past it the transcoder throws `WireError`. */
export interface TranscodeBudget {
  recordsLeft: number
  valuesLeft: number
  readonly maxDepth: number
}

/**
 * A key is not UTF-8, or it or its value comes twice: its place among the sorted keys is only known once it is mended, and a value that is left out has
 * to be read too, which is the object route's work.
 */
export class BrokenKey extends Error {}

export function takeValue(budget: TranscodeBudget, at: number): void {
  if (--budget.valuesLeft < 0) throw new WireError('too-many', at, 'more attribute values than allowed')
}

/** Longer lists are rare or hostile, and go through a sort whose worst case is bounded. */
const insertionSortLimit = 64

/** Offsets of key and value, and the key's first eight bytes as two numbers, which settle nearly all comparisons. */
const columns = 6
const prefixBytes = 8
const signBit = 1 << 31

type Row = number[]

/**
 * The attributes of one span, event or resource as offsets into the body: six integers each, no string, no object.
 * `write` sorts them by the bytes of the key and lets a repeated key overwrite, which is what the column wants.
 */
export class AttributeTable {
  private offsets = new Int32Array(columns * 32)
  private count = 0
  private longestKey = 0
  private view: DataView = new DataView(new ArrayBuffer(0))

  /** A view of the body that the next attributes stand in. */
  readFrom(view: DataView): void {
    this.view = view
  }

  clear(): void {
    this.count = 0
    this.longestKey = 0
  }

  /** Reads one KeyValue; the reader stands on its length. */
  add(r: WireReader, budget: TranscodeBudget): void {
    takeValue(budget, r.at)
    const behind = this.addUsual(r.bytes, r.at, r.end)
    if (behind >= 0) r.at = behind
    else this.addAny(r)
  }

  /**
   * As every encoder writes it: key, then value, each once, lengths of one byte or two. `at` is its length's; gives the offset behind
   * it, and -1, with nothing added, for any other form.
   */
  addUsual(bytes: Uint8Array, at: number, readerEnd: number): number {
    // Enough for every byte that is looked at before a length is known.
    if (at + 8 > readerEnd) return -1
    let length = bytes[at++]!
    if (length >= 0x80) {
      const more = bytes[at++]!
      if (more >= 0x80) return -1
      length = (length & 0x7f) | (more << 7)
    }
    const end = at + length
    if (end > readerEnd || length < 4 || bytes[at] !== 10) return -1
    const keyLength = bytes[at + 1]!
    const keyStart = at + 2
    const keyEnd = keyStart + keyLength
    if (keyLength >= 0x80 || keyEnd + 2 > end || bytes[keyEnd] !== 18) return -1
    let valueStart = keyEnd + 2
    let valueLength = bytes[keyEnd + 1]!
    if (valueLength >= 0x80) {
      if (valueStart >= end) return -1
      const more = bytes[valueStart++]!
      if (more >= 0x80) return -1
      valueLength = (valueLength & 0x7f) | (more << 7)
    }
    if (valueStart + valueLength !== end) return -1
    this.append(bytes, keyStart, keyEnd, valueStart, end)
    return end
  }

  /** One KeyValue of any form; the reader stands on its length. */
  addAny(r: WireReader): void {
    const outer = r.enter()
    let keyStart = 0
    let keyEnd = 0
    let valueStart = 0
    let valueEnd = 0
    while (r.more()) {
      const tag = r.tag()
      if (tag === 10) {
        const length = r.length()
        keyStart = r.at
        keyEnd = r.at += length
      } else if (tag === 18) {
        if (valueStart > 0) throw new BrokenKey()
        const length = r.length()
        valueStart = r.at
        valueEnd = r.at += length
      } else r.skip(tag)
    }
    r.leave(outer)
    this.append(r.bytes, keyStart, keyEnd, valueStart, valueEnd)
  }

  private append(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const at = this.count * columns
    if (at === this.offsets.length) {
      const grown = new Int32Array(this.offsets.length * 2)
      grown.set(this.offsets)
      this.offsets = grown
    }
    const { offsets } = this
    offsets[at] = keyStart
    offsets[at + 1] = keyEnd
    offsets[at + 2] = valueStart
    offsets[at + 3] = valueEnd
    const length = keyEnd - keyStart
    if (length > this.longestKey) this.longestKey = length
    if (length >= prefixBytes) {
      offsets[at + 4] = this.view.getInt32(keyStart) ^ signBit
      offsets[at + 5] = this.view.getInt32(keyStart + 4) ^ signBit
    } else {
      offsets[at + 4] = shortPrefix(bytes, keyStart, keyEnd)
      offsets[at + 5] = shortPrefix(bytes, keyStart + 4, keyEnd)
    }
    this.count++
  }

  /** By the bytes of the key, stable; what passes the limits goes. Returns how many went. Throws `BrokenKey` for equal keys. */
  private sort(bytes: Uint8Array): number {
    const { offsets, count } = this
    let equalKeys = true
    if (count <= insertionSortLimit) equalKeys = this.sortByInsertion(bytes)
    else {
      const rows: Row[] = Array.from({ length: count }, (_, row) => [
        ...offsets.subarray(row * columns, (row + 1) * columns),
      ])
      rows.sort((a, b) => compareBytes(bytes, a[0]!, a[1]!, b[0]!, b[1]!))
      for (let row = 0; row < count; row++) offsets.set(rows[row]!, row * columns)
    }
    if (!equalKeys && this.longestKey <= maxKeyBytes) return 0
    let kept = 0
    let tooLong = 0
    for (let row = 0; row < count; row++) {
      const at = row * columns
      const next = at + columns
      const repeated =
        row + 1 < count &&
        compareBytes(bytes, offsets[at]!, offsets[at + 1]!, offsets[next]!, offsets[next + 1]!) === 0
      // The value that is left out must be readable all the same.
      if (repeated) throw new BrokenKey()
      if (offsets[at + 1]! - offsets[at]! > maxKeyBytes) {
        tooLong++
        continue
      }
      if (kept !== row) offsets.copyWithin(kept * columns, at, at + columns)
      kept++
    }
    this.count = Math.min(kept, maxAttributes)
    return tooLong + kept - this.count
  }

  /**
   * Quadratic at worst, but the fastest for the ten attributes that a span has, often sorted by their sender. True when keys may be
   * equal.
   */
  private sortByInsertion(bytes: Uint8Array): boolean {
    const { offsets, count } = this
    let equalKeys = false
    for (let row = 1; row < count; row++) {
      const at = row * columns
      const keyStart = offsets[at]!
      const keyEnd = offsets[at + 1]!
      const first = offsets[at + 4]!
      const second = offsets[at + 5]!
      let to = at
      while (to > 0) {
        const firstBefore = offsets[to - 2]!
        if (firstBefore < first) break
        if (firstBefore === first) {
          const secondBefore = offsets[to - 1]!
          if (secondBefore < second) break
          if (secondBefore === second) {
            const order = compareBytes(
              bytes,
              offsets[to - 6]!,
              offsets[to - 5]!,
              keyStart,
              keyEnd,
              prefixBytes,
            )
            if (order === 0) equalKeys = true
            if (order <= 0) break
          }
        }
        to -= columns
      }
      if (to === at) continue
      const valueStart = offsets[at + 2]!
      const valueEnd = offsets[at + 3]!
      for (let from = at - 1; from >= to; from--) offsets[from + columns] = offsets[from]!
      offsets[to] = keyStart
      offsets[to + 1] = keyEnd
      offsets[to + 2] = valueStart
      offsets[to + 3] = valueEnd
      offsets[to + 4] = first
      offsets[to + 5] = second
    }
    return equalKeys
  }

  /** The attributes as a `Map(String, String)`. */
  write(r: WireReader, budget: TranscodeBudget, writer: RowWriter): void {
    writer.droppedAttributes += this.sort(r.bytes)
    const { offsets, count } = this
    writer.varint(count)
    for (let at = 0; at < count * columns; at += columns) {
      if (!writer.text(r.bytes, offsets[at]!, offsets[at + 1]!)) throw new BrokenKey()
      writeValue(r, offsets[at + 2]!, offsets[at + 3]!, budget, writer)
    }
  }

  /** Writes the value of one key as text, `''` when it is not there. `key` is ASCII. */
  writeValueOf(key: string, r: WireReader, budget: TranscodeBudget, writer: RowWriter): void {
    const { offsets, count } = this
    for (let at = (count - 1) * columns; at >= 0; at -= columns)
      if (
        offsets[at + 1]! - offsets[at]! === key.length &&
        decodeUtf8(r.bytes, offsets[at]!, offsets[at + 1]!) === key
      ) {
        writeValue(r, offsets[at + 2]!, offsets[at + 3]!, budget, writer)
        return
      }
    writer.varint(0)
  }
}

/** Four bytes, zeros behind the end, as a signed number that orders as they do. */
function shortPrefix(bytes: Uint8Array, start: number, end: number): number {
  let prefix = 0
  for (let i = start; i < start + 4; i++) prefix = (prefix << 8) | (i < end ? bytes[i]! : 0)
  return prefix ^ signBit
}

/** The first `equal` bytes are known to be equal, as far as there are so many. */
function compareBytes(
  bytes: Uint8Array,
  aStart: number,
  aEnd: number,
  bStart: number,
  bEnd: number,
  equal = 0,
): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart)
  for (let i = equal; i < length; i++) {
    const difference = bytes[aStart + i]! - bytes[bStart + i]!
    if (difference !== 0) return difference
  }
  return aEnd - aStart - (bEnd - bStart)
}

/** A text, or a small whole number, and nothing else; false, and nothing written, for any other value. */
function writeUsualValue(bytes: Uint8Array, start: number, end: number, writer: RowWriter): boolean {
  if (start + 2 > end) return false
  const tag = bytes[start]!
  let at = start + 2
  let value = bytes[start + 1]!
  if (tag === 10) {
    if (value >= 0x80) {
      if (at >= end) return false
      const more = bytes[at++]!
      if (more >= 0x80) return false
      value = (value & 0x7f) | (more << 7)
    }
    if (at + value !== end) return false
    writer.text(bytes, at, end)
    return true
  }
  if (tag !== 24 || end - start > 5) return false
  let byte = value
  value &= 0x7f
  for (let shift = 7; byte >= 0x80; shift += 7) {
    if (at >= end) return false
    byte = bytes[at++]!
    value |= (byte & 0x7f) << shift
  }
  if (at !== end) return false
  writer.digits(value)
  return true
}

/** bytes[start, end) is an AnyValue. Text, the common case, is copied; the rest is spelled out. */
function writeValue(
  r: WireReader,
  start: number,
  end: number,
  budget: TranscodeBudget,
  writer: RowWriter,
): void {
  if (writeUsualValue(r.bytes, start, end, writer)) return
  const outerEnd = r.end
  r.at = start
  r.end = end
  let textStart = -1
  let textEnd = -1
  let text = ''
  while (r.at < end) {
    const at = r.at
    const tag = r.tag()
    if (tag === 10) {
      const length = r.length()
      textStart = r.at
      textEnd = r.at += length
    } else if (tag === 16) {
      textStart = -1
      text = r.bool() ? 'true' : 'false'
    } else if (tag === 24) {
      textStart = -1
      r.varint64()
      text = r.high === 0 ? String(r.low) : String((BigInt(r.high | 0) << 32n) | BigInt(r.low))
    } else if (tag === 33) {
      textStart = -1
      text = String(r.double())
    } else if (tag === 42 || tag === 50 || tag === 58) {
      textStart = -1
      r.at = at
      text = attributeText(readNestedValue(r, budget, 0))
    } else r.skip(tag)
  }
  if (textStart >= 0) writer.limitedText(r.bytes, textStart, textEnd)
  else writer.limitedString(text)
  r.end = outerEnd
}
