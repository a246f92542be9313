import type { AnyValue, Resource, Scope } from './span.ts'

/**
 * Profiles as OTLP sends them (opentelemetry-proto 1.10 and 1.11, `profiles/v1development/profiles.proto`). The signal is in development: the
 * layout with one dictionary for the whole message and a table of stacks came with 1.9, attributes whose texts are numbers in
 * the dictionary with 1.10. An index names an entry of a table of the dictionary; entry 0 of each table is its zero value and
 * stands for "none". Nothing here says that an index is within its table.
 */
export interface ProfilesData {
  readonly resourceProfiles: readonly ResourceProfiles[]
  readonly dictionary: ProfilesDictionary
}

export interface ResourceProfiles {
  readonly resource: Resource
  readonly schemaUrl: string
  readonly scopeProfiles: readonly ScopeProfiles[]
}

export interface ScopeProfiles {
  readonly scope: Scope
  readonly schemaUrl: string
  readonly profiles: readonly Profile[]
}

/** What the profiles of one message share. */
export interface ProfilesDictionary {
  readonly mappingTable: readonly ProfileMapping[]
  readonly locationTable: readonly ProfileLocation[]
  readonly functionTable: readonly ProfileFunction[]
  readonly linkTable: readonly ProfileLink[]
  readonly stringTable: readonly string[]
  readonly attributeTable: readonly ProfileAttribute[]
  readonly stackTable: readonly ProfileStack[]
}

/** What is counted, and in which unit: texts of the dictionary. */
export interface ValueType {
  readonly typeStrindex: number
  readonly unitStrindex: number
}

export interface Profile {
  readonly sampleType: ValueType
  readonly samples: readonly ProfileSample[]
  /** Start, epoch ns. */
  readonly timeUnixNano: bigint
  readonly durationNano: bigint
  readonly periodType: ValueType
  /** Events between two samples, in the unit of `periodType`. */
  readonly period: bigint
  /** 32 hex digits, or '' when the sender gave none. */
  readonly profileId: string
  readonly droppedAttributesCount: number
  /** For example `pprof` or `jfr`; '' when `originalPayload` is empty. */
  readonly originalPayloadFormat: string
  readonly originalPayload: Uint8Array
  readonly attributeIndices: readonly number[]
}

/** Observations that have a stack, attributes and a span in common: a value each, or a time each (the value is 1), or both. */
export interface ProfileSample {
  readonly stackIndex: number
  readonly attributeIndices: readonly number[]
  readonly linkIndex: number
  readonly values: readonly bigint[]
  readonly timestampsUnixNano: readonly bigint[]
}

/** The leaf frame comes first. */
export interface ProfileStack {
  readonly locationIndices: readonly number[]
}

export interface ProfileLocation {
  readonly mappingIndex: number
  readonly address: bigint
  /** Several when calls were inlined; the innermost comes first. */
  readonly lines: readonly ProfileLine[]
  readonly attributeIndices: readonly number[]
}

/** Numbers from 1; 0 is not known. */
export interface ProfileLine {
  readonly functionIndex: number
  readonly line: bigint
  readonly column: bigint
}

export interface ProfileFunction {
  readonly nameStrindex: number
  readonly systemNameStrindex: number
  readonly filenameStrindex: number
  /** Where the function begins; 0 is not known. */
  readonly startLine: bigint
}

export interface ProfileMapping {
  readonly memoryStart: bigint
  readonly memoryLimit: bigint
  readonly fileOffset: bigint
  readonly filenameStrindex: number
  readonly attributeIndices: readonly number[]
}

/** The span during which a sample was taken. */
export interface ProfileLink {
  readonly traceId: string
  readonly spanId: string
}

export interface ProfileAttribute {
  readonly keyStrindex: number
  readonly value: AnyValue
  readonly unitStrindex: number
}

/** What a sender of an older layout is told. */
export const expectedProfilesLayout =
  'profiles.v1development as of opentelemetry-proto 1.10, with one dictionary and its stack table for the whole message'
