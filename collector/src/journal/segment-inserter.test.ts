import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClickHouseError } from '@clickhouse/client'
import { encodeTraces } from '@hotspan/otlp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { socketClient } from '../engine/client.ts'
import { Engine } from '../engine/engine.ts'
import { RowTable } from '../schema/row-layout.ts'
import { hex, madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { spanRowsFromProtobuf } from '../transcode/spans-from-protobuf.ts'
import { type Frame, frameHead, newFrame, readFrames } from './frame.ts'
import { momentErrors, rowErrors } from './insert-failure.ts'
import { Journal, type JournalOptions } from './journal.ts'
import { embeddedSink, type RowGroup, type RowSink } from './row-sink.ts'

const patient = { timeout: 20_000 }

/** Its payload's bytes are `number`. */
const frame = (number: number, bytes = 100): Frame =>
  newFrame({
    project: 'default',
    table: RowTable.Traces,
    rows: 1,
    receivedMs: Date.now(),
    key: String(number).padStart(16, 'k'),
    payload: Buffer.alloc(bytes, number),
  })

const outOfMemory = () =>
  new ClickHouseError({
    message: 'Query memory limit exceeded: would use 769.03 MiB, maximum: 768.00 MiB',
    code: '241',
    type: 'MEMORY_LIMIT_EXCEEDED',
  })

/** The seam to the engine: fails as told, and keeps the rest as the engine's deduplication by token does. */
class FailingSink implements RowSink {
  fails: (group: RowGroup) => Error | null
  readonly kept = new Map<string, number[]>()
  tries = 0

  constructor(fails: FailingSink['fails']) {
    this.fails = fails
  }

  async insert(group: RowGroup): Promise<void> {
    this.tries += 1
    const error = this.fails(group)
    if (error !== null) throw error
    this.kept.set(
      group.token,
      group.chunks.map((chunk) => chunk[0]!),
    )
  }

  get numbers(): number[] {
    return [...this.kept.values()].flat().sort((a, b) => a - b)
  }
}

const poison = (...numbers: number[]) => {
  const isPoison = (group: RowGroup) => group.chunks.some((chunk) => numbers.includes(chunk[0]!))
  return (group: RowGroup) => (isPoison(group) ? outOfMemory() : null)
}

async function open(directory: string, sink: RowSink, more: Partial<JournalOptions> = {}) {
  const events: string[] = []
  const journal = await Journal.open({
    directory,
    sink,
    onEvent: (event) => events.push(event),
    segmentMs: 20,
    suspectMs: 20,
    ...more,
  })
  onTestFinished(() => journal.close(0))
  return { journal, events }
}

const setAside = (directory: string): string[] => readdirSync(join(directory, 'quarantine'))
const segments = (directory: string): string[] =>
  readdirSync(directory).filter((name) => /\.(?:hsj|split)$/.test(name))

/** A segment that a killed process left, of these frames. */
function leave(directory: string, number: number, frames: readonly Frame[]): string {
  const path = join(directory, `${String(number).padStart(12, '0')}-0123456789abcdef.hsj`)
  for (const each of frames) appendFileSync(path, Buffer.concat([frameHead(each), each.payload]))
  return path
}

describe('a body that the engine has no memory for', () => {
  test('holds back nobody, and is set aside once others went in while it did not', patient, async () => {
    const directory = temporaryDirectory()
    const sink = new FailingSink(poison(4, 5))
    const { journal, events } = await open(directory, sink)
    await Promise.all([1, 2, 3, 4, 5, 6, 7].map((number) => journal.append(frame(number))))
    await expect.poll(() => sink.numbers, patient).toEqual([1, 2, 3, 6, 7])
    // Alone in the journal it only waits: nothing tells that it is to blame.
    const { tries } = sink
    await expect.poll(() => sink.tries, patient).toBeGreaterThan(tries + 10)
    expect(journal.quarantinedRows).toBe(0)
    expect(journal.bytes).toBeGreaterThan(0)
    for (let number = 100; journal.quarantinedRows < 2; number++) {
      const { tries } = sink
      await journal.append(frame(number))
      await expect.poll(() => sink.numbers, patient).toContain(number)
      await expect.poll(() => sink.tries, patient).toBeGreaterThan(tries + 2)
    }
    await expect.poll(() => journal.bytes, patient).toBe(0)
    const kept = setAside(directory).map((name) => readFileSync(join(directory, 'quarantine', name)))
    expect(kept.map((bytes) => readFrames(bytes).frames[0]!.payload[0]).sort()).toEqual([4, 5])
    expect(events.join('\n')).toContain('memory limit exceeded')
    expect(segments(directory)).toEqual([])
  })

  test(
    'an engine that is away or out of memory for everybody costs no body, however long',
    patient,
    async () => {
      for (const error of [outOfMemory, () => new Error('connect ECONNREFUSED')]) {
        const directory = temporaryDirectory()
        const sink = new FailingSink(error)
        const { journal } = await open(directory, sink)
        await Promise.all([1, 2, 3].map((number) => journal.append(frame(number))))
        await expect.poll(() => sink.tries, patient).toBeGreaterThan(4)
        await journal.append(frame(4))
        sink.fails = () => null
        await expect.poll(() => sink.numbers, patient).toEqual([1, 2, 3, 4])
        expect(journal.quarantinedRows).toBe(0)
        await expect.poll(() => segments(directory), patient).toEqual([])
      }
    },
  )

  test('a kill between the halves loses nothing and doubles nothing', patient, async () => {
    const directory = temporaryDirectory()
    leave(
      directory,
      1,
      [1, 2, 3, 4, 5].map((number) => frame(number)),
    )
    const sink = new FailingSink(poison(4))
    const first = await open(directory, sink)
    await expect.poll(() => sink.numbers, patient).toEqual([1, 2, 3, 5])
    await first.journal.close(0)
    expect(segments(directory)).toHaveLength(2)
    // The engine has more memory now: what went in as halves does not go in again as a whole.
    sink.fails = () => null
    await open(directory, sink)
    await expect.poll(() => sink.numbers, patient).toEqual([1, 2, 3, 4, 5])
    await expect.poll(() => segments(directory), patient).toEqual([])
  })
})

describe('what a segment is made of', () => {
  test(
    'damage of the last body is told and kept, damage before whole bodies costs none of them',
    patient,
    async () => {
      const frameBytes = frameHead(frame(1)).length + 100
      const cases: [string, number, number[], RegExp][] = [
        ['the checksum of the last one', 3 * frameBytes - 5, [1, 2], /damaged/],
        ['the magic of the last one', 2 * frameBytes, [1, 2], /damaged/],
        ['the length of the first one', 7, [2, 3], /damaged/],
        ['the name of the second one', frameBytes + 46, [1, 3], /damaged/],
      ]
      for (const [what, at, whole, event] of cases) {
        const directory = temporaryDirectory()
        const path = leave(
          directory,
          1,
          [1, 2, 3].map((number) => frame(number)),
        )
        const bytes = readFileSync(path)
        bytes[at] = bytes[at]! ^ 0x11
        writeFileSync(path, bytes)
        const sink = new FailingSink(() => null)
        const { events } = await open(directory, sink)
        expect(sink.numbers, what).toEqual(whole)
        expect(events.join(), what).toMatch(event)
        expect(setAside(directory), what).toHaveLength(1)
        expect(readFileSync(join(directory, 'quarantine', setAside(directory)[0]!))).toEqual(bytes)
      }
    },
  )

  test('a body that a kill cut off is told, and nothing is set aside', patient, async () => {
    const directory = temporaryDirectory()
    const path = leave(
      directory,
      1,
      [1, 2].map((number) => frame(number)),
    )
    writeFileSync(path, readFileSync(path).subarray(0, -3))
    const sink = new FailingSink(() => null)
    const { events } = await open(directory, sink)
    expect(sink.numbers).toEqual([1])
    expect(events.join()).toMatch(/ends in \d+ bytes of a body .* not acknowledged/)
    expect(setAside(directory)).toEqual([])
  })

  test('what is set aside is bounded: the oldest goes, and that is told', patient, async () => {
    const directory = temporaryDirectory()
    const refused = new ClickHouseError({ message: 'no', code: '117', type: 'INCORRECT_DATA' })
    const { journal, events } = await open(directory, new FailingSink(() => refused), {
      maxQuarantineBytes: 2500,
    })
    for (const number of [1, 2, 3]) {
      await journal.append(frame(number, 1000))
      await journal.flush()
    }
    expect(journal.quarantinedRows).toBe(3)
    const left = setAside(directory).map((name) => readFileSync(join(directory, 'quarantine', name)))
    expect(left.map((bytes) => readFrames(bytes).frames[0]!.payload[0]).sort()).toEqual([2, 3])
    expect(events.join('\n')).toContain('the oldest goes first')
  })
})

describe.skipIf(missingEngine() !== null)('the real engine', () => {
  test('a body of 20,000 days between two others, of an older journal: those are stored, and it is set aside', {
    timeout: 120_000,
  }, async () => {
    const dataDir = temporaryDirectory()
    const engine = await Engine.start({ storeDir: join(dataDir, 'store') })
    const client = socketClient(engine.socketPath, 'default')
    onTestFinished(async () => {
      await client.close()
      await engine.close()
    })
    const dayMs = 86_400_000
    const bodyOf = (number: number, days: number): Frame => {
      const spans = Array.from({ length: days }, (_, day) =>
        madeSpan((day + 1) * dayMs, { traceId: hex(number, 32), spanId: hex(day + 1, 16) }),
      )
      const { rows, payload } = spanRowsFromProtobuf(encodeTraces(tracesOf('days', spans)))
      return { ...frame(number), rows, payload: Buffer.from(payload) }
    }
    const directory = join(dataDir, 'journal')
    const { journal } = await open(directory, embeddedSink(client, dataDir))
    // 60 days each: more than an insert takes together.
    for (const each of [bodyOf(1, 60), bodyOf(2, 20_000), { ...bodyOf(3, 60) }]) await journal.append(each)
    await journal.flush()
    const answer = await client.query({
      query: `SELECT toUInt32(TraceId) AS body, toUInt32(count()) AS spans FROM hotspan_default.otel_traces GROUP BY body ORDER BY body`,
      format: 'JSONEachRow',
    })
    expect(await answer.json()).toEqual([
      { body: 1, spans: 60 },
      { body: 3, spans: 60 },
    ])
    expect(journal.quarantinedRows).toBe(20_000)
    const named = await client.query({
      query: `SELECT number AS code, errorCodeToName(number) AS name FROM numbers(1000)`,
      format: 'JSONEachRow',
    })
    const names = new Map(
      (await named.json<{ code: string; name: string }>()).map(({ code, name }) => [Number(code), name]),
    )
    for (const [name, code] of Object.entries({ ...rowErrors, ...momentErrors }))
      expect(names.get(code)).toBe(name)
  })
})
