import type {
  Profile,
  ProfileAttribute,
  ProfileFunction,
  ProfileLink,
  ProfileLocation,
  ProfileMapping,
  ProfileStack,
  ProfilesDictionary,
} from '@hotspan/otlp'
import { RowsTooLarge } from './row-writer.ts'

/** Why a profile cannot be kept; the message is the same for every profile with this fault. */
export class BadProfile extends Error {}

/** Entries of stacks, locations and samples that the profiles of one body may copy: one long stack may be named by each of them. */
export const maxCopies = 16_000_000

/** What profiles of one body may still copy. */
export interface CopyBudget {
  copiesLeft: number
}

export interface OwnedProfile {
  readonly profile: Profile
  readonly dictionary: ProfilesDictionary
}

const noIndices: readonly number[] = []

/**
 * The profile with a dictionary of its own, which holds what it uses and no more: the one of the message may be that of a whole machine.
 * Every index of the outcome is within its table. Throws `BadProfile` when one of the profile is not,
 * `RowsTooLarge` past the budget.
 */
export function withOwnDictionary(
  profile: Profile,
  shared: ProfilesDictionary,
  budget: CopyBudget,
): OwnedProfile {
  const copied = (count: number): void => {
    budget.copiesLeft -= count
    if (budget.copiesLeft < 0) throw new RowsTooLarge(`the profiles share more than ${maxCopies} entries`)
  }
  const texts = taken('string', shared.stringTable, '', (text) => text)
  const attributes = taken<ProfileAttribute>(
    'attribute',
    shared.attributeTable,
    { keyStrindex: 0, value: null, unitStrindex: 0 },
    ({ keyStrindex, value, unitStrindex }) => ({
      keyStrindex: texts.take(keyStrindex),
      value,
      unitStrindex: texts.take(unitStrindex),
    }),
  )
  const mappings = taken<ProfileMapping>(
    'mapping',
    shared.mappingTable,
    { memoryStart: 0n, memoryLimit: 0n, fileOffset: 0n, filenameStrindex: 0, attributeIndices: noIndices },
    (mapping) => {
      copied(1 + mapping.attributeIndices.length)
      return {
        ...mapping,
        filenameStrindex: texts.take(mapping.filenameStrindex),
        attributeIndices: mapping.attributeIndices.map(attributes.take),
      }
    },
  )
  const functions = taken<ProfileFunction>(
    'function',
    shared.functionTable,
    { nameStrindex: 0, systemNameStrindex: 0, filenameStrindex: 0, startLine: 0n },
    ({ nameStrindex, systemNameStrindex, filenameStrindex, startLine }) => ({
      nameStrindex: texts.take(nameStrindex),
      systemNameStrindex: texts.take(systemNameStrindex),
      filenameStrindex: texts.take(filenameStrindex),
      startLine,
    }),
  )
  const locations = taken<ProfileLocation>(
    'location',
    shared.locationTable,
    { mappingIndex: 0, address: 0n, lines: [], attributeIndices: noIndices },
    ({ mappingIndex, address, lines, attributeIndices }) => {
      copied(1 + lines.length + attributeIndices.length)
      return {
        mappingIndex: mappings.take(mappingIndex),
        address,
        lines: lines.map((line) => ({ ...line, functionIndex: functions.take(line.functionIndex) })),
        attributeIndices: attributeIndices.map(attributes.take),
      }
    },
  )
  const links = taken<ProfileLink>('link', shared.linkTable, { traceId: '', spanId: '' }, (link) => link)
  const stacks = taken<ProfileStack>(
    'stack',
    shared.stackTable,
    { locationIndices: noIndices },
    ({ locationIndices }) => {
      copied(1 + locationIndices.length)
      return { locationIndices: locationIndices.map(locations.take) }
    },
  )
  const typeOf = ({ typeStrindex, unitStrindex }: Profile['sampleType']) => ({
    typeStrindex: texts.take(typeStrindex),
    unitStrindex: texts.take(unitStrindex),
  })
  const owned: Profile = {
    ...profile,
    sampleType: typeOf(profile.sampleType),
    periodType: typeOf(profile.periodType),
    attributeIndices: profile.attributeIndices.map(attributes.take),
    samples: profile.samples.map((sample) => {
      const { values, timestampsUnixNano } = sample
      if (values.length > 0 && timestampsUnixNano.length > 0 && values.length !== timestampsUnixNano.length) {
        throw new BadProfile('a sample with other numbers of values and times')
      }
      return {
        ...sample,
        stackIndex: stacks.take(sample.stackIndex),
        attributeIndices: sample.attributeIndices.map(attributes.take),
        linkIndex: links.take(sample.linkIndex),
      }
    }),
  }
  return {
    profile: owned,
    dictionary: {
      mappingTable: mappings.entries,
      locationTable: locations.entries,
      functionTable: functions.entries,
      linkTable: links.entries,
      stringTable: texts.entries,
      attributeTable: attributes.entries,
      stackTable: stacks.entries,
    },
  }
}

interface Taken<T> {
  readonly entries: readonly T[]
  /** The entry's number in the own table. */
  readonly take: (index: number) => number
}

/** Entries of a table as they are asked for; number 0 stands for none and is always there. */
function taken<T>(what: string, table: readonly T[], zero: T, own: (entry: T) => T): Taken<T> {
  const entries: T[] = []
  const numbers = new Map<number, number>()
  const take = (index: number): number => {
    const known = numbers.get(index)
    if (known !== undefined) return known
    const entry = table[index] ?? (index === 0 ? zero : undefined)
    if (entry === undefined) throw new BadProfile(`an index past the ${what} table`)
    const number = entries.push(zero) - 1
    numbers.set(index, number)
    entries[number] = own(entry)
    return number
  }
  take(0)
  return { entries, take }
}
