import { giveUp } from './host'
import { boolean, count, decimal, otherValue, plainText } from './rows'
import { at, content, end, enterMessage, fail, leaveMessage, moveTo, skip, tag, tooManyValues } from './wire'

/**
 * The attributes of one span, event, resource or scope: a table of where their keys and values stand, which is sorted by the bytes of the
 * keys. A list that the table cannot hold, and one in which a key comes twice, is for the object route.
 */

const maxAttributes: usize = 1024
const maxKeyBytes: usize = 1024

const keyStart = 0
const keyBytes = 4
const valueStart = 8
const valueEnd = 12
/** The key's first eight bytes as a number that orders as they do, zeros behind its end: settles most comparisons. */
const keyPrefix = 16
const rowBytes: usize = 24
const prefixBytes: usize = 8

const table = memory.data(<i32>(maxAttributes * rowBytes), 16)
let tableEnd: usize = table

/** Attributes, items of lists, events and links that the body may still hold. JavaScript counts on within nested values. */
export let valuesLeft: i32 = 0

export function setValuesLeft(values: i32): void {
  valuesLeft = values
}

export function takeValue(where: usize): void {
  if (--valuesLeft < 0) fail(tooManyValues, where)
}

export function clearAttributes(): void {
  tableEnd = table
}

/** Reads one KeyValue; the cursor stands on its length. */
export function readAttribute(): void {
  takeValue(at)
  const behind = readUsualAttribute(at, end)
  if (behind === 0) readAnyAttribute()
  else moveTo(behind)
}

/**
 * As every encoder writes it: key, then value, each once, lengths of one byte or two. `from` is its length's; gives the address behind
 * it, and 0, with nothing read, for any other form.
 */
export function readUsualAttribute(from: usize, readerEnd: usize): usize {
  // Enough for every byte that is looked at before a length is known.
  if (from + 8 > readerEnd) return 0
  let size: usize = load<u8>(from++)
  if (size >= 0x80) {
    const more: usize = load<u8>(from++)
    if (more >= 0x80) return 0
    size = (size & 0x7f) | (more << 7)
  }
  const last = from + size
  if (last > readerEnd || size < 4 || load<u8>(from) !== 10) return 0
  const keySize: usize = load<u8>(from, 1)
  const keyEnd = from + 2 + keySize
  if (keySize >= 0x80 || keyEnd + 2 > last || load<u8>(keyEnd) !== 18) return 0
  let value = keyEnd + 2
  let valueSize: usize = load<u8>(keyEnd, 1)
  if (valueSize >= 0x80) {
    if (value >= last) return 0
    const more: usize = load<u8>(value++)
    if (more >= 0x80) return 0
    valueSize = (valueSize & 0x7f) | (more << 7)
  }
  if (value + valueSize !== last) return 0
  append(from + 2, keySize, value, last)
  return last
}

/** One KeyValue of any form. */
export function readAnyAttribute(): void {
  const outer = enterMessage()
  let key: usize = 0
  let keySize: usize = 0
  let from: usize = 0
  let to: usize = 0
  while (at < end) {
    const field = tag()
    if (field === 10) {
      key = content()
      keySize = at - key
    } else if (field === 18) {
      // The first one is left out, but has to be readable.
      if (from > 0) giveUp()
      from = content()
      to = at
    } else skip(field)
  }
  leaveMessage(outer)
  append(key, keySize, from, to)
}

function append(key: usize, keySize: usize, from: usize, to: usize): void {
  if (tableEnd === table + maxAttributes * rowBytes || keySize > maxKeyBytes) giveUp()
  const row = tableEnd
  store<u32>(row, key, keyStart)
  store<u32>(row, keySize, keyBytes)
  store<u32>(row, from, valueStart)
  store<u32>(row, to, valueEnd)
  store<u64>(row, firstBytes(key, keySize), keyPrefix)
  tableEnd = row + rowBytes
}

/** Eight bytes as a number that orders as they do, zeros behind `size`. */
function firstBytes(from: usize, size: usize): u64 {
  const bytes = bswap(load<u64>(from))
  return size >= prefixBytes ? bytes : size === 0 ? 0 : bytes & ~(u64.MAX_VALUE >>> (<u64>size * 8))
}

