import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClickHouseError } from '@clickhouse/client'
import { describe, expect, test } from 'vitest'
import { RowTable } from '../schema/row-layout.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { type Frame, frameHead, newFrame, readFrames } from './frame.ts'
import { Journal, JournalFullError } from './journal.ts'
import type { RowGroup, RowSink } from './row-sink.ts'
import { seenForMs } from './seen-bodies.ts'

function frame(number: number, bytes = 100): Frame {
  return newFrame({
    project: 'default',
    table: RowTable.Traces,
    rows: 1,
    receivedMs: Date.now(),
    key: String(number).padStart(16, 'k'),
    payload: Buffer.alloc(bytes, number % 251),
  })
}

/** The seam to the engine, which has its own tests: keeps what it was given, by token, as the engine's deduplication does. */
function keepingSink(fail: (group: RowGroup) => Error | null = () => null) {
  const kept = new Map<string, RowGroup>()
  const sink: RowSink = {
    async insert(group) {
      const error = fail(group)
      if (error !== null) throw error
      kept.set(group.token, { ...group, chunks: group.chunks.map((chunk) => Buffer.from(chunk)) })
    },
  }
  const chunks = () => [...kept.values()].flatMap((group) => group.chunks)
  return { sink, kept, chunks }
}

const away = () => new Error('connect ECONNREFUSED')

function segments(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.hsj'))
}

function open(directory: string, sink: RowSink, more: Partial<Parameters<typeof Journal.open>[0]> = {}) {
  const events: string[] = []
  const journal = Journal.open({
    directory,
    sink,
    onEvent: (event) => events.push(event),
    segmentMs: 20,
    ...more,
  })
  return journal.then((opened) => ({ journal: opened, events }))
}

/** A directory with what a killed process leaves: three frames in one segment, nothing inserted. */
async function leftBehind(): Promise<{ directory: string; path: string }> {
  const directory = temporaryDirectory()
  const { journal } = await open(directory, keepingSink(away).sink, { segmentMs: 60_000 })
  for (const number of [1, 2, 3]) await journal.append(frame(number, 1000))
  const [name] = segments(directory)
  await journal.close(0)
  return { directory, path: join(directory, name!) }
}

