import { isUtf8 } from 'node:buffer'
import { type AnyValue, decodeTraces, encodeTraces, type KeyValue } from '@hotspan/otlp'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { spanRowsFromObjects } from './spans-from-objects.ts'
import { spanRowsFromProtobuf } from './spans-from-protobuf.ts'

/** Only the walk sees times and the fingerprint: with them it was not the object route that made the rows. */
const walked = (body: Uint8Array) => {
  const { seen, ...rows } = spanRowsFromProtobuf(body)
  expect(seen).not.toBeNull()
  const { payload, ...expected } = spanRowsFromObjects(decodeTraces(body))
  expect(rows).toMatchObject(expected)
  // Megabytes are compared as bytes: element by element they would take seconds.
  expect(rows.payload.equals(payload)).toBe(true)
  return { ...rows, ...seen! }
}

const ids = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) }
const withAttributes = (attributes: readonly KeyValue[]) =>
  encodeTraces(tracesOf('s', [madeSpan(0, { ...ids, attributes })]))

const field = (number: number, content: Uint8Array) => {
  const tag = Buffer.from([(number << 3) | 2])
  if (content.length < 0x80) return Buffer.concat([tag, Buffer.from([content.length]), content])
  return Buffer.concat([tag, Buffer.from([(content.length & 0x7f) | 0x80, content.length >>> 7]), content])
}

describe('the walk itself, without the object route', () => {
  test('writes the bytes of the object route', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.boolean(),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.double(),
      fc.array(fc.string(), { maxLength: 3 }),
    )
    const attributes = fc.uniqueArray(
      fc.record({ key: fc.string({ unit: 'grapheme-ascii', maxLength: 20 }), value }),
      { selector: ({ key }) => key, maxLength: 100 },
    )
    fc.assert(
      fc.property(attributes, (list) => {
        walked(withAttributes(list))
      }),
      { numRuns: 200, endOnFailure: true },
    )
  })

  test('long lists in the worst of orders, up to 1,024 attributes', () => {
    for (const count of [2, 64, 65, 1024]) {
      const keys = Array.from({ length: count }, (_, i) => `http.request.${String(i).padStart(5, '0')}`)
      for (const order of [
        keys,
        keys.toReversed(),
        keys.toSorted((a, b) => (a.slice(-1) < b.slice(-1) ? -1 : 1)),
      ])
        walked(withAttributes(order.map((key, i) => ({ key, value: BigInt(i) }))))
    }
    const tooMany = Array.from({ length: 1025 }, (_, i) => ({ key: `k${i}`, value: 1n }))
    expect(spanRowsFromProtobuf(withAttributes(tooMany)).seen).toBeNull()
  })

  test('whole numbers of every length, doubles, and texts at the borders of what is copied at once', () => {
    const numbers = Array.from({ length: 19 }, (_, digits) => 10n ** BigInt(digits))
    const edges = [0n, 2n ** 31n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]
    const values: AnyValue[] = [...numbers, ...numbers.map((n) => n - 1n), ...edges, ...edges.map((n) => -n)]
    values.pop() // 2^63 is none.
    values.push(0.1, -0, 1e21, Number.NaN, Number.NEGATIVE_INFINITY)
    for (const length of [0, 1, 15, 16, 17, 31, 32, 127, 128, 16_383, 16_384, 262_144])
      values.push('x'.repeat(length), `${'x'.repeat(Math.max(0, length - 2))}ü`)
    walked(withAttributes(values.map((value, i) => ({ key: `k${i}`, value }))))
  })

  test('what is UTF-8 and what is not: every first byte with every kind of second', () => {
    const seconds = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
    let valid = 0
    for (let first = 0; first < 256; first++) {
      const spans: Uint8Array[] = []
      for (const second of seconds)
        for (const rest of [[], [0x80], [0xbf, 0x80], [0x80, 0x41], [0x80, 0x80, 0x80]]) {
          const name = Buffer.from([0x61, first, second, ...rest])
          if (isUtf8(name)) valid++
          spans.push(
            field(
              2,
              Buffer.concat([field(1, Buffer.alloc(16, 1)), field(2, Buffer.alloc(8, 2)), field(5, name)]),
            ),
          )
        }
      walked(field(1, field(2, Buffer.concat(spans))))
    }
    expect(valid).toBeGreaterThan(500)
  })

  test('a body that is larger than those of the shared memory', () => {
    const spans = Array.from({ length: 30 }, (_, i) =>
      madeSpan(0, {
        traceId: '1'.repeat(32),
        spanId: String(10 + i).repeat(8),
        attributes: [{ key: 'k', value: 'y'.repeat(200_000) }],
      }),
    )
    expect(walked(encodeTraces(tracesOf('s', spans))).rows).toBe(30)
  })

  test('more spans than fit into one piece of rows; the times between which they start', () => {
    const spans = Array.from({ length: 2500 }, (_, i) =>
      madeSpan(1000 + ((i * 7) % 2500), { traceId: '1'.repeat(32), spanId: String(i).padStart(16, '0') }),
    )
    const { rows, earliestNs, latestNs } = walked(encodeTraces(tracesOf('s', spans)))
    expect({ rows, earliestNs, latestNs }).toEqual({
      rows: 2500,
      earliestNs: 1_000_000_000n,
      latestNs: 3_499_000_000n,
    })
    const none = walked(encodeTraces(tracesOf('s', [])))
    expect(none.earliestNs).toBeGreaterThan(none.latestNs)
  })

  test('the fingerprint is XXH64 with the seeds 0 and 1, and no byte of a body may change unseen', () => {
    const fingerprint = (body: Uint8Array) =>
      Buffer.from(spanRowsFromProtobuf(body).seen!.fingerprint, 'latin1')
    // Of no bytes, from the reference implementation (`xxhsum -H64`).
    expect(fingerprint(Buffer.alloc(0)).readBigUInt64LE(0)).toBe(0xef46db3751d8e999n)
    const seen = new Set<string>()
    for (let length = 0; length < 100; length++) {
      // An unknown field: every one of its bytes may be anything.
      const body = field(15, Buffer.alloc(length))
      seen.add(fingerprint(body).toString('hex'))
      for (let at = 2; at < body.length; at++) {
        body[at] = 1
        seen.add(fingerprint(body).toString('hex'))
        body[at] = 0
      }
    }
    expect(seen.size).toBe(100 + (99 * 100) / 2)
  })
})
