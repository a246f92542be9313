import { emptyResource, emptyScope } from './any-value-protobuf.ts'
import { base64OfBytes, bytesOfBase64 } from './base64.ts'
import type { DecodeLimits } from './decode-limits.ts'
import { hexOfBytes } from './hex.ts'
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './id-protobuf.ts'
import { type JsonObject, JsonReader } from './json-reader.ts'
import { anyValueToJson, nanosToJson, resourceToJson, scopeToJson, withoutDefaults } from './json-writer.ts'
import {
  expectedProfilesLayout,
  type Profile,
  type ProfileLocation,
  type ProfileSample,
  type ProfilesData,
  type ProfilesDictionary,
  type ValueType,
} from './profile.ts'
import { PROFILE_ID_BYTES } from './profiles-encode-protobuf.ts'
import type { AnyValue } from './span.ts'

/** `ExportProfilesServiceRequest` as OTLP/JSON text (opentelemetry-proto 1.10 and 1.11). */
export function encodeProfilesJson(data: ProfilesData): string {
  return JSON.stringify({
    resourceProfiles: data.resourceProfiles.map((resourceProfiles) => ({
      resource: resourceToJson(resourceProfiles.resource),
      scopeProfiles: resourceProfiles.scopeProfiles.map((scopeProfiles) => ({
        scope: scopeToJson(scopeProfiles.scope),
        profiles: scopeProfiles.profiles.map(profileToJson),
        ...withoutDefaults({ schemaUrl: scopeProfiles.schemaUrl }),
      })),
      ...withoutDefaults({ schemaUrl: resourceProfiles.schemaUrl }),
    })),
    dictionary: dictionaryToJson(data.dictionary),
  })
}

function profileToJson(profile: Profile): Record<string, unknown> {
  return {
    sampleType: withoutDefaults({ ...profile.sampleType }),
    samples: profile.samples.map((sample) =>
      withoutDefaults({
        ...sample,
        values: sample.values.map(String),
        timestampsUnixNano: sample.timestampsUnixNano.map(String),
      }),
    ),
    periodType: withoutDefaults({ ...profile.periodType }),
    ...withoutDefaults({
      timeUnixNano: nanosToJson(profile.timeUnixNano),
      durationNano: nanosToJson(profile.durationNano),
      period: nanosToJson(profile.period),
      profileId: profile.profileId,
      droppedAttributesCount: profile.droppedAttributesCount,
      originalPayloadFormat: profile.originalPayloadFormat,
      originalPayload: base64OfBytes(profile.originalPayload),
      attributeIndices: profile.attributeIndices,
    }),
  }
}

function dictionaryToJson(dictionary: ProfilesDictionary): Record<string, unknown> {
  return {
    mappingTable: dictionary.mappingTable.map((mapping) =>
      withoutDefaults({
        ...mapping,
        memoryStart: nanosToJson(mapping.memoryStart),
        memoryLimit: nanosToJson(mapping.memoryLimit),
        fileOffset: nanosToJson(mapping.fileOffset),
      }),
    ),
    locationTable: dictionary.locationTable.map((location) =>
      withoutDefaults({
        ...location,
        address: nanosToJson(location.address),
        lines: location.lines.map(({ functionIndex, line, column }) =>
          withoutDefaults({ functionIndex, line: nanosToJson(line), column: nanosToJson(column) }),
        ),
      }),
    ),
    functionTable: dictionary.functionTable.map((one) =>
      withoutDefaults({ ...one, startLine: nanosToJson(one.startLine) }),
    ),
    linkTable: dictionary.linkTable.map((link) => withoutDefaults({ ...link })),
    // An empty text is an entry and stays.
    stringTable: dictionary.stringTable.map((text) => withoutDefaults({ text }).text ?? ''),
    attributeTable: dictionary.attributeTable.map(({ value, ...indices }) => ({
      ...withoutDefaults(indices),
      value: anyValueToJson(value),
    })),
    stackTable: dictionary.stackTable.map((stack) => withoutDefaults({ ...stack })),
  }
}

/** Keys of older layouts: ignored as unknown ones they would leave a profile empty without a word. */
const olderKeys = {
  profile: ['sample', 'timeNanos', 'durationNanos', 'profile', 'stringTable', 'locationIndices'],
  sample: ['value', 'locationsStartIndex', 'locationIndex', 'locationIndices'],
  location: ['line'],
  dictionary: ['attributeUnits'],
} as const

const noType: ValueType = { typeStrindex: 0, unitStrindex: 0 }
const emptyDictionary: ProfilesDictionary = {
  mappingTable: [],
  locationTable: [],
  functionTable: [],
  linkTable: [],
  stringTable: [],
  attributeTable: [],
  stackTable: [],
}

/** Reads an OTLP/JSON `ExportProfilesServiceRequest`; tolerant as `decodeProfiles` is. Throws only `OtlpJsonError`. */
export function decodeProfilesJson(
  body: string | Uint8Array,
  limits: Partial<DecodeLimits> = {},
): ProfilesData {
  const r = new JsonReader(limits)
  const request = r.parse(body)
  // Before all else: attributes name texts by their number.
  r.budget.texts = r.message<string[]>(request, 'dictionary', [], (from) => r.texts(from, 'stringTable'))
  const dictionary = r.message(request, 'dictionary', emptyDictionary, (from) => readDictionary(r, from))
  return {
    resourceProfiles: r.list(request, 'resourceProfiles', (resourceProfiles) => ({
      resource: r.message(resourceProfiles, 'resource', emptyResource, (resource) => r.resource(resource)),
      schemaUrl: r.text(resourceProfiles, 'schemaUrl'),
      scopeProfiles: r.list(resourceProfiles, 'scopeProfiles', (scopeProfiles) => ({
        scope: r.message(scopeProfiles, 'scope', emptyScope, (scope) => r.scope(scope)),
        schemaUrl: r.text(scopeProfiles, 'schemaUrl'),
        profiles: r.list(scopeProfiles, 'profiles', (profile) => readProfile(r, profile)),
      })),
    })),
    dictionary,
  }
}