/** Whether the key of row `a` stands behind that of the row that `prefix`, `key` and `size` are of. Gives up when they are equal. */
function isBehind(a: usize, prefix: u64, key: usize, size: usize): bool {
  const prefixBefore = load<u64>(a, keyPrefix)
  if (prefixBefore !== prefix) return prefixBefore > prefix
  const keyBefore: usize = load<u32>(a, keyStart)
  const sizeBefore: usize = load<u32>(a, keyBytes)
  const both = min(size, sizeBefore)
  for (let i = prefixBytes; i < both; i += prefixBytes) {
    const before = firstBytes(keyBefore + i, both - i)
    const own = firstBytes(key + i, both - i)
    if (before !== own) return before > own
  }
  if (sizeBefore === size) giveUp()
  return sizeBefore > size
}

/**
 * Insertion is the fastest for the ten attributes of a span, often in order already. In a long list, which could come in the worst of orders,
 * rows first jump near their place: Shell's sort, with the gaps of Ciura (2001).
 */
function sort(): void {
  if (tableEnd - table > 64 * rowBytes) {
    insertInSteps(301 * rowBytes)
    insertInSteps(132 * rowBytes)
    insertInSteps(57 * rowBytes)
    insertInSteps(23 * rowBytes)
    insertInSteps(10 * rowBytes)
    insertInSteps(4 * rowBytes)
  }
  insertInSteps(rowBytes)
}

function insertInSteps(step: usize): void {
  const first = table + step
  for (let row = first; row < tableEnd; row += rowBytes) {
    const prefix = load<u64>(row, keyPrefix)
    const key: usize = load<u32>(row, keyStart)
    const size: usize = load<u32>(row, keyBytes)
    if (!isBehind(row - step, prefix, key, size)) continue
    const from = load<u32>(row, valueStart)
    const to = load<u32>(row, valueEnd)
    let place = row
    do {
      v128.store(place, v128.load(place - step))
      store<u64>(place, load<u64>(place - step, keyPrefix), keyPrefix)
      place -= step
    } while (place >= first && isBehind(place - step, prefix, key, size))
    store<u32>(place, key, keyStart)
    store<u32>(place, size, keyBytes)
    store<u32>(place, from, valueStart)
    store<u32>(place, to, valueEnd)
    store<u64>(place, prefix, keyPrefix)
  }
}

/** Writes the attributes as a `Map(String, String)`. */
export function writeAttributes(): void {
  sort()
  count((tableEnd - table) / rowBytes)
  for (let row = table; row < tableEnd; row += rowBytes) {
    const key: usize = load<u32>(row, keyStart)
    // Where it stands among the others is only known once it is mended.
    if (!plainText(key, key + load<u32>(row, keyBytes))) giveUp()
    writeValue(load<u32>(row, valueStart), load<u32>(row, valueEnd))
  }
}

/** `service.name` */
const serviceName = memory.data<u8>([0x73, 0x65, 0x72, 0x76, 0x69, 0x63, 0x65, 0x2e, 0x6e, 0x61, 0x6d, 0x65])

/** Writes the value of `service.name` as text, empty when it is not there. */
export function writeServiceName(): void {
  for (let row = table; row < tableEnd; row += rowBytes) {
    const key: usize = load<u32>(row, keyStart)
    if (load<u32>(row, keyBytes) !== 12 || memory.compare(key, serviceName, 12) !== 0) continue
    writeValue(load<u32>(row, valueStart), load<u32>(row, valueEnd))
    return
  }
  count(0)
}

/** [from, to) is an AnyValue. A text, a whole number or a boolean, and nothing else, is spelled here. */
function writeValue(from: usize, to: usize): void {
  if (!writeUsualValue(from, to)) otherValue(from, to)
}

function writeUsualValue(from: usize, to: usize): bool {
  if (from + 2 > to) {
    if (from !== to) return false
    count(0)
    return true
  }
  const field = load<u8>(from)
  let byte: u64 = load<u8>(from, 1)
  let value = byte & 0x7f
  let behind = from + 2
  for (let shift: u64 = 7; byte >= 0x80; shift += 7) {
    if (behind >= to || shift > 63) return false
    byte = load<u8>(behind++)
    value |= (byte & 0x7f) << shift
  }
  if (field === 10) return behind + value === to && plainText(behind, to)
  if (behind !== to) return false
  if (field === 24) decimal(value)
  else if (field === 16) boolean(value !== 0)
  else return false
  return true
}
