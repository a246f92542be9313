import { emptyResource, emptyScope, readResource, readScope } from './any-value-protobuf.ts'
import { DecodeBudget, type DecodeLimits } from './decode-limits.ts'
import { readId } from './id-protobuf.ts'
import type {
  Profile,
  ProfileSample,
  ProfilesData,
  ResourceProfiles,
  ScopeProfiles,
  ValueType,
} from './profile.ts'
import { type DictionaryTables, readDictionary } from './profile-dictionary-protobuf.ts'
import { readIndices, readUint64, skipUnknown } from './profile-fields-protobuf.ts'
import { PROFILE_ID_BYTES } from './profiles-encode-protobuf.ts'
import { readRepeated } from './repeated-protobuf.ts'
import type { Resource, Scope } from './span.ts'
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
  const tables: DictionaryTables = {
    mappingTable: [],
    locationTable: [],
    functionTable: [],
    linkTable: [],
    attributeTable: [],
    stackTable: [],
  }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) resourceProfiles.push(readResourceProfiles(r, budget))
    else if (tag === 18) readDictionary(r, budget, tables)
    else skipUnknown(r, tag, 2)
  }
  return { resourceProfiles, dictionary: { ...tables, stringTable } }
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
        profile.durationNano = readUint64(r)
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
