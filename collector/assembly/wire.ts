import { refuse } from './host'

/**
 * A cursor over protobuf in memory: `WireReader` of `@hotspan/otlp` once more, with its errors. Everything is checked against `end`;
 * `fail` throws, so nothing behind it runs.
 */

/** Numbers of the errors, whose words are in `src/transcode/span-walk.ts`. */
export const valueTruncated = 0
export const lengthTruncated = 1
export const varintTooLong = 2
export const badTag = 3
export const badWireType = 4
export const groupsTooDeep = 5
export const groupNotOpen = 6
export const badIdLength = 7
export const tooManySpans = 8
export const tooManyValues = 9

const maxGroupDepth: usize = 100
const openGroups = memory.data(400)

/** The next byte, and the end of the message that is read. */
export let at: usize = 0
export let end: usize = 0
let bodyStart: usize = 0

/** Starts on another body. */
export function readBody(from: usize, to: usize): void {
  bodyStart = from
  readRange(from, to)
}

export function readRange(from: usize, to: usize): void {
  at = from
  end = to
}

export function moveTo(to: usize): void {
  at = to
}

export function fail(fault: i32, where: usize, first: i32 = 0, second: i32 = 0): void {
  refuse(fault, <u32>(where - bodyStart), first, second)
}

/** Opens a length-delimited field as the range to read; returns the outer end for `leaveMessage`. */
export function enterMessage(): usize {
  const size = length()
  const outer = end
  end = at + size
  return outer
}

export function leaveMessage(outerEnd: usize): void {
  at = end
  end = outerEnd
}

/** Any varint, at most ten bytes. */
export function varint(): u64 {
  const start = at
  let value: u64 = 0
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    if (at >= end) fail(valueTruncated, at)
    const byte: u64 = load<u8>(at++)
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value
  }
  fail(varintTooLong, start)
  return 0
}

/** Field number and wire type in one number. */
export function tag(): u32 {
  const start = at
  const value = varint()
  if (value >> 32 !== 0 || value >> 3 === 0) fail(badTag, start)
  return <u32>value
}

/** Length of a length-delimited field, checked to fit; the cursor then stands on its first byte. */
export function length(): usize {
  const start = at
  const value = varint()
  if (value > <u64>(end - at)) fail(lengthTruncated, start)
  return <usize>value
}

export function pass(bytes: usize): void {
  if (at + bytes > end) fail(valueTruncated, at)
  at += bytes
}

/** Passes over a length-delimited field: returns where its content starts; the cursor then stands at its end. */
export function content(): usize {
  const bytes = length()
  at += bytes
  return at - bytes
}

/** Passes over one field of any wire type. */
export function skip(read: u32): void {
  const wireType = read & 7
  if (wireType === 0) varint()
  else if (wireType === 1) pass(8)
  else if (wireType === 2) content()
  else if (wireType === 3) skipGroup(read)
  else if (wireType === 5) pass(4)
  else fail(badWireType, at, wireType)
}

/** A stack of its own: hostile input would exhaust that of the calls. */
function skipGroup(read: u32): void {
  store<u32>(openGroups, read >>> 3)
  let open: usize = 1
  while (open > 0) {
    const start = at
    const inner = tag()
    const wireType = inner & 7
    if (wireType === 3) {
      if (open >= maxGroupDepth) fail(groupsTooDeep, start)
      store<u32>(openGroups + open * 4, inner >>> 3)
      open++
    } else if (wireType === 4) {
      open--
      if (load<u32>(openGroups + open * 4) !== inner >>> 3) fail(groupNotOpen, start)
    } else skip(inner)
  }
}
