import { type DecodeLimits, decodeTraces, defaultDecodeLimits } from '@hotspan/otlp'
import { WireError, WireReader } from '@hotspan/otlp/wire'
import { AttributeTable, BrokenKey, type TranscodeBudget } from './attribute-table.ts'
import { RowPages } from './row-pages.ts'
import { RowWriter, viewOf } from './row-writer.ts'
import { fields, idLength, readSpan, spanAttributes, spanIdBytes, traceIdBytes } from './span-fields.ts'
import { type Rows, spanKindNames, spanRowsFromObjects, statusCodeNames } from './spans-from-objects.ts'

/**
 * The hot route: OTLP protobuf to RowBinary rows of `otel_traces` in one walk. Fields are remembered as offsets and copied;
 * no string or object is made per span. Equal to the object route (`spans-from-objects.ts`), which a property test holds.
 * The ugliness is fenced in here, in `span-fields.ts` and in `attribute-table.ts`.
 */

/** With the length in front. */
const asText = (name: string) => Buffer.from(`${String.fromCharCode(name.length)}${name}`)
const kindTexts = spanKindNames.map(asText)
const statusTexts = statusCodeNames.map(asText)

const otherAttributes = new AttributeTable()
const resourceBytes = new RowWriter(4096)
const scopeBytes = new RowWriter(256)

/** Rows of all bodies pass through here, one body at a time. */
const pages = new RowPages()
const rowsOut = pages.writer
const identity = new RowWriter(1 << 16)
let allHaveIds = true

export interface SpanRows extends Rows {
  /**
   * Ids and times of all spans, and the length of the body: a tenth of its bytes, and they tell it from bodies of other spans. The same spans
   * with another attribute of equal length are the same body, which is accepted: the store takes a span once by its ids. Null when a span
   * has no id. Overwritten by the next body.
   */
  readonly spanIds: Uint8Array | null
}

/**
 * Rows of `otel_traces` from a protobuf `ExportTraceServiceRequest`.
 *
 * @throws WireError when the body is no such message or passes a limit
 */
export function spanRowsFromProtobuf(body: Uint8Array, limits: DecodeLimits = defaultDecodeLimits): SpanRows {
  const budget: TranscodeBudget = {
    recordsLeft: limits.maxRecords,
    valuesLeft: limits.maxValues,
    maxDepth: limits.maxDepth,
  }
  rowsOut.cutValues = rowsOut.droppedAttributes = 0
  const start = rowsOut.at
  const view = viewOf(body)
  rowsOut.readFrom(body, view)
  resourceBytes.readFrom(body, view)
  scopeBytes.readFrom(body, view)
  identity.readFrom(body, view)
  spanAttributes.readFrom(view)
  otherAttributes.readFrom(view)
  identity.startAgain()
  allHaveIds = true
  identity.int32(body.length)
  let rows = 0
  try {
    const r = new WireReader(body)
    while (r.more()) {
      const tag = r.tag()
      if (tag === 10) rows += writeResourceSpans(r, budget, rowsOut)
      else r.skip(tag)
    }
  } catch (error) {
    pages.takeBack(start)
    if (error instanceof BrokenKey)
      return { ...spanRowsFromObjects(decodeTraces(body, limits)), spanIds: null }
    throw error
  }
  const { cutValues, droppedAttributes } = rowsOut
  const spanIds = allHaveIds ? identity.bytes.subarray(0, identity.at) : null
  return { rows, ...pages.handOver(start), cutValues, droppedAttributes, spanIds }
}

function writeResourceSpans(r: WireReader, budget: TranscodeBudget, writer: RowWriter): number {
  const outer = r.enter()
  const start = r.at
  otherAttributes.clear()
  // The resource may stand behind the spans that it describes.
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) {
      otherAttributes.clear()
      readAttributes(r, 10, budget)
    } else r.skip(tag)
  }
  resourceBytes.startAgain()
  resourceBytes.cutValues = resourceBytes.droppedAttributes = 0
  otherAttributes.writeValueOf('service.name', r, budget, resourceBytes)
  otherAttributes.write(r, budget, resourceBytes)
  r.at = start
  let rows = 0
  while (r.more()) {
    const tag = r.tag()
    if (tag === 18) rows += writeScopeSpans(r, budget, writer)
    else r.skip(tag)
  }
  writer.cutValues += resourceBytes.cutValues * rows
  writer.droppedAttributes += resourceBytes.droppedAttributes * rows
  r.leave(outer)
  return rows
}

/** Reads a message into `otherAttributes`, of which only the attributes matter here. */
function readAttributes(r: WireReader, attributeTag: number, budget: TranscodeBudget): void {
  const outer = r.enter()
  while (r.more()) {
    const tag = r.tag()
    if (tag === attributeTag) otherAttributes.add(r, budget)
    else r.skip(tag)
  }
  r.leave(outer)
}

function writeScopeSpans(r: WireReader, budget: TranscodeBudget, writer: RowWriter): number {
  const outer = r.enter()
  const start = r.at
  let nameStart = 0
  let nameEnd = 0
  let versionStart = 0
  let versionEnd = 0
  while (r.more()) {
    const tag = r.tag()
    if (tag !== 10) {
      r.skip(tag)
      continue
    }
    nameStart = nameEnd = versionStart = versionEnd = 0
    otherAttributes.clear()
    const scopeEnd = r.enter()
    while (r.more()) {
      const inner = r.tag()
      if (inner === 10) {
        const length = r.length()
        nameStart = r.at
        nameEnd = r.at += length
      } else if (inner === 18) {
        const length = r.length()
        versionStart = r.at
        versionEnd = r.at += length
      } else if (inner === 26) otherAttributes.add(r, budget)
      else r.skip(inner)
    }
    // No column holds them, but a body in which they are damaged is refused as a whole.
    scopeBytes.startAgain()
    otherAttributes.write(r, budget, scopeBytes)
    r.leave(scopeEnd)
  }
  scopeBytes.startAgain()
  scopeBytes.text(r.bytes, nameStart, nameEnd)
  scopeBytes.text(r.bytes, versionStart, versionEnd)
  sharedStart = -1
  r.at = start
  let rows = 0
  while (r.more()) {
    const tag = r.tag()
    if (tag === 18) {
      if (--budget.recordsLeft < 0) throw new WireError('too-many', r.at, 'more spans than allowed')
      readSpan(r, budget)
      writeSpan(r, budget, writer)
      rows++
    } else r.skip(tag)
  }
  r.leave(outer)
  return rows
}

