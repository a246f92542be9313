import { encodeProfiles, encodeProfilesJson, encodeTraces } from '@hotspan/otlp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createCollector } from '../collector.ts'
import { profileOf } from '../test-support/made-profiles.ts'
import { hex, madeSpan, text, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { profileFunctions } from './profile-functions.ts'

const slow = { timeout: 60_000 }
const atMs = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 10_800_000
const scope = { fromMs: atMs, toMs: atMs + 3_600_000 }

describe.skipIf(missingEngine() !== null)('functions of profiles', () => {
  test(
    'which functions a route spends its CPU in: by the samples, and by the spans to which they link',
    slow,
    async () => {
      const collector = await createCollector({
        dataDir: temporaryDirectory(),
        otlpHttpPort: 0,
        pagePort: 0,
        retentionDays: 0,
      })
      onTestFinished(() => collector.close())
      const post = async (path: string, body: Uint8Array | string) => {
        const answer = await fetch(collector.otlpUrl + path, {
          method: 'POST',
          headers: {
            'content-type': typeof body === 'string' ? 'application/json' : 'application/x-protobuf',
          },
          body: typeof body === 'string' ? body : Buffer.from(body),
        })
        expect(answer.status).toBe(200)
      }
      const path = '/v1development/profiles'
      const traceId = hex(0xabc, 32)
      const server = { traceId, spanId: hex(1, 16), kind: 2 as const, name: 'GET /cart' }
      const route = [text('http.route', '/cart')]
      const query = { traceId, spanId: hex(2, 16), parentSpanId: hex(1, 16), kind: 3 as const }
      const job = { traceId: hex(0xabd, 32), spanId: hex(3, 16), kind: 1 as const, name: 'nightly' }
      const spans = [
        madeSpan(atMs, { ...server, attributes: route }),
        madeSpan(atMs, query),
        madeSpan(atMs, job),
      ]
      await post('/v1/traces', encodeTraces(tracesOf('routes', spans)))
      const samples = [
        { stack: ['serialize', 'handle', 'loop'], value: 70, route: '/products' },
        { stack: ['parse', 'handle', 'loop'], value: 30, route: '/products' },
        { stack: ['price', 'handle', 'loop'], value: 50, traceId, spanId: hex(1, 16) },
        { stack: ['parse', 'handle', 'loop'], value: 17, traceId, spanId: hex(2, 16) },
        { stack: ['compress', 'loop'], value: 90, traceId: job.traceId, spanId: job.spanId },
        { stack: ['gc', 'loop'], value: 13 },
      ]
      const profile = profileOf('routes', atMs, samples, { profileId: hex(7, 32) })
      await post(path, encodeProfiles(profile))
      // Sent again in another body, which no key tells apart.
      await post(path, encodeProfilesJson(profile))
      const other = profileOf('routes', atMs + 60_000, samples.slice(0, 1), { profileId: hex(8, 32) })
      await post(path, encodeProfiles(other))
      await collector.flush()
      const ask = async (args: object) =>
        (await profileFunctions(collector.store, scope, { service: 'routes', ...args })).map(
          ({ name, self, total, profiles }) => [name, self, total, profiles],
        )
      expect(await ask({ route: '/products' })).toEqual([
        ['serialize', 140, 140, 2],
        ['parse', 30, 30, 1],
        ['handle', 0, 170, 2],
        ['loop', 0, 170, 2],
      ])
      expect(await ask({ route: '/cart' })).toEqual([
        ['price', 50, 50, 1],
        ['parse', 17, 17, 1],
        ['handle', 0, 67, 1],
        ['loop', 0, 67, 1],
      ])
      expect(await ask({ route: 'nightly' })).toEqual([
        ['compress', 90, 90, 1],
        ['loop', 0, 90, 1],
      ])
      expect((await ask({ route: '/nothing' })).length + (await ask({ sampleType: 'alloc' })).length).toBe(0)
      expect((await ask({ limit: 1 })).length).toBe(1)
      const whole = await profileFunctions(collector.store, scope, { service: 'routes' })
      expect(whole.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
      expect(whole.find(({ name }) => name === 'loop')).toMatchObject({ self: 0, total: 340, profiles: 2 })
      await expect(
        profileFunctions(collector.store, scope, { service: 'routes' }, { maxRows: 3 }),
      ).rejects.toThrow()
      const later = { fromMs: atMs + 3_600_000, toMs: atMs + 7_200_000 }
      expect(await profileFunctions(collector.store, later, { service: 'routes' })).toEqual([])
    },
  )
})
