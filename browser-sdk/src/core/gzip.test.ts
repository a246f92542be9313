import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { utf8 } from './chunks.ts'
import { gzip } from './gzip.ts'

const unpacked = (text: string): string => gunzipSync(gzip(utf8(text))).toString()

test('whatever goes in comes out of gunzip', () => {
  const word = fc.string({ unit: 'binary', maxLength: 40 })
  fc.assert(
    fc.property(fc.array(fc.tuple(word, fc.integer({ min: 1, max: 400 })), { maxLength: 12 }), (words) => {
      const text = words.map(([part, times]) => part.repeat(times)).join('')
      expect(unpacked(text)).toBe(Buffer.from(text).toString())
    }),
  )
})

test('repeats farther back than the window, the longest runs, and text that does not shrink', () => {
  const random = Array.from({ length: 40_000 }, (_, i) =>
    String.fromCharCode(33 + (((i * i * 7919) % 50_021) % 90)),
  )
  for (const text of [
    '',
    'a',
    'abc',
    'x'.repeat(100_000),
    random.join(''),
    `${random.join('')}${random.join('')}`,
  ])
    expect(unpacked(text)).toBe(text)
})

test('spans shrink to less than a fifth', () => {
  const spans = Array.from({ length: 40 }, (_, n) => ({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: `b7ad6b71692033${n + 10}`,
    name: 'GET',
    startTimeUnixNano: `${1_790_000_000_000_000_000n + BigInt(n) * 1_234_567n}`,
    attributes: [{ key: 'http.request.method', value: { stringValue: 'GET' } }],
  }))
  const text = JSON.stringify(spans)
  expect(gzip(utf8(text)).length).toBeLessThan(text.length / 5)
})
