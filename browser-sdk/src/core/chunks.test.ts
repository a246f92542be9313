import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packChunks, utf8Bytes } from './chunks.ts'

const HEAD = '{"spans":['
const TAIL = ']}'

test('chunks hold every item that fits, in order, as valid JSON, and none is above the limit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary', maxLength: 300 })),
      fc.integer({ min: 40, max: 600 }),
      (texts, maxBytes) => {
        const items = texts.map((text) => JSON.stringify(text))
        const { bodies, tooLarge } = packChunks(items, HEAD, TAIL, maxBytes)
        const fits = items.filter((item) => utf8Bytes(HEAD + item + TAIL) < maxBytes)
        expect(bodies.flatMap((body) => JSON.parse(body).spans)).toEqual(fits.map((item) => JSON.parse(item)))
        expect(tooLarge).toBe(items.length - fits.length)
        for (const body of bodies) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(maxBytes)
        // Nothing is sent in two bodies that fits into one.
        for (const [at, body] of bodies.entries()) {
          const next = bodies[at + 1]
          if (!next) continue
          const first = JSON.stringify(JSON.parse(next).spans[0])
          expect(utf8Bytes(body) + 1 + utf8Bytes(first)).toBeGreaterThanOrEqual(maxBytes)
        }
      },
    ),
  )
})

test('a body is filled to within a byte of the limit', () => {
  const item = JSON.stringify('x'.repeat(47_999 - HEAD.length - TAIL.length - 2))
  expect(packChunks([item], HEAD, TAIL, 48_000).bodies.map(utf8Bytes)).toEqual([47_999])
  expect(packChunks([item], HEAD, TAIL, 47_999)).toEqual({ bodies: [], tooLarge: 1 })
})
