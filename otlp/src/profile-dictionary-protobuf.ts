import { readAnyValue } from './any-value-protobuf.ts'
import type { DecodeBudget } from './decode-limits.ts'
import { readId, SPAN_ID_BYTES, TRACE_ID_BYTES } from './id-protobuf.ts'
import type {
  ProfileAttribute,
  ProfileFunction,
  ProfileLine,
  ProfileLink,
  ProfileLocation,
  ProfileMapping,
  ProfileStack,
} from './profile.ts'
import { readIndices, readUint64, skipUnknown } from './profile-fields-protobuf.ts'
import type { AnyValue } from './span.ts'
import type { WireReader } from './wire-read.ts'

/** Tables of a dictionary as they grow, without its texts, which are read before. */
export interface DictionaryTables {
  readonly mappingTable: ProfileMapping[]
  readonly locationTable: ProfileLocation[]
  readonly functionTable: ProfileFunction[]
  readonly linkTable: ProfileLink[]
  readonly attributeTable: ProfileAttribute[]
  readonly stackTable: ProfileStack[]
}

/** The reader stands on the length of a ProfilesDictionary. */
export function readDictionary(r: WireReader, budget: DecodeBudget, tables: DictionaryTables): void {
  const outer = r.enter()
  while (r.more()) {
    const tag = r.tag()
    if (tag !== 42) budget.takeValue(r.at)
    if (tag === 10) tables.mappingTable.push(readMapping(r, budget))
    else if (tag === 18) tables.locationTable.push(readLocation(r, budget))
    else if (tag === 26) tables.functionTable.push(readFunction(r))
    else if (tag === 34) tables.linkTable.push(readLink(r))
    else if (tag === 42) r.skip(tag)
    else if (tag === 50) tables.attributeTable.push(readAttribute(r, budget))
    else if (tag === 58) tables.stackTable.push(readStack(r, budget))
    else skipUnknown(r, tag, 7)
  }
  r.leave(outer)
}

function readMapping(r: WireReader, budget: DecodeBudget): ProfileMapping {
  const outer = r.enter()
  const attributeIndices: number[] = []
  const mapping = { memoryStart: 0n, memoryLimit: 0n, fileOffset: 0n, filenameStrindex: 0, attributeIndices }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 8) mapping.memoryStart = readUint64(r)
    else if (tag === 16) mapping.memoryLimit = readUint64(r)
    else if (tag === 24) mapping.fileOffset = readUint64(r)
    else if (tag === 32) mapping.filenameStrindex = r.int32()
    else if (tag === 40 || tag === 42) readIndices(r, budget, tag, attributeIndices)
    else skipUnknown(r, tag, 5)
  }
  r.leave(outer)
  return mapping
}

function readLocation(r: WireReader, budget: DecodeBudget): ProfileLocation {
  const outer = r.enter()
  const lines: ProfileLine[] = []
  const attributeIndices: number[] = []
  const location = { mappingIndex: 0, address: 0n, lines, attributeIndices }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 8) location.mappingIndex = r.int32()
    else if (tag === 16) location.address = readUint64(r)
    else if (tag === 26) lines.push(readLine(r, budget))
    else if (tag === 32 || tag === 34) readIndices(r, budget, tag, attributeIndices)
    else skipUnknown(r, tag, 4)
  }
  r.leave(outer)
  return location
}

function readLine(r: WireReader, budget: DecodeBudget): ProfileLine {
  budget.takeValue(r.at)
  const outer = r.enter()
  const line = { functionIndex: 0, line: 0n, column: 0n }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 8) line.functionIndex = r.int32()
    else if (tag === 16) line.line = r.int64BigInt()
    else if (tag === 24) line.column = r.int64BigInt()
    else skipUnknown(r, tag, 3)
  }
  r.leave(outer)
  return line
}

function readFunction(r: WireReader): ProfileFunction {
  const outer = r.enter()
  const read = { nameStrindex: 0, systemNameStrindex: 0, filenameStrindex: 0, startLine: 0n }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 8) read.nameStrindex = r.int32()
    else if (tag === 16) read.systemNameStrindex = r.int32()
    else if (tag === 24) read.filenameStrindex = r.int32()
    else if (tag === 32) read.startLine = r.int64BigInt()
    else skipUnknown(r, tag, 4)
  }
  r.leave(outer)
  return read
}

function readLink(r: WireReader): ProfileLink {
  const outer = r.enter()
  const link = { traceId: '', spanId: '' }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) link.traceId = readId(r, TRACE_ID_BYTES)
    else if (tag === 18) link.spanId = readId(r, SPAN_ID_BYTES)
    else skipUnknown(r, tag, 2)
  }
  r.leave(outer)
  return link
}

function readAttribute(r: WireReader, budget: DecodeBudget): ProfileAttribute {
  const outer = r.enter()
  let keyStrindex = 0
  let value: AnyValue = null
  let unitStrindex = 0
  while (r.more()) {
    const tag = r.tag()
    if (tag === 8) keyStrindex = r.int32()
    else if (tag === 18) {
      const inner = r.enter()
      value = readAnyValue(r, budget, 0)
      r.leave(inner)
    } else if (tag === 24) unitStrindex = r.int32()
    else skipUnknown(r, tag, 3)
  }
  r.leave(outer)
  return { keyStrindex, value, unitStrindex }
}

function readStack(r: WireReader, budget: DecodeBudget): ProfileStack {
  const outer = r.enter()
  const locationIndices: number[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 8 || tag === 10) readIndices(r, budget, tag, locationIndices)
    else skipUnknown(r, tag, 1)
  }
  r.leave(outer)
  return { locationIndices }
}
