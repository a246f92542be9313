import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RowPages } from './row-pages.ts'
import { RowWriter } from './row-writer.ts'

test('rows stay as they were written until they are given back, in whatever order that happens', () => {
  const step = fc.oneof(
    fc.record({ write: fc.integer({ min: 0, max: 3_000_000 }) }),
    fc.record({ release: fc.nat(20), twice: fc.boolean() }),
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
      const pages = new RowPages()
      const held: { payload: Buffer; mark: number; release: () => void }[] = []
      let mark = 0
      for (const one of steps) {
        if ('write' in one) {
          const { writer } = pages
          const start = writer.at
          mark = (mark + 1) % 251
          writer.reserve(one.write)
          writer.bytes.fill(mark, start, start + one.write)
          writer.at += one.write
          held.push({ ...pages.handOver(start), mark })
        } else if (held.length > 0) {
          const [gone] = held.splice(one.release % held.length, 1)
          gone!.release()
          if (one.twice) gone!.release()
        }
        for (const { payload, mark } of held)
          expect(payload.length === 0 || (payload[0] === mark && payload.at(-1) === mark)).toBe(true)
      }
      for (const { payload, mark } of held) expect(payload.every((byte) => byte === mark)).toBe(true)
    }),
    { numRuns: 20 },
  )
})

test('rows that are taken back take a larger buffer with them, and leave those before as they were', () => {
  const pages = new RowPages()
  const { writer } = pages
  writer.raw(Buffer.from('kept'), 0, 4)
  const before = pages.handOver(0)
  const start = writer.at
  writer.raw(Buffer.alloc(5 << 20), 0, 5 << 20)
  pages.takeBack(start)
  writer.raw(Buffer.from('next'), 0, 4)
  const next = pages.handOver(start)
  expect([before.payload.toString(), next.payload.toString()]).toEqual(['kept', 'next'])
  expect(next.payload.buffer).toBe(before.payload.buffer)
})

test('a writer that starts again keeps no huge buffer', () => {
  const writer = new RowWriter()
  writer.raw(Buffer.alloc(5 << 20), 0, 5 << 20)
  writer.startAgain()
  expect(writer.bytes.length).toBeLessThan(1 << 20)
  writer.string('rows')
  expect(writer.copy().toString()).toBe('\x04rows')
})