function refuseOlder(r: JsonReader, from: JsonObject, keys: readonly string[]): void {
  const found = keys.find((key) => key in from)
  if (found !== undefined) throw r.error(expectedProfilesLayout, `of an older layout (it has ${found})`)
}

function readProfile(r: JsonReader, from: JsonObject): Profile {
  r.budget.takeRecord()
  refuseOlder(r, from, olderKeys.profile)
  return {
    sampleType: readValueType(r, from, 'sampleType'),
    samples: r.list(from, 'samples', (sample) => readSample(r, sample)),
    timeUnixNano: r.uint64(from, 'timeUnixNano'),
    durationNano: r.uint64(from, 'durationNano'),
    periodType: readValueType(r, from, 'periodType'),
    period: r.int64(from, 'period'),
    profileId: readProfileId(r, from),
    droppedAttributesCount: r.uint32(from, 'droppedAttributesCount'),
    originalPayloadFormat: r.text(from, 'originalPayloadFormat'),
    originalPayload: r.bytes(from, 'originalPayload'),
    attributeIndices: r.int32s(from, 'attributeIndices'),
  }
}

/** Hex, as the Collector writes it; or base64, which is what protobuf's JSON has for bytes that OTLP makes no exception of. */
function readProfileId(r: JsonReader, from: JsonObject): string {
  const text = r.text(from, 'profileId')
  const bytes = text.length === 24 ? bytesOfBase64(text) : null
  return bytes?.length === PROFILE_ID_BYTES ? hexOfBytes(bytes) : r.id(from, 'profileId', PROFILE_ID_BYTES)
}

function readValueType(r: JsonReader, from: JsonObject, key: string): ValueType {
  return r.message(from, key, noType, (type) => ({
    typeStrindex: r.int32(type, 'typeStrindex'),
    unitStrindex: r.int32(type, 'unitStrindex'),
  }))
}

function readSample(r: JsonReader, from: JsonObject): ProfileSample {
  r.budget.takeRecord()
  refuseOlder(r, from, olderKeys.sample)
  return {
    stackIndex: r.int32(from, 'stackIndex'),
    attributeIndices: r.int32s(from, 'attributeIndices'),
    linkIndex: r.int32(from, 'linkIndex'),
    values: r.int64s(from, 'values'),
    timestampsUnixNano: r.uint64s(from, 'timestampsUnixNano'),
  }
}

function readDictionary(r: JsonReader, from: JsonObject): ProfilesDictionary {
  refuseOlder(r, from, olderKeys.dictionary)
  const table = <T>(key: string, read: (item: JsonObject) => T): T[] =>
    r.list(from, key, (item) => {
      r.budget.takeValue()
      return read(item)
    })
  return {
    mappingTable: table('mappingTable', (mapping) => ({
      memoryStart: r.uint64(mapping, 'memoryStart'),
      memoryLimit: r.uint64(mapping, 'memoryLimit'),
      fileOffset: r.uint64(mapping, 'fileOffset'),
      filenameStrindex: r.int32(mapping, 'filenameStrindex'),
      attributeIndices: r.int32s(mapping, 'attributeIndices'),
    })),
    locationTable: table('locationTable', (location) => readLocation(r, location)),
    functionTable: table('functionTable', (one) => ({
      nameStrindex: r.int32(one, 'nameStrindex'),
      systemNameStrindex: r.int32(one, 'systemNameStrindex'),
      filenameStrindex: r.int32(one, 'filenameStrindex'),
      startLine: r.int64(one, 'startLine'),
    })),
    linkTable: table('linkTable', (link) => ({
      traceId: r.id(link, 'traceId', TRACE_ID_BYTES),
      spanId: r.id(link, 'spanId', SPAN_ID_BYTES),
    })),
    stringTable: r.budget.texts ?? [],
    attributeTable: table('attributeTable', (attribute) => ({
      keyStrindex: r.int32(attribute, 'keyStrindex'),
      value: r.message<AnyValue>(attribute, 'value', null, (value) => r.anyValue(value)),
      unitStrindex: r.int32(attribute, 'unitStrindex'),
    })),
    stackTable: table('stackTable', (stack) => ({ locationIndices: r.int32s(stack, 'locationIndices') })),
  }
}

function readLocation(r: JsonReader, from: JsonObject): ProfileLocation {
  refuseOlder(r, from, olderKeys.location)
  return {
    mappingIndex: r.int32(from, 'mappingIndex'),
    address: r.uint64(from, 'address'),
    lines: r.list(from, 'lines', (line) => {
      r.budget.takeValue()
      return {
        functionIndex: r.int32(line, 'functionIndex'),
        line: r.int64(line, 'line'),
        column: r.int64(line, 'column'),
      }
    }),
    attributeIndices: r.int32s(from, 'attributeIndices'),
  }
}