describe('journal', () => {
  test('frames are inserted in groups and the segment goes', async () => {
    const directory = temporaryDirectory()
    const { sink, kept, chunks } = keepingSink()
    const { journal } = await open(directory, sink)
    await Promise.all(Array.from({ length: 101 }, (_, i) => journal.append(frame(i))))
    await journal.flush()
    expect(chunks()).toHaveLength(101)
    expect(kept.size).toBeLessThan(101)
    expect(segments(directory)).toEqual([])
    expect(journal.bytes).toBe(0)
    await journal.close()
  })

  test('a full segment is closed before its time', async () => {
    const directory = temporaryDirectory()
    const { sink, chunks } = keepingSink()
    const { journal } = await open(directory, sink, { segmentMs: 1e9, segmentBytes: 5000 })
    for (let i = 0; i < 7; i++) await journal.append(frame(i, 3000))
    await expect.poll(() => chunks().length).toBe(6)
    await journal.close()
    expect(chunks()).toHaveLength(7)
  })

  test('what a kill left behind is inserted at the next open, with the same token', async () => {
    const { directory, path } = await leftBehind()
    const { sink, kept, chunks } = keepingSink()
    const { journal } = await open(directory, sink)
    expect(chunks().map((chunk) => chunk.length)).toEqual([1000, 1000, 1000])
    expect([...kept.keys()]).toEqual([`${path.slice(directory.length + 1, -4)}:default:1:1`])
    expect(segments(directory)).toEqual([])
    // The sender that got no answer sends again.
    expect(await journal.append(frame(2, 1000))).toBe('duplicate')
    await journal.close()
    const again = await open(directory, keepingSink().sink)
    expect(await again.journal.append(frame(3, 1000))).toBe('duplicate')
    expect(await again.journal.append({ ...frame(3, 1000), receivedMs: Date.now() + seenForMs + 1 })).toBe(
      'written',
    )
    await again.journal.close()
  })

  test('a torn tail, at any byte, costs only the frame that was being written', async () => {
    const { directory, path } = await leftBehind()
    const whole = readFileSync(path)
    const frameBytes = whole.length / 3
    for (const cut of [0, 1, 43, 44, frameBytes - 1, frameBytes, frameBytes + 5, whole.length - 1]) {
      const content = readFrames(whole.subarray(0, cut))
      expect(content.frames).toHaveLength(Math.floor(cut / frameBytes))
      expect(content.tornBytes).toBe(cut % frameBytes)
    }
    writeFileSync(path, whole.subarray(0, whole.length - 7))
    const { sink, chunks } = keepingSink()
    const { journal } = await open(directory, sink)
    expect(chunks()).toHaveLength(2)
    await journal.close()
  })

  test('damage in the middle costs one frame, and a copy is kept', async () => {
    const { directory, path } = await leftBehind()
    const bytes = readFileSync(path)
    const middle = bytes.length >>> 1
    bytes[middle] = bytes[middle]! ^ 0xff
    writeFileSync(path, bytes)
    const { sink, chunks } = keepingSink()
    const { journal, events } = await open(directory, sink)
    expect(chunks()).toHaveLength(2)
    expect(events.join()).toContain('damaged')
    expect(readdirSync(join(directory, 'quarantine'))).toHaveLength(1)
    await journal.close()
  })

  test('files that are no segments are left alone, an empty segment is removed', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'notes.txt'), 'mine')
    writeFileSync(join(directory, '000000000007-0123456789abcdef.hsj'), '')
    const { journal } = await open(directory, keepingSink().sink)
    expect(segments(directory)).toEqual([])
    expect(existsSync(join(directory, 'notes.txt'))).toBe(true)
    await journal.append(frame(1))
    await journal.close()
  })

  test('while the engine is away bodies are kept up to the bound, then refused, then taken again', async () => {
    const directory = temporaryDirectory()
    let isAway = true
    const { sink, chunks } = keepingSink(() => (isAway ? away() : null))
    const { journal } = await open(directory, sink, { maxBacklogBytes: 10_000, segmentBytes: 2000 })
    let taken = 0
    for (; !journal.isFull; taken++) await journal.append(frame(taken, 500))
    await expect(journal.append(frame(999, 500))).rejects.toBeInstanceOf(JournalFullError)
    expect(taken).toBeGreaterThan(15)
    isAway = false
    await journal.flush()
    expect(chunks()).toHaveLength(taken)
    expect(await journal.append(frame(999, 500))).toBe('written')
    await journal.close()
    expect(chunks()).toHaveLength(taken + 1)
  })

  test('rows that the engine refuses for good do not hold back the others, and are kept', async () => {
    const directory = temporaryDirectory()
    const bad = frame(66)
    const { sink, chunks } = keepingSink((group) =>
      group.chunks.some((chunk) => chunk[0] === 66)
        ? new ClickHouseError({
            message: 'cannot parse',
            code: '27',
            type: 'CANNOT_PARSE_INPUT_ASSERTION_FAILED',
          })
        : null,
    )
    const { journal, events } = await open(directory, sink)
    await Promise.all([frame(1), bad, frame(2)].map((each) => journal.append(each)))
    await journal.flush()
    expect(chunks().map((chunk) => chunk[0])).toEqual([1, 2])
    expect(journal.quarantinedRows).toBe(1)
    const [name] = readdirSync(join(directory, 'quarantine'))
    expect(readFrames(readFileSync(join(directory, 'quarantine', name!))).frames[0]!.payload).toEqual(
      bad.payload,
    )
    expect(events.join()).toContain('kept in')
    await journal.close()
  })

  test('a frame of a later layout is kept, not guessed at', async () => {
    const directory = temporaryDirectory()
    const later = { ...frame(1), layout: 200 }
    appendFileSync(
      join(directory, '000000000001-0123456789abcdef.hsj'),
      Buffer.concat([frameHead(later), later.payload]),
    )
    const { sink, chunks } = keepingSink()
    const { journal } = await open(directory, sink)
    expect(chunks()).toEqual([])
    expect(readdirSync(join(directory, 'quarantine'))).toHaveLength(1)
    await journal.close()
  })

  test('with sync on, and for two projects at once', async () => {
    const directory = temporaryDirectory()
    const { sink, kept } = keepingSink()
    const { journal } = await open(directory, sink, { sync: true })
    await Promise.all([journal.append(frame(1)), journal.append({ ...frame(2), project: 'other' })])
    await journal.flush()
    expect([...kept.values()].map((group) => group.database).sort()).toEqual([
      'hotspan_default',
      'hotspan_other',
    ])
    await journal.close()
  })
})
