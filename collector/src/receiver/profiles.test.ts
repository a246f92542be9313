import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import {
  decodeExportResponse,
  decodeProfiles,
  decodeRpcStatus,
  encodeProfiles,
  encodeProfilesJson,
  type ProfilesData,
} from '@hotspan/otlp'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createToken, limitProject } from '../access/token-file.ts'
import { type Collector, createCollector } from '../collector.ts'
import { profileFunctions } from '../queries/profile-functions.ts'
import { openStore } from '../store.ts'
import { profileOf } from '../test-support/made-profiles.ts'
import { hex } from '../test-support/made-spans.ts'
import { recordedProfiles } from '../test-support/recorded-senders.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { missingStockCollector, startStockCollector } from '../test-support/stock-collector.ts'

const protobuf = 'application/x-protobuf'
const json = 'application/json'
const path = '/v1development/profiles'
const exportProfiles = '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export'
const slow = { timeout: 60_000 }
const noStockCollector = missingStockCollector()
/** Of the recorded body. */
const recordedMs = 1_795_212_000_000
const scopeOf = (fromMs: number) => ({ fromMs, toMs: fromMs + 3_600_000 })

describe.skipIf(missingEngine() !== null)('profiles, from the wire to the store', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  const write = createToken(dataDir, { kind: 'write', project: 'shop' })
  const bankWrites = createToken(dataDir, { kind: 'write', project: 'bank' })
  const key = createToken(dataDir, { kind: 'browser', project: 'shop', origins: ['https://shop.example'] })
  let collector: Collector

  beforeAll(async () => {
    collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      otlpGrpcPort: 0,
      pagePort: 0,
      retentionDays: 0,
      maxBodyBytes: 1024 * 1024,
    })
  }, 60_000)

  afterAll(async () => {
    await collector.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const post = (body: Uint8Array | string, headers: Record<string, string> = {}, at = path) =>
    fetch(collector.otlpUrl + at, {
      method: 'POST',
      body: typeof body === 'string' ? body : Buffer.from(body),
      headers: { 'content-type': typeof body === 'string' ? json : protobuf, ...headers },
    })
  const rows = async (query: string): Promise<Record<string, unknown>[]> => {
    await collector.flush()
    return (await collector.store.client.query({ query, format: 'JSONEachRow' })).json()
  }
  const call = (body: Uint8Array): Promise<{ error: ServiceError | null; answer: Buffer | undefined }> => {
    const client = new Client(new URL(collector.grpcUrl!).host, credentials.createInsecure())
    onTestFinished(() => client.close())
    const same = (bytes: Buffer) => bytes
    return new Promise((resolve) =>
      client.makeUnaryRequest(
        exportProfiles,
        same,
        same,
        Buffer.from(body),
        new Metadata(),
        (error, answer) => resolve({ error, answer }),
      ),
    )
  }

  test(
    "a body of the Collector's own Go code arrives whole, once; success is an empty message",
    slow,
    async () => {
      const body = Buffer.from(recordedProfiles, 'base64')
      const before = collector.stats()
      for (const encoding of ['identity', 'gzip']) {
        const answer = await post(encoding === 'gzip' ? gzipSync(body) : body, {
          'content-encoding': encoding,
        })
        expect(answer.status).toBe(200)
        expect(await answer.arrayBuffer()).toHaveProperty('byteLength', 0)
      }
      const stored = await rows(
        `SELECT * EXCEPT Payload, base64Encode(Payload) AS Payload FROM hotspan_profiles WHERE ServiceName = 'shop-go' ORDER BY SampleType`,
      )
      expect(stored).toMatchObject([
        {
          Timestamp: '2026-11-20 22:00:00.000000000',
          ProfileId: 'c10002030405060708090a0b0c0d0e0f',
          Duration: '10000000000',
          ResourceSchemaUrl: 'https://opentelemetry.io/schemas/1.40.0',
          ResourceAttributes: {
            'process.pid': '4711',
            'service.name': 'shop-go',
            'service.version': '1.0.0',
          },
          ScopeName: 'sender',
          ScopeVersion: '0.1.0',
          DroppedAttributesCount: 3,
          SampleType: 'cpu',
          SampleUnit: 'nanoseconds',
          PeriodType: 'cpu',
          PeriodUnit: 'nanoseconds',
          Period: '10000000',
          SampleCount: '4',
          Total: '500000000',
          Format: 'otlp',
        },
        { SampleType: 'samples', SampleUnit: 'count', Period: '0', SampleCount: '50', Total: '50' },
      ])
      // Each payload is a request of its own: the sent profile, with the dictionary that it needs.
      const sent = decodeProfiles(body)
      for (const [index, { Payload }] of stored.entries()) {
        const kept = decodeProfiles(Buffer.from(String(Payload), 'base64'))
        expect(namesOf(kept, 0)).toEqual(namesOf(sent, index))
        expect(kept.dictionary.stringTable.length).toBeLessThan(sent.dictionary.stringTable.length)
      }
      const functions = await profileFunctions(collector.store, scopeOf(recordedMs), {
        service: 'shop-go',
        sampleType: 'cpu',
      })
      expect(
        functions.map(({ name, file, line, self, total }) => [name, file, line, self / 1e6, total / 1e6]),
      ).toEqual([
        // Recursive: its 310 ms count once.
        ['main.fib – langsam', 'fib.go', 5, 310, 310],
        // Inlined into main.render.
        ['fmt.Sprintf', 'fmt/print.go', 237, 180, 180],
        ['', '/usr/local/bin/shop', 0, 10, 10],
        ['main.main', 'main.go', 11, 0, 500],
        ['main.handleProducts', 'products.go', 20, 0, 490],
        ['main.render', 'products.go', 71, 0, 180],
      ])
      expect(functions[0]).toMatchObject({
        share: 0.62,
        profiles: 1,
        unit: 'nanoseconds',
        service: 'shop-go',
      })
      const after = collector.stats()
      expect(after.receivedProfiles - before.receivedProfiles).toBe(2)
      expect(after.storedProfiles - before.storedProfiles).toBe(2)
      expect(after.duplicates - before.duplicates).toBe(1)
    },
  )

  test('JSON, protobuf and gRPC store the same', slow, async () => {
    const of = (service: string) => profileOf(service, recordedMs, [{ stack: ['b', 'a'], value: 7 }])
    expect((await post(encodeProfilesJson(of('by-json')))).status).toBe(200)
    expect((await post(encodeProfiles(of('by-protobuf')))).status).toBe(200)
    const { error, answer } = await call(encodeProfiles(of('by-grpc')))
    expect(error).toBeNull()
    expect(answer).toHaveLength(0)
    const stored = await rows(
      `SELECT * EXCEPT (ServiceName, ResourceAttributes, ProfileId, Payload) FROM hotspan_profiles WHERE ServiceName LIKE 'by-%'`,
    )
    expect(stored).toHaveLength(3)
    expect(stored[1]).toEqual(stored[0])
    expect(stored[2]).toEqual(stored[0])
    const answerInJson = await post('{}')
    expect([answerInJson.status, await answerInJson.text()]).toEqual([200, '{}'])
  })

  test(
    'indices outside of the dictionary: the profile is rejected and counted, the others are stored',
    slow,
    async () => {
      const good = profileOf('indices', recordedMs, [{ stack: ['a'], value: 1 }])
      const [resource] = good.resourceProfiles
      const [scope] = resource!.scopeProfiles
      const [profile] = scope!.profiles
      const [sample] = profile!.samples
      const withSample = (parts: object) => ({ ...profile!, samples: [{ ...sample!, ...parts }] })
      const profiles = [
        profile!,
        withSample({ stackIndex: 99 }),
        withSample({ stackIndex: -1 }),
        withSample({ linkIndex: 2_000_000_000 }),
        withSample({ attributeIndices: [0, 5] }),
        withSample({ timestampsUnixNano: [1n, 2n] }),
        { ...profile!, sampleType: { typeStrindex: 77, unitStrindex: 0 } },
      ]
      const before = collector.stats().rejectedProfiles
      const request: ProfilesData = {
        ...good,
        resourceProfiles: [{ ...resource!, scopeProfiles: [{ ...scope!, profiles }] }],
      }
      const answer = await post(encodeProfiles(request))
      expect(answer.status).toBe(200)
      const partial = decodeExportResponse(new Uint8Array(await answer.arrayBuffer()))!
      expect(partial.rejected).toBe(6)
      expect(partial.errorMessage).toBe(
        'profiles that cannot be stored: 2 with an index past the stack table, 1 with an index past the link table, ' +
          '1 with an index past the attribute table, 1 with a sample with other numbers of values and times, 1 with an index past the string table',
      )
      expect(collector.stats().rejectedProfiles - before).toBe(6)
      // A table that points outside is found when a profile uses it.
      const functionTable = good.dictionary.functionTable.map((one) => ({ ...one, nameStrindex: 1_000 }))
      const broken = encodeProfilesJson({ ...good, dictionary: { ...good.dictionary, functionTable } })
      expect(await (await post(broken)).json()).toEqual({
        partialSuccess: {
          rejectedProfiles: '1',
          errorMessage: 'profiles that cannot be stored: 1 with an index past the string table',
        },
      })
      expect(await rows(`SELECT count() AS n FROM hotspan_profiles WHERE ServiceName = 'indices'`)).toEqual([
        { n: '1' },
      ])
    },
  )

  test(
    'an older layout and other bad data are 400 with a Status that names what was expected',
    slow,
    async () => {
      const older = '{"resourceProfiles":[{"scopeProfiles":[{"profiles":[{"sample":[],"timeNanos":"1"}]}]}]}'
      const answer = await post(older)
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({
        code: 3,
        message: expect.stringContaining('one dictionary and its stack table'),
      })
      // A profile whose second field is a time, as in the container of the first layout.
      const container = Buffer.from([10, 13, 18, 11, 18, 9, 17, 1, 2, 3, 4, 5, 6, 7, 8])
      const refused = await post(container)
      expect(refused.status).toBe(400)
      expect(decodeRpcStatus(new Uint8Array(await refused.arrayBuffer()))).toMatchObject({
        code: 3,
        message: expect.stringContaining('opentelemetry-proto 1.10'),
        fieldViolations: [{ field: 'profiles' }],
      })
      expect((await call(container)).error).toMatchObject({ code: status.INVALID_ARGUMENT })
    },
  )

  test(
    'the rules of the other signals hold: methods, types, sizes, pages, tokens, quotas',
    slow,
    async () => {
      const body = encodeProfiles(profileOf('rules', recordedMs, [{ stack: ['a'], value: 1 }]))
      expect((await fetch(collector.otlpUrl + path)).status).toBe(405)
      expect((await post(body, { 'content-type': 'text/csv' })).status).toBe(415)
      expect((await post(body, { 'content-encoding': 'br' })).status).toBe(415)
      expect((await post(Buffer.alloc(3_000_000))).status).toBe(413)
      expect((await post(gzipSync(Buffer.alloc(3_000_000)), { 'content-encoding': 'gzip' })).status).toBe(413)
      expect((await post(body, {}, '/v1/profiles')).status).toBe(404)
      expect((await post(body, { authorization: 'Bearer hsw_wrong' })).status).toBe(401)
      const origin = 'https://shop.example'
      const preflight = await fetch(collector.otlpUrl + path, {
        method: 'OPTIONS',
        headers: { origin: 'http://localhost:3000', 'access-control-request-method': 'POST' },
      })
      expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
        204,
        'http://localhost:3000',
      ])
      expect((await post(body, { origin: 'https://evil.example' })).status).toBe(403)
      expect((await post(body, { origin }, `/k/${key.token}${path}`)).status).toBe(200)
      limitProject(dataDir, 'shop', { recordsPerDay: 1 })
      onTestFinished(() => void limitProject(dataDir, 'shop', { recordsPerDay: null }))
      const again = encodeProfiles(profileOf('rules', recordedMs, [{ stack: ['b'], value: 1 }]))
      await expect
        .poll(async () => (await post(again, { authorization: `Bearer ${write.token}` })).status, {
          timeout: 30_000,
        })
        .toBe(429)
    },
  )

  test('a profile without a time or an id gets both, and the id is that of its content', slow, async () => {
    const samples = [{ stack: ['a'], value: 1 }]
    for (const body of [profileOf('bare', 0, samples), profileOf('bare', 0, [...samples, ...samples])])
      for (const sent of [encodeProfiles(body), encodeProfilesJson(body)])
        expect((await post(sent)).status).toBe(200)
    expect(
      await rows(
        `SELECT uniqExact(ProfileId) AS ids, count() AS n, min(length(ProfileId)) AS digits, min(Timestamp) > now() - 600 AS recent FROM hotspan_profiles WHERE ServiceName = 'bare'`,
      ),
    ).toEqual([{ ids: '2', n: '4', digits: '32', recent: 1 }])
  })

  test('stacks that would cost minutes are listed no further, and the sender is told', slow, async () => {
    // One stack of 50,000 frames that 500 samples name, each of another span: 25 million frames from 100 KB.
    const good = profileOf('deep', recordedMs, [{ stack: ['a'], value: 1 }])
    const [resource] = good.resourceProfiles
    const [scope] = resource!.scopeProfiles
    const [profile] = scope!.profiles
    const samples = Array.from({ length: 500 }, (_, i) => ({ ...profile!.samples[0]!, linkIndex: i + 1 }))
    const functions = Array.from({ length: 1_000 }, (_, i) => ({
      ...good.dictionary.functionTable[1]!,
      startLine: BigInt(i + 1),
    }))
    const body = encodeProfiles({
      resourceProfiles: [
        { ...resource!, scopeProfiles: [{ ...scope!, profiles: [{ ...profile!, samples }] }] },
      ],
      dictionary: {
        ...good.dictionary,
        functionTable: [good.dictionary.functionTable[0]!, ...functions],
        locationTable: functions.map((_, i) => ({
          ...good.dictionary.locationTable[1]!,
          lines: [{ functionIndex: i + 1, line: 1n, column: 0n }],
        })),
        stackTable: [
          { locationIndices: [] },
          { locationIndices: Array.from({ length: 50_000 }, (_, i) => i % 1_000) },
        ],
        linkTable: samples
          .map((_, i) => ({ traceId: hex(i + 1, 32), spanId: hex(i + 1, 16) }))
          .concat([{ traceId: '', spanId: '' }]),
      },
    })
    const answer = await post(body)
    const partial = decodeExportResponse(new Uint8Array(await answer.arrayBuffer()))!
    expect(partial).toMatchObject({
      rejected: 0,
      errorMessage: expect.stringContaining('functions of 1 profiles are listed without their spans'),
    })
    expect(
      await rows(
        `SELECT count() AS n, max(TraceId) AS id FROM hotspan_profile_functions WHERE ServiceName = 'deep'`,
      ),
    ).toEqual([{ n: '1000', id: '' }])
    const many = encodeProfiles({
      ...good,
      resourceProfiles: [
        {
          ...resource!,
          scopeProfiles: [{ ...scope!, profiles: Array(10_001).fill({ ...profile!, samples: [] }) }],
        },
      ],
    })
    expect((await post(many)).status).toBe(413)
    const empty = { ...profile!.samples[0]!, stackIndex: 0, values: [] }
    const samplesOnly = { ...profile!, samples: Array(250_001).fill(empty) }
    const tooMany = encodeProfiles({
      ...good,
      resourceProfiles: [{ ...resource!, scopeProfiles: [{ ...scope!, profiles: [samplesOnly] }] }],
    })
    expect((await post(tooMany)).status).toBe(400)
  })

  test('mutated bodies get 200 or a 400 with a Status, and nothing is quarantined', slow, async () => {
    const seed = Buffer.from(recordedProfiles, 'base64')
    const mutants = fc.sample(
      fc.record({
        flips: fc.array(fc.record({ at: fc.nat(), to: fc.nat({ max: 255 }) }), { maxLength: 5 }),
        cut: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat()),
      }),
      { numRuns: 307, seed: 20261121 },
    )
    const seen = new Map<number, number>()
    for (const { flips, cut } of mutants) {
      const body = Buffer.from(seed.subarray(0, cut === 0 ? seed.length : cut % seed.length))
      for (const { at, to } of flips) if (body.length > 0) body[at % body.length] = to
      const answer = await post(body)
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
      const bytes = new Uint8Array(await answer.arrayBuffer())
      if (answer.status === 200) decodeExportResponse(bytes)
      else expect([answer.status, decodeRpcStatus(bytes).code]).toEqual([400, 3])
    }
    expect(seen.get(200)! + seen.get(400)!).toBe(mutants.length)
    expect(seen.get(400)).toBeGreaterThan(50)
    await collector.flush()
    expect(collector.stats().quarantinedRows).toBe(0)
  })

  test('another project has its own', slow, async () => {
    const body = encodeProfiles(profileOf('secret', recordedMs, [{ stack: ['a'], value: 1 }]))
    expect((await post(body, { authorization: `Bearer ${bankWrites.token}` })).status).toBe(200)
    await collector.flush()
    const args = { service: 'secret' }
    expect(await profileFunctions(collector.store, scopeOf(recordedMs), args)).toEqual([])
    const bank = await openStore({ dataDir, project: 'bank' })
    onTestFinished(() => bank.close())
    expect(await profileFunctions(bank, scopeOf(recordedMs), args)).toHaveLength(1)
  })

  test('through the real Collector', slow, async ({ skip }) => {
    skip(noStockCollector !== null, noStockCollector ?? undefined)
    const stock = await startStockCollector(`  otlp_http: { endpoint: "${collector.otlpUrl}" }`, {
      profiles: true,
    })
    const sent = profileOf('stock', recordedMs, [{ stack: ['b', 'a'], value: 7 }])
    const answer = await fetch(stock.otlpUrl + path, {
      method: 'POST',
      headers: { 'content-type': protobuf },
      body: Buffer.from(encodeProfiles(sent)),
    })
    expect(answer.status, stock.output()).toBe(200)
    const stored = () =>
      rows(
        `SELECT ResourceAttributes['service.name'] AS service, Total FROM hotspan_profiles WHERE ServiceName = 'stock'`,
      )
    await expect.poll(stored, { timeout: 30_000 }).toEqual([{ service: 'stock', Total: '7' }])
  })
})

