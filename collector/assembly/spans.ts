import {
  clearAttributes,
  readAnyAttribute,
  readAttribute,
  readUsualAttribute,
  takeValue,
  writeAttributes,
} from './attributes'
import { giveUp } from './host'
import { count, endOfRow, id, int64, name, shared, text, zeros } from './rows'
import { addTime } from './times'
import {
  at,
  badIdLength,
  content,
  end,
  enterMessage,
  fail,
  leaveMessage,
  length,
  moveTo,
  pass,
  readRange,
  skip,
  tag,
  varint,
} from './wire'

/** One span at a time: its fields are remembered as addresses, and written as a row. */

const traceIdBytes: usize = 16
const spanIdBytes: usize = 8

/** The names of kinds and status codes by their number, which JavaScript fills in: 16 bytes each, the length in front. */
const nameBytes: usize = 16
const kinds: usize = 6
const statusCodes: usize = 3
export const kindNames = memory.data(<i32>(kinds * nameBytes), 16)
export const statusNames = memory.data(<i32>(statusCodes * nameBytes), 16)

/** Where the events and links of the span start and end. */
const maxParts: usize = 1024
const eventTable = memory.data(<i32>(maxParts * 8), 16)
const linkTable = memory.data(<i32>(maxParts * 8), 16)
let events: usize = 0
let links: usize = 0

/** Of the span that `readSpan` has read last. An id of no bytes is absent, and so is a time at 0. */
let traceId: usize = 0
let traceIdSize: usize = 0
let spanId: usize = 0
let spanIdSize: usize = 0
let parentId: usize = 0
let parentIdSize: usize = 0
let stateStart: usize = 0
let stateEnd: usize = 0
let nameStart: usize = 0
let nameEnd: usize = 0
let kind: usize = 0
let startTime: usize = 0
let endTime: usize = 0
let statusCode: usize = 0
let messageStart: usize = 0
let messageEnd: usize = 0

/** Size of an id, checked; the cursor then stands behind it. */
function idField(expected: usize): usize {
  const start = at
  const size = length()
  if (size !== 0 && size !== expected) fail(badIdLength, start, <i32>size, <i32>expected)
  pass(size)
  return size
}

/**
 * Reads one span; the cursor stands on its length. Fields are expected in the form in which every encoder writes them; `readField` reads
 * any form.
 */
export function readSpan(): void {
  traceIdSize = spanIdSize = parentIdSize = 0
  stateStart = stateEnd = nameStart = nameEnd = messageStart = messageEnd = 0
  startTime = endTime = 0
  kind = statusCode = events = links = 0
  clearAttributes()
  const outer = enterMessage()
  const last = end
  let from = at
  while (from < last) {
    // May stand behind the last byte, and is then used for nothing.
    const next: usize = load<u8>(from, 1)
    switch (load<u8>(from)) {
      case 10:
        if (next === traceIdBytes && from + 18 <= last) {
          traceIdSize = traceIdBytes
          traceId = from + 2
          from += 18
          continue
        }
        break
      case 18:
        if (next === spanIdBytes && from + 10 <= last) {
          spanIdSize = spanIdBytes
          spanId = from + 2
          from += 10
          continue
        }
        break
      case 34:
        if (next === spanIdBytes && from + 10 <= last) {
          parentIdSize = spanIdBytes
          parentId = from + 2
          from += 10
          continue
        }
        break
      case 42:
        if (next < 0x80 && from + 2 + next <= last) {
          nameStart = from + 2
          from = nameEnd = nameStart + next
          continue
        }
        break
      case 48:
        if (next < 0x80 && from + 2 <= last) {
          kind = next
          from += 2
          continue
        }
        break
      case 57:
        if (from + 9 <= last) {
          startTime = from + 1
          from += 9
          continue
        }
        break
      case 65:
        if (from + 9 <= last) {
          endTime = from + 1
          from += 9
          continue
        }
        break
      case 74: {
        takeValue(from)
        const behind = readUsualAttribute(from + 1, last)
        if (behind !== 0) from = behind
        else {
          moveTo(from + 1)
          readAnyAttribute()
          from = at
        }
        continue
      }
      // A status that says nothing, as most senders write it.
      case 122:
        if (next === 0 && from + 2 <= last) {
          statusCode = 0
          messageStart = messageEnd = 0
          from += 2
          continue
        }
        break
      // The flags, which no column holds.
      case 133:
        if (next === 1 && from + 6 <= last) {
          from += 6
          continue
        }
        break
      default:
        break
    }
    moveTo(from)
    readField()
    from = at
  }
  moveTo(from)
  leaveMessage(outer)
}

