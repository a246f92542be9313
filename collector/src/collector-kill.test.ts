import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { encodeProfiles, encodeTraces } from '@hotspan/otlp'
import { describe, expect, test } from 'vitest'
import { liveOwner } from './data-directory/owner.ts'
import { bucketCounts } from './sealing/bucket-counts.ts'
import { openStore } from './store.ts'
import { profileOf } from './test-support/made-profiles.ts'
import { hex, madeSpan, tracesOf } from './test-support/made-spans.ts'
import { missingEngine } from './test-support/require-engine.ts'
import { type SpawnedCollector, spawnCollector } from './test-support/spawn-collector.ts'
import { temporaryDirectory } from './test-support/temporary-directory.ts'

/** Of yesterday, for one run. */
const dayStartMs = Math.floor(Date.now() / 86_400_000 - 1) * 86_400_000
const rounds = 5
const bodiesPerRound = 61
const spansPerBody = 17
const senders = 8

/** One body, the same bytes each time it is made: a sender without an answer sends it again. */
function body(number: number): Buffer {
  const traceId = hex(number + 1, 32)
  const spans = Array.from({ length: spansPerBody }, (_, i) =>
    madeSpan(dayStartMs + number, {
      traceId,
      spanId: hex(i + 1, 16),
      parentSpanId: i === 0 ? '' : hex(1, 16),
    }),
  )
  return Buffer.from(encodeTraces(tracesOf('killed', spans)))
}

/** Every seventh body is a profile. */
const isProfile = (number: number): boolean => number % 7 === 3

function profileBody(number: number): Buffer {
  const startMs = dayStartMs + number
  return Buffer.from(encodeProfiles(profileOf('killed', startMs, [{ stack: ['b', 'a'], value: number }])))
}

/** Sends until the collector is gone or everything is acknowledged; the numbers that were. */
async function sendAll(
  url: string,
  numbers: number[],
  acknowledged: Set<number>,
  onAck: () => void,
): Promise<void> {
  const queue = [...numbers]
  await Promise.all(
    Array.from({ length: senders }, async () => {
      for (let number = queue.shift(); number !== undefined; number = queue.shift()) {
        try {
          const path = isProfile(number) ? '/v1development/profiles' : '/v1/traces'
          const answer = await fetch(url + path, {
            method: 'POST',
            body: new Uint8Array(isProfile(number) ? profileBody(number) : body(number)),
            headers: { 'content-type': 'application/x-protobuf' },
          })
          await answer.arrayBuffer()
          if (answer.status !== 200) continue
          acknowledged.add(number)
          onAck()
        } catch {
          // Killed: not acknowledged.
        }
      }
    }),
  )
}

describe.skipIf(missingEngine() !== null)('kill -9 in the middle of traffic', () => {
  test('every acknowledged span and profile is there once, whatever was killed', {
    timeout: 180_000,
  }, async () => {
    const dataDir = temporaryDirectory()
    const acknowledged = new Set<number>()
    let next = 0
    let carriedOver: number[] = []
    for (let round = 0; round < rounds; round++) {
      const collector: SpawnedCollector = await spawnCollector(dataDir)
      const fresh = Array.from({ length: bodiesPerRound }, (_, i) => next + i)
      next += bodiesPerRound
      const numbers = [...carriedOver, ...fresh]
      let count = 0
      // Receiver, engine, both in turn, each at another point of the traffic.
      const killAt = 7 + round * 11
      let killing: Promise<void> | null = null
      await sendAll(collector.otlpUrl, numbers, acknowledged, () => {
        if (++count !== killAt) return
        const engine = liveOwner(dataDir)?.enginePid ?? 0
        if (round % 3 !== 0) process.kill(engine, 'SIGKILL')
        if (round % 3 !== 1) killing = collector.kill()
      })
      if (killing === null) await collector.kill()
      await killing
      // What had no answer is sent again after the restart, as every sender does.
      carriedOver = numbers.filter((number) => !acknowledged.has(number))
    }
    const last = await spawnCollector(dataDir)
    await sendAll(last.otlpUrl, carriedOver, acknowledged, () => undefined)
    const left = dirname(liveOwner(dataDir)!.engineSocket)
    await last.kill()
    expect(acknowledged.size).toBe(next)

    const store = await openStore({ dataDir })
    expect(existsSync(left)).toBe(false)
    const answer = await store.client.query({
      query: 'SELECT TraceId AS id, count() AS n, uniqExact(SpanId) AS spans FROM otel_traces GROUP BY id',
      format: 'JSONEachRow',
    })
    const rows = await answer.json<{ id: string; n: string; spans: string }>()
    const profiles = Array.from({ length: next }, (_, i) => i).filter(isProfile).length
    expect(rows).toHaveLength(next - profiles)
    const wrong = rows.filter((row) => Number(row.n) !== spansPerBody || Number(row.spans) !== spansPerBody)
    expect(wrong).toEqual([])
    const lookup = await store.client.query({
      query: 'SELECT count() AS n, uniqExact(TraceId) AS ids FROM otel_traces_trace_id_ts',
      format: 'JSONEachRow',
    })
    const [view] = await lookup.json<{ n: string; ids: string }>()
    expect(Number(view!.ids)).toBe(next - profiles)
    // What seals are held against: counted in the parts, whatever was killed between two tables.
    const counts = await store.client.query({
      query: `SELECT sum(rows) AS n FROM (${bucketCounts('otel_traces')}) SETTINGS force_optimize_projection = 1`,
      format: 'JSONEachRow',
    })
    expect(await counts.json()).toEqual([{ n: String((next - profiles) * spansPerBody) }])
    // A profile fills two tables: whatever was between the two, it is whole, and there once.
    const kept = await store.client.query({
      query: `SELECT uniqExact(ProfileId) AS profiles, count() AS n FROM hotspan_profiles
UNION ALL SELECT uniqExact(ProfileId), count() / 2 FROM hotspan_profile_functions`,
      format: 'JSONEachRow',
    })
    for (const row of await kept.json<{ profiles: string; n: number }>())
      expect([Number(row.profiles), Number(row.n)]).toEqual([profiles, profiles])
    await store.close()
  })

  test('an engine that was killed comes back, and queries answer again', { timeout: 60_000 }, async () => {
    const dataDir = temporaryDirectory()
    const collector = await spawnCollector(dataDir)
    const before = liveOwner(dataDir)!
    process.kill(before.enginePid, 'SIGKILL')
    const acknowledged = new Set<number>()
    await sendAll(collector.otlpUrl, [1, 2, 4], acknowledged, () => undefined)
    expect(acknowledged.size).toBe(3)
    const store = await openStore({ dataDir })
    expect(store.mode).toBe('connected')
    await expect
      .poll(
        async () => {
          const answer = await store.client.query({
            query: 'SELECT count() AS n FROM otel_traces',
            format: 'JSONEachRow',
          })
          return Number((await answer.json<{ n: string }>())[0]!.n)
        },
        { timeout: 20_000 },
      )
      .toBe(3 * spansPerBody)
    await store.close()
    await collector.stop()
    expect(liveOwner(dataDir)).toBeNull()
  })
})
