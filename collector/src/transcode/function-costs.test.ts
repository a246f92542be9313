import type { KeyValue, ProfilesData } from '@hotspan/otlp'
import { expect, test } from 'vitest'
import { profileOf } from '../test-support/made-profiles.ts'
import { hex } from '../test-support/made-spans.ts'
import { functionCosts, maxFrames } from './function-costs.ts'
import { type OwnedProfile, withOwnDictionary } from './own-dictionary.ts'
import { profileRowsFromObjects } from './profiles-from-objects.ts'
import { RowsTooLarge } from './row-writer.ts'

const owned = (data: ProfilesData): OwnedProfile => {
  const profile = data.resourceProfiles[0]!.scopeProfiles[0]!.profiles[0]!
  return withOwnDictionary(profile, data.dictionary, { copiesLeft: 1_000_000 })
}
const costsOf = (data: ProfilesData, framesLeft = maxFrames) => functionCosts(owned(data), { framesLeft })

/** Every sample has these attributes, as a translated pprof has its labels. */
function withLabels(data: ProfilesData, labels: readonly KeyValue[]): ProfilesData {
  const { dictionary, resourceProfiles } = data
  const [resource] = resourceProfiles
  const [scope] = resource!.scopeProfiles
  const [profile] = scope!.profiles
  const firstText = dictionary.stringTable.length
  const firstAttribute = dictionary.attributeTable.length
  const attributeIndices = labels.map((_, i) => firstAttribute + i)
  const samples = profile!.samples.map((sample) => ({ ...sample, attributeIndices }))
  return {
    resourceProfiles: [
      { ...resource!, scopeProfiles: [{ ...scope!, profiles: [{ ...profile!, samples }] }] },
    ],
    dictionary: {
      ...dictionary,
      stringTable: [...dictionary.stringTable, ...labels.map(({ key }) => key)],
      attributeTable: [
        ...dictionary.attributeTable,
        ...labels.map(({ value }, i) => ({ keyStrindex: firstText + i, value, unitStrindex: 0 })),
      ],
    },
  }
}

const one = () => profileOf('s', 1, [{ stack: ['b', 'a'], value: 7 }])

test('a function that calls itself counts once in the total of a sample, and samples of one stack are added up', () => {
  const data = profileOf('s', 1, [
    { stack: ['f', 'f', 'g', 'f'], value: 37 },
    { stack: ['g', 'f'], value: 5 },
  ])
  const costs = costsOf(data).costs.map(({ name, self, total }) => [name, self, total])
  expect(costs).toEqual([
    ['f', 37n, 42n],
    ['g', 5n, 42n],
  ])
})

test('labels of pprof: the route of Pyroscope and Datadog, ids of a span where there is no route', () => {
  for (const key of ['http.route', 'endpoint', 'trace endpoint', 'span_name'])
    expect(costsOf(withLabels(one(), [{ key, value: 'GET /cart' }])).costs[0]).toMatchObject({
      route: 'GET /cart',
      traceId: '',
    })
  const ids = [
    { key: 'trace_id', value: hex(0xab, 32).toUpperCase() },
    { key: 'span_id', value: hex(0xcd, 16) },
  ]
  expect(costsOf(withLabels(one(), ids)).costs[0]).toMatchObject({
    route: '',
    traceId: hex(0xab, 32),
    spanId: hex(0xcd, 16),
  })
  const bad = [
    { key: 'trace_id', value: '123' },
    { key: 'span_id', value: hex(0xcd, 16) },
  ]
  expect(costsOf(withLabels(one(), bad)).costs[0]).toMatchObject({ traceId: '', spanId: '' })
  expect(costsOf(withLabels(one(), [{ key: 'thread', value: 'main' }])).costs[0]!.route).toBe('')
})

test('two functions of one name, file and line are one; the name of the system stands in for one that is missing', () => {
  const data = one()
  const [none, a, b] = data.dictionary.functionTable
  const stringTable = [...data.dictionary.stringTable, 'a']
  const copy = { ...b!, nameStrindex: stringTable.length - 1, startLine: a!.startLine }
  const twice = { ...data, dictionary: { ...data.dictionary, stringTable, functionTable: [none!, a!, copy] } }
  expect(costsOf(twice).costs).toMatchObject([{ name: 'a', self: 7n, total: 7n }])
  const unnamed = { ...b!, nameStrindex: 0, systemNameStrindex: b!.nameStrindex, startLine: -5n }
  const mangled = { ...data, dictionary: { ...data.dictionary, functionTable: [none!, a!, unnamed] } }
  expect(costsOf(mangled).costs[0]).toMatchObject({ name: 'b', startLine: 0 })
})

test('past the budget of frames the functions are left out; past that of copies the body is too large', () => {
  expect(costsOf(one(), 1)).toEqual({ costs: [], leftOut: 'functions' })
  const data = one()
  const [resource] = data.resourceProfiles
  const [scope] = resource!.scopeProfiles
  const locationIndices = Array.from({ length: 200_000 }, () => 1)
  const shared: ProfilesData = {
    resourceProfiles: [
      { ...resource!, scopeProfiles: [{ ...scope!, profiles: Array(101).fill(scope!.profiles[0]) }] },
    ],
    dictionary: { ...data.dictionary, stackTable: [{ locationIndices: [] }, { locationIndices }] },
  }
  expect(() => profileRowsFromObjects(shared, 1)).toThrow(RowsTooLarge)
})

test('long names are cut, and the profile keeps them whole', () => {
  const name = 'x'.repeat(10_000)
  const { tables, warnings, rejected } = profileRowsFromObjects(
    profileOf('s', 1, [{ stack: [name], value: 1 }]),
    1,
  )
  expect([warnings, [...rejected]]).toEqual([[], []])
  const [profiles, functions] = tables.map(({ rows }) => rows.payload)
  expect(functions!.includes('x'.repeat(4096))).toBe(true)
  expect(functions!.includes('x'.repeat(4097))).toBe(false)
  expect(profiles!.includes(name)).toBe(true)
})
