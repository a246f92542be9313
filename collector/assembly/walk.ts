import {
  clearAttributes,
  readAttribute,
  setValuesLeft,
  writeAttributes,
  writeServiceName,
} from './attributes'
import { endShared, handOver, startRows, startShared, text } from './rows'
import { readSpan, writeSpan } from './spans'
import { startTimes } from './times'
import {
  at,
  content,
  end,
  enterMessage,
  fail,
  leaveMessage,
  moveTo,
  readBody,
  skip,
  tag,
  tooManySpans,
} from './wire'

/**
 * The hot route of spans, which was most of what receiving costs: OTLP protobuf to RowBinary rows of `otel_traces` in one walk. Fields are
 * remembered as addresses and copied. In WebAssembly, because JavaScript took three times as long (`npm run bench -- receive`): it has 64-bit
 * integers, and sixteen bytes at once. What is rare is JavaScript's work: `host.ts`.
 */

export { valuesLeft } from './attributes'
export { xxh64 } from './fingerprint'
export { kindNames, statusNames } from './spans'
export { earliestNs, latestNs } from './times'

/** Where JavaScript puts the body, with 16 bytes free behind it. */
export const body: usize = __heap_base

let spansLeft: i32 = 0

/**
 * Rows of `otel_traces` from a protobuf `ExportTraceServiceRequest` of `bytes` bytes at `body`. Returns how many; the rows go to `takeRows`.
 */
export function walk(bytes: usize, maxSpans: i32, maxValues: i32): u32 {
  readBody(body, body + bytes)
  spansLeft = maxSpans
  setValuesLeft(maxValues)
  startRows()
  startTimes()
  let rows: u32 = 0
  while (at < end) {
    const field = tag()
    if (field === 10) rows += walkResource()
    else skip(field)
  }
  handOver()
  return rows
}

function walkResource(): u32 {
  const outer = enterMessage()
  const start = at
  clearAttributes()
  // The resource may stand behind the spans that it describes.
  while (at < end) {
    const field = tag()
    if (field === 10) {
      clearAttributes()
      readAttributes(10)
    } else skip(field)
  }
  startShared(0)
  writeServiceName()
  writeAttributes()
  const resourceBytes = endShared()
  moveTo(start)
  let rows: u32 = 0
  while (at < end) {
    const field = tag()
    if (field === 18) rows += walkScope(resourceBytes)
    else skip(field)
  }
  leaveMessage(outer)
  return rows
}

/** Reads the attributes of a message, of which nothing else matters here. */
function readAttributes(wanted: u32): void {
  const outer = enterMessage()
  while (at < end) {
    const field = tag()
    if (field === wanted) readAttribute()
    else skip(field)
  }
  leaveMessage(outer)
}

function walkScope(resourceBytes: usize): u32 {
  const outer = enterMessage()
  const start = at
  let nameStart: usize = 0
  let nameEnd: usize = 0
  let versionStart: usize = 0
  let versionEnd: usize = 0
  while (at < end) {
    const field = tag()
    if (field !== 10) {
      skip(field)
      continue
    }
    nameStart = nameEnd = versionStart = versionEnd = 0
    clearAttributes()
    const scope = enterMessage()
    while (at < end) {
      const inner = tag()
      if (inner === 10) {
        nameStart = content()
        nameEnd = at
      } else if (inner === 18) {
        versionStart = content()
        versionEnd = at
      } else if (inner === 26) readAttribute()
      else skip(inner)
    }
    // No column holds them, but a body in which they are damaged is refused as a whole.
    startShared(resourceBytes)
    writeAttributes()
    endShared()
    leaveMessage(scope)
  }
  startShared(resourceBytes)
  text(nameStart, nameEnd)
  text(versionStart, versionEnd)
  endShared()
  moveTo(start)
  let rows: u32 = 0
  while (at < end) {
    const field = tag()
    if (field === 18) {
      if (--spansLeft < 0) fail(tooManySpans, at)
      readSpan()
      writeSpan()
      rows++
    } else skip(field)
  }
  leaveMessage(outer)
  return rows
}
