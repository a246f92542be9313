import { emptyResource, emptyScope, readAnyValue, readResource, readScope } from './any-value-protobuf.ts'
import { DecodeBudget, type DecodeLimits } from './decode-limits.ts'
import { readId, SPAN_ID_BYTES, TRACE_ID_BYTES } from './id-protobuf.ts'
import {
  expectedProfilesLayout,
  type Profile,
  type ProfileAttribute,
  type ProfileFunction,
  type ProfileLine,
  type ProfileLink,
  type ProfileLocation,
  type ProfileMapping,
  type ProfileSample,
  type ProfileStack,
  type ProfilesData,
  type ResourceProfiles,
  type ScopeProfiles,
  type ValueType,
} from './profile.ts'
import { PROFILE_ID_BYTES } from './profiles-encode-protobuf.ts'
import { readRepeated } from './repeated-protobuf.ts'
import type { AnyValue, Resource, Scope } from './span.ts'
import { WireError } from './wire-error.ts'
import { WireReader } from './wire-read.ts'

const noType: ValueType = { typeStrindex: 0, unitStrindex: 0 }
const noBytes = new Uint8Array(0)

/**
 * Reads an `ExportProfilesServiceRequest` of opentelemetry-proto 1.10 or 1.11. Unknown fields are skipped; a known field in another wire type is how
 * an older layout of the signal shows, and is refused with what was expected. Throws only `WireError`.
 */
export function decodeProfiles(bytes: Uint8Array, limits: Partial<DecodeLimits> = {}): ProfilesData {
  const budget = new DecodeBudget(limits)
  // Before all else: the attributes of resources, which come first, name texts by their number.
  const stringTable = readTexts(new WireReader(bytes), budget)
  budget.texts = stringTable
  const r = new WireReader(bytes)
  const resourceProfiles: ResourceProfiles[] = []
  const dictionary = {
    mappingTable: [] as ProfileMapping[],
    locationTable: [] as ProfileLocation[],
    functionTable: [] as ProfileFunction[],
    linkTable: [] as ProfileLink[],
    stringTable,
    attributeTable: [] as ProfileAttribute[],
    stackTable: [] as ProfileStack[],
  }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) resourceProfiles.push(readResourceProfiles(r, budget))
    else if (tag === 18) readDictionary(r, budget, dictionary)
    else skipUnknown(r, tag, 2)
  }
  return { resourceProfiles, dictionary }
}

function readTexts(r: WireReader, budget: DecodeBudget): string[] {
  const texts: string[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag !== 18) {
      r.skip(tag)
      continue
    }
    const outer = r.enter()
    while (r.more()) {
      const inner = r.tag()
      if (inner !== 42) {
        r.skip(inner)
        continue
      }
      budget.takeValue(r.at)
      texts.push(r.string())
    }
    r.leave(outer)
  }
  return texts
}

/** Passes over a field after the `known` ones, which are numbered from 1; one of these has a form that is not ours. */
function skipUnknown(r: WireReader, tag: number, known: number): void {
  if (tag >>> 3 <= known) {
    throw new WireError('bad-value', r.at, `not the layout expected of profiles, ${expectedProfilesLayout},`)
  }
  r.skip(tag)
}

function readResourceProfiles(r: WireReader, budget: DecodeBudget): ResourceProfiles {
  const outer = r.enter()
  let resource: Resource = emptyResource
  let schemaUrl = ''
  const scopeProfiles: ScopeProfiles[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) resource = readResource(r, budget)
    else if (tag === 18) scopeProfiles.push(readScopeProfiles(r, budget))
    else if (tag === 26) schemaUrl = r.string()
    else skipUnknown(r, tag, 3)
  }
  r.leave(outer)
  return { resource, schemaUrl, scopeProfiles }
}

function readScopeProfiles(r: WireReader, budget: DecodeBudget): ScopeProfiles {
  const outer = r.enter()
  let scope: Scope = emptyScope
  let schemaUrl = ''
  const profiles: Profile[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) scope = readScope(r, budget)
    else if (tag === 18) profiles.push(readProfile(r, budget))
    else if (tag === 26) schemaUrl = r.string()
    else skipUnknown(r, tag, 3)
  }
  r.leave(outer)
  return { scope, schemaUrl, profiles }
}