function readField(): void {
  const field = tag()
  switch (field) {
    case 10:
      traceIdSize = idField(traceIdBytes)
      traceId = at - traceIdSize
      break
    case 18:
      spanIdSize = idField(spanIdBytes)
      spanId = at - spanIdSize
      break
    case 26:
      stateStart = content()
      stateEnd = at
      break
    case 34:
      parentIdSize = idField(spanIdBytes)
      parentId = at - parentIdSize
      break
    case 42:
      nameStart = content()
      nameEnd = at
      break
    case 48:
      kind = <u32>varint()
      break
    case 57:
      pass(8)
      startTime = at - 8
      break
    case 65:
      pass(8)
      endTime = at - 8
      break
    case 74:
      readAttribute()
      break
    case 90:
      addPart(eventTable, events++)
      break
    case 106:
      addPart(linkTable, links++)
      break
    case 122:
      readStatus()
      break
    default:
      skip(field)
  }
}

/** Remembers an event or a link; the cursor stands on its length. */
function addPart(parts: usize, index: usize): void {
  takeValue(at)
  if (index >= maxParts) giveUp()
  store<u32>(parts + index * 8, content())
  store<u32>(parts + index * 8, at, 4)
}

function readPart(parts: usize, index: usize): void {
  readRange(load<u32>(parts + index * 8), load<u32>(parts + index * 8, 4))
}

function readStatus(): void {
  const outer = enterMessage()
  statusCode = 0
  messageStart = messageEnd = 0
  while (at < end) {
    const field = tag()
    if (field === 18) {
      messageStart = content()
      messageEnd = at
    } else if (field === 24) statusCode = <u32>varint()
    else skip(field)
  }
  leaveMessage(outer)
}

/** Writes what `readSpan` has read. */
export function writeSpan(): void {
  const resumeAt = at
  const resumeEnd = end
  const start: u64 = startTime === 0 ? 0 : load<u64>(startTime)
  const stop: u64 = endTime === 0 ? 0 : load<u64>(endTime)
  addTime(start)
  int64(start)
  id(traceId, traceIdSize)
  id(spanId, spanIdSize)
  id(parentId, parentIdSize)
  text(stateStart, stateEnd)
  text(nameStart, nameEnd)
  name(kindNames + (kind < kinds ? kind : 0) * nameBytes)
  shared()
  writeAttributes()
  // A clock that ran backwards must not become a duration of centuries.
  int64(stop > start ? stop - start : 0)
  name(statusNames + (statusCode < statusCodes ? statusCode : 0) * nameBytes)
  text(messageStart, messageEnd)
  if (events === 0) zeros(3)
  else writeEvents()
  if (links === 0) zeros(4)
  else writeLinks()
  endOfRow()
  readRange(resumeAt, resumeEnd)
}

function writeEvents(): void {
  count(events)
  for (let i: usize = 0; i < events; i++) {
    readPart(eventTable, i)
    let time: u64 = 0
    while (at < end) {
      const field = tag()
      if (field === 9) {
        pass(8)
        time = load<u64>(at - 8)
      } else skip(field)
    }
    int64(time)
  }
  count(events)
  for (let i: usize = 0; i < events; i++) writeTextOf(eventTable, i, 18)
  count(events)
  for (let i: usize = 0; i < events; i++) writeAttributesOf(eventTable, i, 26)
}

function writeLinks(): void {
  count(links)
  for (let i: usize = 0; i < links; i++) writeIdOf(linkTable, i, 10, traceIdBytes)
  count(links)
  for (let i: usize = 0; i < links; i++) writeIdOf(linkTable, i, 18, spanIdBytes)
  count(links)
  for (let i: usize = 0; i < links; i++) writeTextOf(linkTable, i, 26)
  count(links)
  for (let i: usize = 0; i < links; i++) writeAttributesOf(linkTable, i, 34)
}

function writeTextOf(parts: usize, index: usize, wanted: u32): void {
  readPart(parts, index)
  let from: usize = 0
  let to: usize = 0
  while (at < end) {
    const field = tag()
    if (field === wanted) {
      from = content()
      to = at
    } else skip(field)
  }
  text(from, to)
}

function writeIdOf(parts: usize, index: usize, wanted: u32, size: usize): void {
  readPart(parts, index)
  let from: usize = 0
  let bytes: usize = 0
  while (at < end) {
    const field = tag()
    if (field === wanted) {
      bytes = idField(size)
      from = at - bytes
    } else skip(field)
  }
  id(from, bytes)
}

function writeAttributesOf(parts: usize, index: usize, wanted: u32): void {
  readPart(parts, index)
  clearAttributes()
  while (at < end) {
    const field = tag()
    if (field === wanted) readAttribute()
    else skip(field)
  }
  writeAttributes()
}
