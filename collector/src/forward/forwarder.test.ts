import { createServer, type Server } from 'node:http'
import { gunzipSync } from 'node:zlib'
import {
  decodeProfiles,
  decodeTraces,
  encodeLogsJson,
  encodeProfiles,
  encodeProfilesJson,
  encodeTraces,
  encodeTracesJson,
} from '@hotspan/otlp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createToken, limitProject, revokeToken } from '../access/token-file.ts'
import { type Collector, createCollector } from '../collector.ts'
import { traceById } from '../queries/trace-by-id.ts'
import { openStore } from '../store.ts'
import { oneLog } from '../test-support/made-logs.ts'
import { profileOf } from '../test-support/made-profiles.ts'
import { hex, madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { missingStockCollector, startStockCollector } from '../test-support/stock-collector.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { forwardTarget } from './forward-target.ts'
import { Forwarder } from './forwarder.ts'

const slow = { timeout: 60_000 }
const patient = { timeout: 30_000 }
const noStockCollector = missingStockCollector()

interface Got {
  readonly path: string
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Buffer
}

/** A receiver that answers with the next of `statuses`, then with the last for ever. */
async function receiver(statuses: number[], headers: Record<string, string> = {}) {
  const got: Got[] = []
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = gunzipSync(Buffer.concat(chunks))
      got.push({ path: request.url ?? '', headers: request.headers, body })
      const status = statuses.length > 1 ? statuses.shift()! : statuses[0]!
      response.writeHead(status, headers).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, got }
}

const trace = (id: number) =>
  tracesOf('s', [madeSpan(Date.now(), { traceId: hex(id, 32), spanId: hex(1, 16) })])
const sent = (bytes: Uint8Array, encoding: 'protobuf' | 'json' = 'protobuf') =>
  ({ signal: 'traces', encoding, bytes: Buffer.from(bytes), project: 'default' }) as const

describe('forwarding', () => {
  const forwarderTo = (url: string, more: object = {}) => {
    const events: string[] = []
    const forwarder = new Forwarder({
      target: { url, headers: { 'x-api-key': 'k' } },
      onEvent: (event) => events.push(event),
      ...more,
    })
    onTestFinished(() => forwarder.close(0))
    return { forwarder, events }
  }

  test('bodies go on in their encoding, with the headers', slow, async () => {
    const { url, got } = await receiver([200])
    const { forwarder } = forwarderTo(`${url}/`)
    forwarder.add(sent(encodeTraces(trace(1))))
    forwarder.add(sent(Buffer.from(encodeTracesJson(trace(2))), 'json'))
    await expect.poll(() => forwarder.stats, patient).toMatchObject({ forwarded: 2, waitingBytes: 0 })
    const [protobuf, json] = got.sort((a, b) =>
      String(b.headers['content-type']).localeCompare(String(a.headers['content-type'])),
    )
    expect(protobuf).toMatchObject({ path: '/v1/traces', headers: { 'x-api-key': 'k' } })
    expect(decodeTraces(protobuf!.body).resourceSpans[0]!.scopeSpans[0]!.spans[0]!.traceId).toBe(hex(1, 32))
    expect(json!.headers['content-type']).toBe('application/json')
    expect(JSON.parse(json!.body.toString())).toHaveProperty('resourceSpans')
    const profile = profileOf('s', Date.now(), [{ stack: ['a'], value: 1 }])
    const bytes = Buffer.from(encodeProfiles(profile))
    forwarder.add({ signal: 'profiles', encoding: 'protobuf', bytes, project: 'default' })
    await expect.poll(() => forwarder.stats, patient).toMatchObject({ forwarded: 3 })
    expect(got[2]!.path).toBe('/v1development/profiles')
    expect(decodeProfiles(got[2]!.body)).toEqual(profile)
  })

  test('503 is tried again, 400 is not; what was dropped is counted', slow, async () => {
    const away = await receiver([503, 429, 200], { 'retry-after': '0' })
    const { forwarder } = forwarderTo(away.url)
    forwarder.add(sent(encodeTraces(trace(1))))
    await expect.poll(() => forwarder.stats, patient).toMatchObject({ forwarded: 1, retries: 2 })
    const picky = await receiver([400])
    const other = forwarderTo(picky.url)
    other.forwarder.add(sent(encodeTraces(trace(1))))
    await expect
      .poll(() => other.forwarder.stats, patient)
      .toMatchObject({ droppedRefused: 1, waitingBytes: 0 })
    expect(picky.got).toHaveLength(1)
    expect(other.events[0]).toContain('HTTP 400')
  })

  test(
    'a receiver that is away: the queue stays bounded, the oldest go; at the end the rest is counted',
    slow,
    async () => {
      const { forwarder } = forwarderTo('http://127.0.0.1:1', { maxQueueBytes: 10_000 })
      for (let i = 0; i < 211; i++) forwarder.add(sent(Buffer.alloc(1000)))
      expect(forwarder.stats.waitingBytes).toBeLessThanOrEqual(10_000)
      await forwarder.close(0)
      const { droppedFull, droppedLate } = forwarder.stats
      expect(droppedFull + droppedLate).toBe(211)
      expect(forwarder.stats).toMatchObject({ forwarded: 0, waitingBytes: 0 })
    },
  )

  test('where to: asked for, else the variable; headers from the variable unless given', () => {
    const env = {
      HOTSPAN_FORWARD_URL: 'https://a',
      HOTSPAN_FORWARD_HEADERS: 'X-Key=a=b, authorization=Bearer%20t,broken',
    }
    const headers = { 'x-key': 'a=b', authorization: 'Bearer t' }
    expect(forwardTarget(undefined, env)).toEqual({ url: 'https://a', headers })
    expect(forwardTarget({ url: 'grpc://b' }, env)).toEqual({ url: 'grpc://b', headers })
    expect(forwardTarget({ url: 'grpc://b', headers: {} }, env)).toEqual({ url: 'grpc://b', headers: {} })
    expect(forwardTarget(null, env)).toBeNull()
    expect(forwardTarget(undefined, {})).toBeNull()
  })

  test('an address that is none is refused', () => {
    expect(() => forwarderTo('collector:4318')).toThrow('expected http://, https://, grpc:// or grpcs://')
  })
})