function writeSpan(r: WireReader, budget: TranscodeBudget, writer: RowWriter): void {
  const { bytes, at: resumeAt, end: resumeEnd } = r
  if (fields.traceIdLength === 0 || fields.spanIdLength === 0) allHaveIds = false
  else identity.identity(fields.traceIdStart, fields.spanIdStart, fields.startAt, fields.endAt)
  writer.time(fields.startAt)
  writer.hex(bytes, fields.traceIdStart, fields.traceIdLength)
  writer.hex(bytes, fields.spanIdStart, fields.spanIdLength)
  writer.hex(bytes, fields.parentStart, fields.parentLength)
  writer.text(bytes, fields.stateStart, fields.stateEnd)
  writer.text(bytes, fields.nameStart, fields.nameEnd)
  const kind = kindTexts[fields.kind] ?? kindTexts[0]!
  writer.raw(kind, 0, kind.length)
  writeResourceAndScope(writer)
  spanAttributes.write(r, budget, writer)
  writer.duration(fields.startAt, fields.endAt)
  const status = statusTexts[fields.statusCode] ?? statusTexts[0]!
  writer.raw(status, 0, status.length)
  writer.text(bytes, fields.statusStart, fields.statusEnd)
  if (fields.events.length === 0) writer.zeros(3)
  else writeEvents(r, budget, writer)
  if (fields.links.length === 0) writer.zeros(4)
  else writeLinks(r, budget, writer)
  r.at = resumeAt
  r.end = resumeEnd
}

/** Where resource and scope of the current spans stand in the rows already; -1 before the first of them. */
let sharedStart = -1
let sharedEnd = -1

function writeResourceAndScope(writer: RowWriter): void {
  if (sharedStart >= 0) {
    writer.again(sharedStart, sharedEnd)
    return
  }
  sharedStart = writer.at
  writer.raw(resourceBytes.bytes, 0, resourceBytes.at)
  writer.raw(scopeBytes.bytes, 0, scopeBytes.at)
  sharedEnd = writer.at
}

function writeEvents(r: WireReader, budget: TranscodeBudget, writer: RowWriter): void {
  const list = fields.events
  const count = list.length >>> 1
  writer.varint(count)
  for (let i = 0; i < count; i++) {
    enter(r, list, i)
    let high = 0
    let low = 0
    while (r.more()) {
      const tag = r.tag()
      if (tag === 9) {
        r.fixed64()
        high = r.high
        low = r.low
      } else r.skip(tag)
    }
    writer.int64(high, low)
  }
  writer.varint(count)
  for (let i = 0; i < count; i++) writeText(r, list, i, 18, writer)
  writer.varint(count)
  for (let i = 0; i < count; i++) writeAttributes(r, list, i, 26, budget, writer)
}

function writeLinks(r: WireReader, budget: TranscodeBudget, writer: RowWriter): void {
  const list = fields.links
  const count = list.length >>> 1
  writer.varint(count)
  for (let i = 0; i < count; i++) writeId(r, list, i, 10, traceIdBytes, writer)
  writer.varint(count)
  for (let i = 0; i < count; i++) writeId(r, list, i, 18, spanIdBytes, writer)
  writer.varint(count)
  for (let i = 0; i < count; i++) writeText(r, list, i, 26, writer)
  writer.varint(count)
  for (let i = 0; i < count; i++) writeAttributes(r, list, i, 34, budget, writer)
}

/** Narrows the reader to message `index` of a list of ranges. */
function enter(r: WireReader, list: readonly number[], index: number): void {
  r.at = list[index * 2]!
  r.end = list[index * 2 + 1]!
}

function writeText(
  r: WireReader,
  list: readonly number[],
  index: number,
  wanted: number,
  writer: RowWriter,
): void {
  enter(r, list, index)
  let start = 0
  let end = 0
  while (r.more()) {
    const tag = r.tag()
    if (tag === wanted) {
      const length = r.length()
      start = r.at
      end = r.at += length
    } else r.skip(tag)
  }
  writer.text(r.bytes, start, end)
}

function writeId(
  r: WireReader,
  list: readonly number[],
  index: number,
  wanted: number,
  size: number,
  writer: RowWriter,
): void {
  enter(r, list, index)
  let start = 0
  let length = 0
  while (r.more()) {
    const tag = r.tag()
    if (tag === wanted) {
      length = idLength(r, size)
      start = r.at - length
    } else r.skip(tag)
  }
  writer.hex(r.bytes, start, length)
}

function writeAttributes(
  r: WireReader,
  list: readonly number[],
  index: number,
  wanted: number,
  budget: TranscodeBudget,
  writer: RowWriter,
): void {
  enter(r, list, index)
  otherAttributes.clear()
  while (r.more()) {
    const tag = r.tag()
    if (tag === wanted) otherAttributes.add(r, budget)
    else r.skip(tag)
  }
  otherAttributes.write(r, budget, writer)
}