/** The stacks of a profile by name, however the dictionary numbers them. */
function namesOf(data: ProfilesData, index: number): unknown {
  const { stringTable, stackTable, locationTable, functionTable, linkTable, attributeTable, mappingTable } =
    data.dictionary
  const profile = data.resourceProfiles[0]!.scopeProfiles[0]!.profiles[index]!
  return {
    ...profile,
    sampleType: stringTable[profile.sampleType.typeStrindex],
    periodType: stringTable[profile.periodType.typeStrindex],
    resource: data.resourceProfiles[0]!.resource,
    samples: profile.samples.map((sample) => ({
      ...sample,
      linkIndex: linkTable[sample.linkIndex],
      attributeIndices: sample.attributeIndices.map((at) => [
        stringTable[attributeTable[at]!.keyStrindex],
        attributeTable[at]!.value,
      ]),
      stackIndex: stackTable[sample.stackIndex]!.locationIndices.map((at) => {
        const { lines, mappingIndex, address } = locationTable[at]!
        return [
          address,
          stringTable[mappingTable[mappingIndex]!.filenameStrindex],
          ...lines.map(({ functionIndex, line }) => [
            line,
            stringTable[functionTable[functionIndex]!.nameStrindex],
            stringTable[functionTable[functionIndex]!.filenameStrindex],
          ]),
        ]
      }),
    })),
  }
}
