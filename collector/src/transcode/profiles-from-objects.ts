import { hash } from 'node:crypto'
import {
  type DecodeLimits,
  encodeProfiles,
  type KeyValue,
  type Profile,
  type ProfilesData,
  type ResourceProfiles,
  type ScopeProfiles,
} from '@hotspan/otlp'
import { RowTable } from '../schema/row-layout.ts'
import { serviceNameOf, writeAttributes } from './attribute-text.ts'
import {
  type FrameBudget,
  functionCosts,
  maxFrames,
  maxFunctionRows,
  sampleValue,
  shortened,
} from './function-costs.ts'
import {
  BadProfile,
  type CopyBudget,
  maxCopies,
  type OwnedProfile,
  withOwnDictionary,
} from './own-dictionary.ts'
import { RowsTooLarge, RowWriter } from './row-writer.ts'
import { finishedRows, type Rows } from './spans-from-objects.ts'

/** Rows of the two tables of profiles. */
export interface ProfileRows {
  readonly tables: readonly { readonly table: RowTable; readonly rows: Rows }[]
  /** Profiles that cannot be stored, by reason. */
  readonly rejected: ReadonlyMap<string, number>
  /** What was left out of profiles that are stored. */
  readonly warnings: readonly string[]
}

const format = 'otlp'
/** Of one body: a sample costs ten times a span. */
export const profileLimits: Partial<DecodeLimits> = { maxRecords: 250_000, maxValues: 4_000_000 }
/** Of one body: senders have some dozens, and each costs some microseconds however empty it is. */
const maxProfiles = 10_000

/**
 * Rows of `hotspan_profiles` and `hotspan_profile_functions`. A profile without a time has the one of its first sample, or `nowMs`. A profile
 * without an id has one made of its content, so that it is the same when it comes again.
 */
export function profileRowsFromObjects(data: ProfilesData, nowMs: number): ProfileRows {
  const profiles = new RowWriter()
  const functions = new RowWriter()
  const copies: CopyBudget = { copiesLeft: maxCopies }
  const budget: FrameBudget = { framesLeft: maxFrames }
  const rejected = new Map<string, number>()
  const leftOut = { spans: 0, functions: 0 }
  let seen = 0
  let profileCount = 0
  let functionCount = 0
  for (const resourceProfiles of data.resourceProfiles) {
    for (const scopeProfiles of resourceProfiles.scopeProfiles) {
      for (const profile of scopeProfiles.profiles) {
        if (++seen > maxProfiles) throw new RowsTooLarge(`there are more than ${maxProfiles} profiles`)
        const owned = ownedOr(rejected, profile, data, copies)
        if (owned === null) continue
        const head = writeProfile(profiles, owned, resourceProfiles, scopeProfiles, nowMs)
        profileCount += 1
        const costs = functionCosts(owned, budget)
        if (costs.leftOut !== null) leftOut[costs.leftOut] += 1
        for (const { name, file, startLine, route, traceId, spanId, self, total } of costs.costs) {
          functions.uint64(head.timeNs)
          functions.string(head.id)
          functions.string(head.service)
          functions.string(head.sampleType)
          functions.string(head.sampleUnit)
          functions.string(name)
          functions.string(file)
          functions.int32(startLine)
          functions.string(route)
          functions.string(traceId)
          functions.string(spanId)
          functions.uint64(bounded(self))
          functions.uint64(bounded(total))
          functionCount += 1
        }
      }
    }
  }
  const tables = [
    { table: RowTable.Profiles, rows: finishedRows(profileCount, profiles) },
    { table: RowTable.ProfileFunctions, rows: finishedRows(functionCount, functions) },
  ]
  return { tables: tables.filter(({ rows }) => rows.rows > 0), rejected, warnings: warningsOf(leftOut) }
}

