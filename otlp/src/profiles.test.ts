import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from './byte-writer.ts'
import {
  decodeProfiles,
  decodeProfilesJson,
  encodeProfiles,
  encodeProfilesJson,
  type KeyValue,
  OtlpJsonError,
  type ProfilesData,
  WireError,
} from './index.ts'

const text = fc.string({ unit: 'binary', maxLength: 30 }).map((s) => s.replace(/\p{Surrogate}/gu, '\ufffd'))
const uint32 = fc.nat({ max: 0xffffffff })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
// Any index, within its table or not: that is not the codec's matter.
const index = fc.oneof(fc.nat({ max: 9 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'))
const orAbsent = (id: fc.Arbitrary<string>) => fc.oneof(id, fc.constant(''))
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 4 })
const value = fc.oneof(text, int64, fc.double(), fc.boolean(), fc.constant(null), list(text))
const keyValues: fc.Arbitrary<KeyValue[]> = list(fc.record({ key: text, value }))
const bytes = fc.uint8Array({ maxLength: 20 })
const valueType = fc.record({ typeStrindex: index, unitStrindex: index })

const profile = fc.record({
  sampleType: valueType,
  samples: list(
    fc.record({
      stackIndex: index,
      attributeIndices: list(index),
      linkIndex: index,
      values: list(int64),
      timestampsUnixNano: list(uint64),
    }),
  ),
  timeUnixNano: uint64,
  durationNano: uint64,
  periodType: valueType,
  period: int64,
  profileId: orAbsent(hex(16)),
  droppedAttributesCount: uint32,
  originalPayloadFormat: text,
  originalPayload: bytes,
  attributeIndices: list(index),
})
const profiles: fc.Arbitrary<ProfilesData> = fc.record({
  resourceProfiles: list(
    fc.record({
      resource: fc.record({ attributes: keyValues, droppedAttributesCount: uint32 }),
      schemaUrl: text,
      scopeProfiles: list(
        fc.record({
          scope: fc.record({
            name: text,
            version: text,
            attributes: keyValues,
            droppedAttributesCount: uint32,
          }),
          schemaUrl: text,
          profiles: list(profile),
        }),
      ),
    }),
  ),
  dictionary: fc.record({
    mappingTable: list(
      fc.record({
        memoryStart: uint64,
        memoryLimit: uint64,
        fileOffset: uint64,
        filenameStrindex: index,
        attributeIndices: list(index),
      }),
    ),
    locationTable: list(
      fc.record({
        mappingIndex: index,
        address: uint64,
        lines: list(fc.record({ functionIndex: index, line: int64, column: int64 })),
        attributeIndices: list(index),
      }),
    ),
    functionTable: list(
      fc.record({
        nameStrindex: index,
        systemNameStrindex: index,
        filenameStrindex: index,
        startLine: int64,
      }),
    ),
    linkTable: list(fc.record({ traceId: orAbsent(hex(16)), spanId: orAbsent(hex(8)) })),
    stringTable: list(text),
    attributeTable: list(fc.record({ keyStrindex: index, value, unitStrindex: index })),
    stackTable: list(fc.record({ locationIndices: list(index) })),
  }),
})

/** JSON that the Collector's own Go code wrote (pdata/pprofile 0.157.0), gzip: two profiles of three stacks. */
const goJson = [
  'H4sIAAAAAAACA7VXzYrjOBB+lUFnraO/JE5uw54ahmWgZ/Yy5KDYSlqMLRlJbiY0gXmHfcN9kqXsOLG7K+nMwDoQ7FJ9Vfo+WeXS',
  'Cwkm+jYU5nPwO1uZSNbfXs5Gsn4hOqVgt206DX03B7Im0YRnW5jM6doQSp511XbOMQXr9n/3jyQ++eaPvSfHI30NfDYhWu+uY3nG',
  'MjZGNsEXJsasseUYZV0aIGrJOTkeN0dKYuGbKaXOAoBuyjARV5oAkU4zWROWcUhJIdUIqOumMl8OPTodGvMIEy3ND7LmgpLW2TSy',
  'SMjeQU7wpIvvD6dBelHzwZW26Hz45kQHHgjnrL8IJcvhdgMyjCMJSirrRnEvASS/ipKTRBe3DSXJ1uarsz/+0s6D+svVXHDBRheh',
  'pGyDTta7wWky2JhgfflLOvWQUSRy1v4BzAXYBZNMsTlbsCXL2YpptmUFK5lhO5hS8E1jyo/nl/RP37pE1rLjfmvp1JspzX9r6UC5',
  'mHTdxIt+364IOLJy1CpQq0StCrXOUesCtS5Ra45aV5iVo9w4yo2j3DjKjaPcOMqNo9z4L+yd91aQo4pwVBGBKiJQRQSqiEAVEagi',
  'AlVEoIoIdLUFyk2g3CTKTaLcJMpNotwkyk2i3CTKTaLcJMpNotwUyk2h3BTKTaHcFMpNodwUyk2h3FR+q8q/90ar1f9Z/I9vqjj/',
  '7SrezS8WT6bWX0NF1uQppSauZzPfGJdMZWqTwiGzftY7xRnPVNc5bCgpbQEz1uEA9b/WTWPd/oveVgbqO+hWm9qHw2PSIUEDwVdK',
  'MkXoyf7J1hbsuczzBcsJJUAKGojRVwMSVb7otJnG7vONPiBlGUyMfaJcSUG6SnT62uxa18324g9jZE0kkLknoMpvBRTngGJ+Z8CF',
  'uhVQXQIqaJveOMizQ34vhZzdyjg/B1zeGW+16F6EIc5kfabrKLDFlRR2Vkif+qzQXr4BKgw4nwIFQ4CLO4BLLOMSA+avMsolglyh',
  'bzCbQuedZPCJnMiVgi76Da3f39Cx0a7z3b7y7WL3nf4QnRBKZm0MM9hF1Wxr3QwODrALtXUZ/A33ez/cPWlXVtDhl22RYt83drcj',
  'nzC0+Ls6ZY9NsC7t+qdZ9zBy3dnth39//vOh0m4fdd3t9G0/DgUnC75NcNApmpZQ4rTz0RTelZB5aBkpKbqqtRm1imcFzweW4UQz',
  '0p9fPQTNBlZwrKF9lZ8sylB4Li2ppILyDT6mKPyuj89hZHM8/geVY+r1Fg4AAA==',
].join('')

describe('profiles', () => {
  test('through protobuf and JSON, and any prefix is the data or a WireError', () => {
    fc.assert(
      fc.property(profiles, fc.nat(), (data, cut) => {
        const encoded = encodeProfiles(data)
        expect(decodeProfiles(encoded)).toEqual(data)
        expect(decodeProfilesJson(encodeProfilesJson(data))).toEqual(data)
        try {
          decodeProfiles(encoded.subarray(0, cut % (encoded.length + 1)))
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('any bytes and any JSON are read or refused, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.json(), (garbage, json) => {
        try {
          decodeProfiles(garbage)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
        try {
          decodeProfilesJson(json)
        } catch (error) {
          expect(error).toBeInstanceOf(OtlpJsonError)
        }
      }),
      { numRuns: 500 },
    )
  })

  test("what the Collector's Go code wrote is read, and written again it is the same", () => {
    const json = gunzipSync(Buffer.from(goJson, 'base64')).toString()
    const data = decodeProfilesJson(json)
    const [cpu, samples] = data.resourceProfiles[0]!.scopeProfiles[0]!.profiles
    expect(cpu).toMatchObject({
      profileId: 'c10002030405060708090a0b0c0d0e0f',
      durationNano: 10_000_000_000n,
      period: 10_000_000n,
      droppedAttributesCount: 3,
    })
    expect(cpu!.samples.map(({ values }) => values)).toEqual([
      [110000000n, 70000000n],
      [310000000n],
      [10000000n],
    ])
    expect(samples!.samples.map(({ timestampsUnixNano }) => timestampsUnixNano.length)).toEqual([18, 31, 1])
    expect(data.dictionary.stringTable).toContain('main.fib – langsam')
    expect(decodeProfiles(encodeProfiles(data))).toEqual(data)
    expect(decodeProfilesJson(encodeProfilesJson(data))).toEqual(data)
  })

  test('attributes may name texts of the dictionary, which comes behind them', () => {
    const w = new ByteWriter()
    const attribute = (key: number, text: number) =>
      w.message(1, () => {
        w.uintField(3, key)
        w.message(2, () => w.uintField(8, text))
      })
    w.message(1, () => w.message(1, () => attribute(1, 2)))
    w.message(2, () => {
      for (const one of ['', 'service.name', 'shop']) w.stringField(5, one, true)
    })
    const attributes = [{ key: 'service.name', value: 'shop' }]
    expect(decodeProfiles(w.finish()).resourceProfiles[0]!.resource.attributes).toEqual(attributes)
    const json = {
      resourceProfiles: [
        { resource: { attributes: [{ keyStrindex: 1, value: { stringValueStrindex: 2 } }] } },
      ],
      dictionary: { stringTable: ['', 'service.name', 'shop'] },
    }
    const read = (body: unknown) => decodeProfilesJson(JSON.stringify(body))
    expect(read(json).resourceProfiles[0]!.resource.attributes).toEqual(attributes)
    const none = { ...json, dictionary: { stringTable: [''] } }
    expect(() => read(none)).toThrow(/keyStrindex is 1; expected a text of a dictionary of 1/)
    const outside = new ByteWriter()
    outside.message(1, () => outside.message(1, () => outside.message(1, () => outside.uintField(3, 7))))
    expect(() => decodeProfiles(outside.finish())).toThrow(/text 7 of a dictionary of 0/)
  })

  test('an older layout is refused by naming the one expected; unknown fields are skipped', () => {
    const profileOf = (fill: (w: ByteWriter) => void): Uint8Array => {
      const w = new ByteWriter()
      w.message(1, () => w.message(2, () => w.message(2, () => fill(w))))
      return w.finish()
    }
    const expected = /opentelemetry-proto 1\.10, with one dictionary and its stack table/
    // A container with its times (1.3 to 1.5), tables or locations in the profile (to 1.8), values where a sample's link is now.
    for (const fill of [
      (w: ByteWriter) => w.fixed64Field(2, 5n),
      (w: ByteWriter) => w.message(3, () => w.varint(1)),
      (w: ByteWriter) => w.message(2, () => w.message(3, () => w.varint(1))),
    ])
      expect(() => decodeProfiles(profileOf(fill))).toThrow(expected)
    const later = profileOf((w) => {
      w.stringField(40, 'later')
      w.uintField(8, 1)
    })
    const [kept] = decodeProfiles(later).resourceProfiles[0]!.scopeProfiles[0]!.profiles
    expect(kept!.droppedAttributesCount).toBe(1)
    const json = (one: unknown, dictionary: unknown = {}) =>
      JSON.stringify({ resourceProfiles: [{ scopeProfiles: [{ profiles: [one] }] }], dictionary })
    for (const older of [
      json({ sample: [] }),
      json({ timeNanos: '1' }),
      json({ samples: [{ locationsStartIndex: 0 }] }),
      json({}, { attributeUnits: [] }),
      json({}, { locationTable: [{ line: [] }] }),
    ])
      expect(() => decodeProfilesJson(older), older).toThrow(expected)
    expect(() => decodeProfilesJson(json({ later: 1 }))).not.toThrow()
  })

  test('a profile id in JSON is hex or base64', () => {
    const id = 'c10002030405060708090a0b0c0d0e0f'
    for (const profileId of [id, id.toUpperCase(), Buffer.from(id, 'hex').toString('base64')]) {
      const body = { resourceProfiles: [{ scopeProfiles: [{ profiles: [{ profileId }] }] }] }
      const data = decodeProfilesJson(JSON.stringify(body))
      expect(data.resourceProfiles[0]!.scopeProfiles[0]!.profiles[0]!.profileId).toBe(id)
    }
  })

  test('samples, table entries and numbers are bounded', () => {
    const data = decodeProfilesJson(gunzipSync(Buffer.from(goJson, 'base64')))
    const body = encodeProfiles(data)
    expect(() => decodeProfiles(body, { maxRecords: 5 })).toThrow(/more than 5 records/)
    expect(() => decodeProfiles(body, { maxValues: 50 })).toThrow(/more than 50/)
    expect(() => decodeProfilesJson(encodeProfilesJson(data), { maxValues: 50 })).toThrow(OtlpJsonError)
  })
})
