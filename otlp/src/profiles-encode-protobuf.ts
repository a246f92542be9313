import { writeAnyValue, writeResource, writeScope } from './any-value-protobuf.ts'
import { ByteWriter } from './byte-writer.ts'
import { SPAN_ID_BYTES, TRACE_ID_BYTES, writeId } from './id-protobuf.ts'
import type {
  Profile,
  ProfileLocation,
  ProfileMapping,
  ProfileSample,
  ProfilesData,
  ProfilesDictionary,
  ValueType,
} from './profile.ts'
import { MAX_VARINT_BYTES, writeFixed64, writeInt64, writeVarint64 } from './wire-write.ts'

const LOW_32 = 0xffffffffn
/** Bytes of a profile's id. */
export const PROFILE_ID_BYTES = 16

/**
 * `ExportProfilesServiceRequest` as protobuf (opentelemetry-proto 1.10 and 1.11, profiles/v1development/profiles.proto). Throws `TypeError` when an
 * id is not hex of its length.
 */
export function encodeProfiles(data: ProfilesData): Uint8Array {
  const w = new ByteWriter(4096)
  for (const resourceProfiles of data.resourceProfiles) {
    w.message(1, () => {
      w.message(1, () => writeResource(w, resourceProfiles.resource))
      for (const scopeProfiles of resourceProfiles.scopeProfiles) {
        w.message(2, () => {
          w.message(1, () => writeScope(w, scopeProfiles.scope))
          for (const profile of scopeProfiles.profiles) w.message(2, () => writeProfile(w, profile))
          w.stringField(3, scopeProfiles.schemaUrl)
        })
      }
      w.stringField(3, resourceProfiles.schemaUrl)
    })
  }
  w.message(2, () => writeDictionary(w, data.dictionary))
  return w.finish()
}

function writeProfile(w: ByteWriter, profile: Profile): void {
  w.message(1, () => writeValueType(w, profile.sampleType))
  for (const sample of profile.samples) w.message(2, () => writeSample(w, sample))
  w.fixed64Field(3, profile.timeUnixNano)
  int64Field(w, 4, profile.durationNano)
  w.message(5, () => writeValueType(w, profile.periodType))
  int64Field(w, 6, profile.period)
  writeId(w, 7, profile.profileId, PROFILE_ID_BYTES)
  w.uintField(8, profile.droppedAttributesCount)
  w.stringField(9, profile.originalPayloadFormat)
  w.bytesField(10, profile.originalPayload)
  writeIndices(w, 11, profile.attributeIndices)
}

function writeValueType(w: ByteWriter, type: ValueType): void {
  w.uintField(1, type.typeStrindex)
  w.uintField(2, type.unitStrindex)
}

function writeSample(w: ByteWriter, sample: ProfileSample): void {
  w.uintField(1, sample.stackIndex)
  writeIndices(w, 2, sample.attributeIndices)
  w.uintField(3, sample.linkIndex)
  if (sample.values.length > 0) {
    w.message(4, () => {
      for (const value of sample.values) {
        w.ensure(MAX_VARINT_BYTES)
        w.at = writeVarint64(w.bytes, w.at, Number((value >> 32n) & LOW_32), Number(value & LOW_32))
      }
    })
  }
  if (sample.timestampsUnixNano.length > 0) {
    w.message(5, () => {
      for (const time of sample.timestampsUnixNano) {
        w.ensure(8)
        w.at = writeFixed64(w.bytes, w.at, Number((time >> 32n) & LOW_32), Number(time & LOW_32))
      }
    })
  }
}

function writeDictionary(w: ByteWriter, dictionary: ProfilesDictionary): void {
  for (const mapping of dictionary.mappingTable) w.message(1, () => writeMapping(w, mapping))
  for (const location of dictionary.locationTable) w.message(2, () => writeLocation(w, location))
  for (const { nameStrindex, systemNameStrindex, filenameStrindex, startLine } of dictionary.functionTable) {
    w.message(3, () => {
      w.uintField(1, nameStrindex)
      w.uintField(2, systemNameStrindex)
      w.uintField(3, filenameStrindex)
      int64Field(w, 4, startLine)
    })
  }
  for (const { traceId, spanId } of dictionary.linkTable) {
    w.message(4, () => {
      writeId(w, 1, traceId, TRACE_ID_BYTES)
      writeId(w, 2, spanId, SPAN_ID_BYTES)
    })
  }
  for (const text of dictionary.stringTable) w.stringField(5, text, true)
  for (const { keyStrindex, value, unitStrindex } of dictionary.attributeTable) {
    w.message(6, () => {
      w.uintField(1, keyStrindex)
      if (value !== null) w.message(2, () => writeAnyValue(w, value))
      w.uintField(3, unitStrindex)
    })
  }
  for (const stack of dictionary.stackTable) w.message(7, () => writeIndices(w, 1, stack.locationIndices))
}

function writeMapping(w: ByteWriter, mapping: ProfileMapping): void {
  int64Field(w, 1, mapping.memoryStart)
  int64Field(w, 2, mapping.memoryLimit)
  int64Field(w, 3, mapping.fileOffset)
  w.uintField(4, mapping.filenameStrindex)
  writeIndices(w, 5, mapping.attributeIndices)
}

function writeLocation(w: ByteWriter, location: ProfileLocation): void {
  w.uintField(1, location.mappingIndex)
  int64Field(w, 2, location.address)
  for (const { functionIndex, line, column } of location.lines) {
    w.message(3, () => {
      w.uintField(1, functionIndex)
      int64Field(w, 2, line)
      int64Field(w, 3, column)
    })
  }
  writeIndices(w, 4, location.attributeIndices)
}

/** `int64` or `uint64`; zero is left out. */
function int64Field(w: ByteWriter, field: number, value: bigint): void {
  if (value !== 0n) w.bigintField(field, value)
}

function writeIndices(w: ByteWriter, field: number, indices: readonly number[]): void {
  if (indices.length === 0) return
  w.message(field, () => {
    for (const index of indices) {
      w.ensure(MAX_VARINT_BYTES)
      w.at = writeInt64(w.bytes, w.at, index)
    }
  })
}