describe.skipIf(missingEngine() !== null)('a collector that forwards', () => {
  const started = async (options: object): Promise<Collector> => {
    const collector = await createCollector({
      dataDir: temporaryDirectory(),
      otlpHttpPort: 0,
      pagePort: 0,
      ...options,
    })
    onTestFinished(() => collector.close())
    return collector
  }
  const post = async (collector: Collector, path: string, type: string, body: Uint8Array | string) => {
    const answer = await fetch(collector.otlpUrl + path, {
      method: 'POST',
      headers: { 'content-type': type },
      body: typeof body === 'string' ? body : Buffer.from(body),
    })
    expect(answer.ok).toBe(true)
  }

  test(
    'over gRPC, headers and all; refused for good is dropped, over a limit it is asked again',
    slow,
    async () => {
      const dataDir = temporaryDirectory()
      const { token } = createToken(dataDir, { kind: 'write', project: 'far' })
      const spare = createToken(dataDir, { kind: 'write', project: 'far' })
      const far = await started({ dataDir, otlpGrpcPort: 0 })
      const toFar = (shown: string) => {
        const url = far.grpcUrl!.replace(/^http/, 'grpc')
        const target = { url, headers: { authorization: `Bearer ${shown}` } }
        const forwarder = new Forwarder({ target, onEvent: () => undefined })
        onTestFinished(() => forwarder.close(0))
        return forwarder
      }
      const forwarder = toFar(token)
      forwarder.add(sent(encodeTraces(trace(0x81))))
      forwarder.add(sent(Buffer.from(encodeTracesJson(trace(0x82))), 'json'))
      const logs = Buffer.from(encodeLogsJson(oneLog('s', 'x')))
      forwarder.add({ signal: 'logs', encoding: 'json', bytes: logs, project: 'default' })
      const profile = Buffer.from(
        encodeProfilesJson(profileOf('s', Date.now(), [{ stack: ['a'], value: 1 }])),
      )
      forwarder.add({ signal: 'profiles', encoding: 'json', bytes: profile, project: 'default' })
      await expect.poll(() => forwarder.stats, patient).toMatchObject({ forwarded: 4, retries: 0 })
      await far.flush()
      expect(far.stats().storedProfiles).toBe(1)
      const store = await openStore({ dataDir, project: 'far' })
      onTestFinished(() => store.close())
      expect(await traceById(store, hex(0x82, 32))).toHaveLength(1)

      let next = 0x90
      revokeToken(dataDir, spare.record.id)
      const revoked = toFar(spare.token)
      await expect
        .poll(() => {
          revoked.add(sent(encodeTraces(trace(next++))))
          return revoked.stats.droppedRefused
        }, patient)
        .toBeGreaterThan(0)
      // A burst of 20 bytes: the second body finds a debt.
      limitProject(dataDir, 'far', { bytesPerSec: 2 })
      await expect
        .poll(() => {
          forwarder.add(sent(encodeTraces(trace(next++))))
          return forwarder.stats.retries
        }, patient)
        .toBeGreaterThan(0)
    },
  )

  test(`stores, and another collector has the same behind a stock one`, slow, async ({ skip }) => {
    skip(noStockCollector !== null, noStockCollector ?? undefined)
    const last = await started({})
    const stock = await startStockCollector(`  otlp_http:
    endpoint: "${last.otlpUrl}"`)
    const first = await started({ forwardTo: { url: stock.otlpUrl } })
    await post(first, '/v1/traces', 'application/x-protobuf', encodeTraces(trace(0x71)))
    await post(first, '/v1/traces', 'application/json', encodeTracesJson(trace(0x72)))
    const zipkin = [{ traceId: hex(0x73, 32), id: '1', timestamp: Date.now() * 1000, name: 'z' }]
    await post(first, '/api/v2/spans', 'application/json', JSON.stringify(zipkin))
    for (const collector of [first, last]) {
      for (const id of [0x71, 0x72, 0x73]) {
        await expect
          .poll(async () => {
            await collector.flush()
            return (await traceById(collector.store, hex(id, 32))).length
          }, patient)
          .toBe(1)
      }
    }
    await expect.poll(() => first.stats().forwarding, patient).toMatchObject({ forwarded: 3 })
  })
})