function readProfile(r: WireReader, budget: DecodeBudget): Profile {
  budget.takeRecord(r.at)
  const outer = r.enter()
  const samples: ProfileSample[] = []
  const attributeIndices: number[] = []
  const profile = {
    sampleType: noType,
    samples,
    timeUnixNano: 0n,
    durationNano: 0n,
    periodType: noType,
    period: 0n,
    profileId: '',
    droppedAttributesCount: 0,
    originalPayloadFormat: '',
    originalPayload: noBytes as Uint8Array,
    attributeIndices,
  }
  while (r.more()) {
    const tag = r.tag()
    switch (tag) {
      case 10:
        profile.sampleType = readValueType(r)
        break
      case 18:
        samples.push(readSample(r, budget))
        break
      case 25:
        profile.timeUnixNano = r.fixed64BigInt()
        break
      case 32:
        profile.durationNano = uint64(r)
        break
      case 42:
        profile.periodType = readValueType(r)
        break
      case 48:
        profile.period = r.int64BigInt()
        break
      case 58:
        profile.profileId = readId(r, PROFILE_ID_BYTES)
        break
      case 64:
        profile.droppedAttributesCount = r.uint32()
        break
      case 74:
        profile.originalPayloadFormat = r.string()
        break
      case 82:
        profile.originalPayload = r.slice().slice()
        break
      case 88:
      case 90:
        readIndices(r, budget, tag, attributeIndices)
        break
      default:
        skipUnknown(r, tag, 11)
    }
  }
  r.leave(outer)
  return profile
}

function readValueType(r: WireReader): ValueType {
  const outer = r.enter()
  const type = { typeStrindex: 0, unitStrindex: 0 }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 8) type.typeStrindex = r.int32()
    else if (tag === 16) type.unitStrindex = r.int32()
    else skipUnknown(r, tag, 2)
  }
  r.leave(outer)
  return type
}

function readSample(r: WireReader, budget: DecodeBudget): ProfileSample {
  budget.takeRecord(r.at)
  const outer = r.enter()
  const attributeIndices: number[] = []
  const values: bigint[] = []
  const timestampsUnixNano: bigint[] = []
  let stackIndex = 0
  let linkIndex = 0
  while (r.more()) {
    const tag = r.tag()
    if (tag === 8) stackIndex = r.int32()
    else if (tag === 16 || tag === 18) readIndices(r, budget, tag, attributeIndices)
    else if (tag === 24) linkIndex = r.int32()
    else if (tag === 32 || tag === 34) readRepeated(r, budget, tag, () => values.push(r.int64BigInt()))
    else if (tag === 41 || tag === 42)
      readRepeated(r, budget, tag, () => timestampsUnixNano.push(r.fixed64BigInt()))
    else skipUnknown(r, tag, 5)
  }
  r.leave(outer)
  return { stackIndex, attributeIndices, linkIndex, values, timestampsUnixNano }
}

interface Tables {
  readonly mappingTable: ProfileMapping[]
  readonly locationTable: ProfileLocation[]
  readonly functionTable: ProfileFunction[]
  readonly linkTable: ProfileLink[]
  readonly attributeTable: ProfileAttribute[]
  readonly stackTable: ProfileStack[]
}

function readDictionary(r: WireReader, budget: DecodeBudget, tables: Tables): void {
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
    if (tag === 8) mapping.memoryStart = uint64(r)
    else if (tag === 16) mapping.memoryLimit = uint64(r)
    else if (tag === 24) mapping.fileOffset = uint64(r)
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
    else if (tag === 16) location.address = uint64(r)
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

function uint64(r: WireReader): bigint {
  return BigInt.asUintN(64, r.int64BigInt())
}

function readIndices(r: WireReader, budget: DecodeBudget, tag: number, into: number[]): void {
  readRepeated(r, budget, tag, () => into.push(r.int32()))
}