function warningsOf(leftOut: { spans: number; functions: number }): string[] {
  const warnings: string[] = []
  if (leftOut.spans > 0)
    warnings.push(
      `functions of ${leftOut.spans} profiles are listed without their spans (more than ${maxFunctionRows} of both)`,
    )
  if (leftOut.functions > 0)
    warnings.push(
      `functions of ${leftOut.functions} profiles are not listed (more than ${maxFunctionRows}, or ${maxFrames} frames in a body)`,
    )
  return warnings
}

function ownedOr(
  rejected: Map<string, number>,
  profile: Profile,
  data: ProfilesData,
  copies: CopyBudget,
): OwnedProfile | null {
  try {
    return withOwnDictionary(profile, data.dictionary, copies)
  } catch (error) {
    if (!(error instanceof BadProfile)) throw error
    rejected.set(error.message, (rejected.get(error.message) ?? 0) + 1)
    return null
  }
}

/** What the rows of a profile's functions repeat. */
interface ProfileHead {
  readonly timeNs: bigint
  readonly id: string
  readonly service: string
  readonly sampleType: string
  readonly sampleUnit: string
}

function writeProfile(
  w: RowWriter,
  { profile, dictionary }: OwnedProfile,
  { resource, schemaUrl: resourceSchemaUrl }: ResourceProfiles,
  { scope, schemaUrl }: ScopeProfiles,
  nowMs: number,
): ProfileHead {
  const text = (index: number): string => dictionary.stringTable[index]!
  const payload = encodeProfiles({
    resourceProfiles: [
      { resource, schemaUrl: resourceSchemaUrl, scopeProfiles: [{ scope, schemaUrl, profiles: [profile] }] },
    ],
    dictionary,
  })
  const { sampleType, periodType } = profile
  const head: ProfileHead = {
    timeNs: timeOf(profile, nowMs),
    id: /[^0]/.test(profile.profileId)
      ? profile.profileId
      : hash('sha256', payload, 'buffer').toString('hex', 0, 16),
    service: shortened(serviceNameOf(resource.attributes)),
    sampleType: shortened(text(sampleType.typeStrindex)),
    sampleUnit: shortened(text(sampleType.unitStrindex)),
  }
  let observations = 0
  let total = 0n
  for (const sample of profile.samples) {
    observations += Math.max(sample.values.length, sample.timestampsUnixNano.length)
    total += sampleValue(sample)
  }
  const attributes: KeyValue[] = profile.attributeIndices.map((index) => {
    const { keyStrindex, value } = dictionary.attributeTable[index]!
    return { key: text(keyStrindex), value }
  })
  w.uint64(head.timeNs)
  w.string(head.id)
  w.uint64(profile.durationNano)
  w.string(head.service)
  w.limitedString(resourceSchemaUrl)
  writeAttributes(w, resource.attributes)
  w.limitedString(schemaUrl)
  w.limitedString(scope.name)
  w.limitedString(scope.version)
  writeAttributes(w, scope.attributes)
  writeAttributes(w, attributes)
  w.int32(profile.droppedAttributesCount)
  w.string(head.sampleType)
  w.string(head.sampleUnit)
  w.limitedString(text(periodType.typeStrindex))
  w.limitedString(text(periodType.unitStrindex))
  w.uint64(profile.period)
  w.uint64(BigInt(observations))
  w.uint64(bounded(total))
  w.string(format)
  w.varint(payload.length)
  w.raw(payload, 0, payload.length)
  return head
}

/** Start of a profile, ns since 1970: its own, that of its first sample, or `nowMs`. */
export function timeOf({ timeUnixNano, samples }: Profile, nowMs: number): bigint {
  if (timeUnixNano !== 0n) return timeUnixNano
  let first = 0n
  for (const { timestampsUnixNano } of samples)
    for (const time of timestampsUnixNano) if (time !== 0n && (first === 0n || time < first)) first = time
  return first === 0n ? BigInt(Math.floor(nowMs)) * 1_000_000n : first
}

const maxInt64 = (1n << 63n) - 1n

/** Within Int64: sums of hostile values are not. */
function bounded(value: bigint): bigint {
  if (value > maxInt64) return maxInt64
  return value < -maxInt64 ? -maxInt64 : value
}
