import { isUtf8 } from 'node:buffer'
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

/** A key is not UTF-8: its place among the sorted keys is only known once it is mended, which is the object route's work. */
export class BrokenKey extends Error {}

export function takeValue(budget: TranscodeBudget, at: number): void {
  if (--budget.valuesLeft < 0) throw new WireError('too-many', at, 'more attribute values than allowed')
}

/** Longer lists are rare or hostile, and go through a sort whose worst case is bounded. */
const insertionSortLimit = 64

type Row = [number, number, number, number]

/**
 * The attributes of one span, event or resource as offsets into the body: four integers each, no string, no object.
 * `write` sorts them by the bytes of the key and lets a repeated key overwrite, which is what the column wants.
 */
export class AttributeTable {
  private offsets = new Int32Array(4 * 32)
  private count = 0

  clear(): void {
    this.count = 0
  }

  /** Reads one KeyValue; the reader stands on its length. */
  add(r: WireReader, budget: TranscodeBudget): void {
    takeValue(budget, r.at)
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
        const length = r.length()
        valueStart = r.at
        valueEnd = r.at += length
      } else r.skip(tag)
    }
    r.leave(outer)
    if (!isText(r.bytes, keyStart, keyEnd)) throw new BrokenKey()
    this.append(keyStart, keyEnd, valueStart, valueEnd)
  }

  private append(keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    if (this.count * 4 === this.offsets.length) {
      const grown = new Int32Array(this.offsets.length * 2)
      grown.set(this.offsets)
      this.offsets = grown
    }
    const { offsets } = this
    const at = this.count * 4
    offsets[at] = keyStart
    offsets[at + 1] = keyEnd
    offsets[at + 2] = valueStart
    offsets[at + 3] = valueEnd
    this.count++
  }

  /** By the bytes of the key, stable; of equal keys only the last stays, and what passes the limits goes. Returns how many went. */
  private sort(bytes: Uint8Array): number {
    const { offsets, count } = this
    if (count <= insertionSortLimit) this.sortByInsertion(bytes)
    else {
      const rows = Array.from(
        { length: count },
        (_, row) => [...offsets.subarray(row * 4, row * 4 + 4)] as Row,
      )
      rows.sort((a, b) => compareBytes(bytes, a[0], a[1], b[0], b[1]))
      for (let row = 0; row < count; row++) offsets.set(rows[row]!, row * 4)
    }
    let kept = 0
    let tooLong = 0
    for (let row = 0; row < count; row++) {
      const at = row * 4
      const next = at + 4
      const repeated =
        row + 1 < count &&
        compareBytes(bytes, offsets[at]!, offsets[at + 1]!, offsets[next]!, offsets[next + 1]!) === 0
      if (repeated) continue
      if (offsets[at + 1]! - offsets[at]! > maxKeyBytes) {
        tooLong++
        continue
      }
      if (kept !== row) offsets.copyWithin(kept * 4, at, at + 4)
      kept++
    }
    this.count = Math.min(kept, maxAttributes)
    return tooLong + kept - this.count
  }

  /** Quadratic at worst, but the fastest for the ten attributes that a span has, often sorted by their sender. */
  private sortByInsertion(bytes: Uint8Array): void {
    const { offsets, count } = this
    for (let row = 1; row < count; row++) {
      const at = row * 4
      const keyStart = offsets[at]!
      const keyEnd = offsets[at + 1]!
      let to = at
      while (to > 0 && compareBytes(bytes, offsets[to - 4]!, offsets[to - 3]!, keyStart, keyEnd) > 0) to -= 4
      if (to === at) continue
      const valueStart = offsets[at + 2]!
      const valueEnd = offsets[at + 3]!
      offsets.copyWithin(to + 4, to, at)
      offsets[to] = keyStart
      offsets[to + 1] = keyEnd
      offsets[to + 2] = valueStart
      offsets[to + 3] = valueEnd
    }
  }

  /** The attributes as a `Map(String, String)`. */
  write(r: WireReader, budget: TranscodeBudget, writer: RowWriter): void {
    writer.droppedAttributes += this.sort(r.bytes)
    const { offsets, count } = this
    writer.varint(count)
    for (let at = 0; at < count * 4; at += 4) {
      writer.text(r.bytes, offsets[at]!, offsets[at + 1]!)
      writeValue(r, offsets[at + 2]!, offsets[at + 3]!, budget, writer)
    }
  }

  /** Writes the value of one key as text, `''` when it is not there. `key` is ASCII. */
  writeValueOf(key: string, r: WireReader, budget: TranscodeBudget, writer: RowWriter): void {
    const { offsets, count } = this
    for (let at = (count - 1) * 4; at >= 0; at -= 4)
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

function isText(bytes: Uint8Array, start: number, end: number): boolean {
  let seen = 0
  for (let i = start; i < end; i++) seen |= bytes[i]!
  return seen < 0x80 || isUtf8(bytes.subarray(start, end))
}

function compareBytes(bytes: Uint8Array, aStart: number, aEnd: number, bStart: number, bEnd: number): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart)
  for (let i = 0; i < length; i++) {
    const difference = bytes[aStart + i]! - bytes[bStart + i]!
    if (difference !== 0) return difference
  }
  return aEnd - aStart - (bEnd - bStart)
}

/** bytes[start, end) is an AnyValue. Text, the common case, is copied; the rest is spelled out. */
function writeValue(
  r: WireReader,
  start: number,
  end: number,
  budget: TranscodeBudget,
  writer: RowWriter,
): void {
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
