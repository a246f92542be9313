import {
  type AnyValue,
  decodeTraces,
  encodeTraces,
  type KeyValue,
  type TracesData,
  WireError,
} from '@hotspan/otlp'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { maxAttributes, maxKeyBytes, maxValueBytes } from './row-writer.ts'
import { spanRowsFromObjects } from './spans-from-objects.ts'
import { spanRowsFromProtobuf } from './spans-from-protobuf.ts'

const text = fc.string({ unit: 'binary', maxLength: 60 })
const id = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => Buffer.from(value).toString('hex'))
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const nanos = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })

const { value } = fc.letrec<{ value: AnyValue; keyValue: KeyValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    text,
    fc.boolean(),
    int64,
    fc.double(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(tie('keyValue'), { maxLength: 4 }).map((kvlist) => ({ kvlist })),
  ),
  keyValue: fc.record({ key: text, value: tie('value') }),
}))
const attributes = fc.array(
  fc.record({ key: fc.oneof(text, fc.constantFrom('a', 'b', 'http.route', 'service.name')), value }),
  { maxLength: 12 },
)
const droppedAttributesCount = fc.nat(5)
const span = fc.record({
  traceId: id(16),
  spanId: id(8),
  traceState: text,
  parentSpanId: fc.oneof(fc.constant(''), id(8)),
  flags: fc.nat(0xffff),
  name: text,
  kind: fc.constantFrom(0, 1, 2, 3, 4, 5),
  startTimeUnixNano: nanos,
  endTimeUnixNano: nanos,
  attributes,
  droppedAttributesCount,
  events: fc.array(fc.record({ timeUnixNano: nanos, name: text, attributes, droppedAttributesCount }), {
    maxLength: 3,
  }),
  droppedEventsCount: fc.nat(5),
  links: fc.array(
    fc.record({
      traceId: id(16),
      spanId: id(8),
      traceState: text,
      attributes,
      droppedAttributesCount,
      flags: fc.nat(5),
    }),
    { maxLength: 3 },
  ),
  droppedLinksCount: fc.nat(5),
  status: fc.record({ code: fc.constantFrom(0, 1, 2), message: text }),
})
const traces = fc.record({
  resourceSpans: fc.array(
    fc.record({
      resource: fc.record({ attributes, droppedAttributesCount }),
      schemaUrl: text,
      scopeSpans: fc.array(
        fc.record({
          scope: fc.record({ name: text, version: text, attributes, droppedAttributesCount }),
          schemaUrl: text,
          spans: fc.array(span, { maxLength: 4 }),
        }),
        { maxLength: 2 },
      ),
    }),
    { maxLength: 3 },
  ),
})

describe('limits of attributes', () => {
  const kept = (attributes: readonly KeyValue[]) => {
    const data: TracesData = {
      resourceSpans: [
        {
          resource: { attributes, droppedAttributesCount: 0 },
          schemaUrl: '',
          scopeSpans: [
            {
              scope: { name: '', version: '', attributes: [], droppedAttributesCount: 0 },
              schemaUrl: '',
              spans: [
                {
                  ...madeSpan(0, { traceId: '1'.repeat(32), spanId: '2'.repeat(16), attributes }),
                  events: [{ timeUnixNano: 1n, name: 'e', attributes, droppedAttributesCount: 0 }],
                },
                madeSpan(0, { traceId: '1'.repeat(32), spanId: '3'.repeat(16) }),
              ],
            },
          ],
        },
      ],
    }
    const rows = spanRowsFromProtobuf(encodeTraces(data))
    const { payload, ...counts } = spanRowsFromObjects(data)
    expect(rows).toMatchObject(counts)
    expect(rows.payload.equals(payload)).toBe(true)
    return rows
  }

  test('a value is cut at 256 KiB, at the end of a character, in both routes alike', {
    timeout: 60_000,
  }, () => {
    // The resource stands in both rows, the span's own attributes and its event's in one.
    for (const long of [
      'x'.repeat(maxValueBytes + 1),
      'ü'.repeat(maxValueBytes),
      '\u{1f600}'.repeat(90_001),
    ]) {
      const rows = kept([{ key: 'k', value: long }])
      expect(rows).toMatchObject({ cutValues: 4, droppedAttributes: 0 })
      expect(rows.payload.includes(0xfffd)).toBe(false)
    }
    expect(kept([{ key: 'k', value: 'x'.repeat(maxValueBytes) }]).cutValues).toBe(0)
    expect(kept([{ key: 'service.name', value: 'x'.repeat(maxValueBytes + 1) }]).cutValues).toBe(6)
    expect(kept([{ key: 'k', value: Array(100_000).fill('list') }]).cutValues).toBe(4)
  })

  test('names over 1 KiB and attributes past the 1024th are left out', () => {
    expect(kept([{ key: 'n'.repeat(maxKeyBytes + 1), value: 1n }]).droppedAttributes).toBe(4)
    expect(kept([{ key: 'ü'.repeat(maxKeyBytes / 2), value: 1n }]).droppedAttributes).toBe(0)
    const many = Array.from({ length: maxAttributes + 7 }, (_, i) => ({ key: `k${i}`, value: i }))
    expect(kept(many).droppedAttributes).toBe(28)
  })
})

describe('the hot route', () => {
  test('writes the bytes of the object route', () => {
    fc.assert(
      fc.property(traces, (data) => {
        const body = encodeTraces(data as TracesData)
        expect(spanRowsFromProtobuf(body)).toMatchObject(spanRowsFromObjects(decodeTraces(body)))
      }),
      { numRuns: 300, endOnFailure: true },
    )
  })

  test('reads what the object route reads of damaged bodies, alike, and refuses with a WireError only', () => {
    fc.assert(
      fc.property(
        traces,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (data, damage) => {
          const body = encodeTraces(data as TracesData)
          if (body.length === 0) return
          for (const [at, byte] of damage) body[at % body.length] = byte
          const outcome = (read: () => unknown): unknown => {
            try {
              return read()
            } catch (error) {
              expect(error).toBeInstanceOf(WireError)
              return 'refused'
            }
          }
          const objects = outcome(() => spanRowsFromObjects(decodeTraces(body)))
          const direct = outcome(() => spanRowsFromProtobuf(body))
          // Parts that no column holds (scope attributes, schema URLs) are passed over unread, so damage there goes unseen.
          if (objects !== 'refused') expect(direct).toMatchObject(objects as object)
        },
      ),
      { numRuns: 500, endOnFailure: true },
    )
  })

  test('of a repeated key the last value counts, in long lists too', () => {
    const list = Array.from({ length: 5000 }, (_, i) => ({ key: `k${(i * 7919) % 2500}`, value: `v${i}` }))
    const data: TracesData = {
      resourceSpans: [
        { resource: { attributes: list, droppedAttributesCount: 0 }, schemaUrl: '', scopeSpans: [] },
        {
          resource: { attributes: [], droppedAttributesCount: 0 },
          schemaUrl: '',
          scopeSpans: [
            {
              scope: { name: '', version: '', attributes: [], droppedAttributesCount: 0 },
              schemaUrl: '',
              spans: [
                {
                  traceId: '1'.repeat(32),
                  spanId: '2'.repeat(16),
                  traceState: '',
                  parentSpanId: '',
                  flags: 0,
                  name: 'long list',
                  kind: 1,
                  startTimeUnixNano: 1n,
                  endTimeUnixNano: 2n,
                  attributes: list,
                  droppedAttributesCount: 0,
                  events: [],
                  droppedEventsCount: 0,
                  links: [],
                  droppedLinksCount: 0,
                  status: { code: 0, message: '' },
                },
              ],
            },
          ],
        },
      ],
    }
    expect(spanRowsFromProtobuf(encodeTraces(data))).toMatchObject(spanRowsFromObjects(data))
  })
})

test('what no row holds must be readable all the same: scope attributes, the first of two values', () => {
  const field = (number: number, ...parts: Uint8Array[]) => {
    const content = Buffer.concat(parts)
    return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content])
  }
  const broken = Buffer.from([0x6e])
  const key = field(1, Buffer.from('k'))
  const good = field(2, field(1, Buffer.from('v')))
  const body = (scope: Uint8Array[], span: Uint8Array[]) =>
    field(1, field(2, field(1, ...scope), field(2, ...span)))
  const refused = (bytes: Uint8Array) => {
    expect(() => decodeTraces(bytes)).toThrow(WireError)
    expect(() => spanRowsFromProtobuf(bytes)).toThrow(WireError)
  }
  refused(body([field(3, broken)], []))
  refused(body([field(3, key, field(2, broken))], []))
  refused(body([], [field(9, key, field(2, broken), good)]))
  refused(body([], [field(9, key, field(2, broken)), field(9, key, good)]))
  const whole = body([field(3, key, good)], [field(9, key, good, good), field(9, key, good)])
  expect(spanRowsFromProtobuf(whole)).toMatchObject(spanRowsFromObjects(decodeTraces(whole)))
})

test('a refused body whose rows had become large holds no memory of the next one', () => {
  const span = (n: number) => madeSpan(0, { traceId: '1'.repeat(32), spanId: String(n).repeat(16) })
  const big = Array.from({ length: 40 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(maxValueBytes) }))
  const [resourceSpans] = tracesOf('s', [1, 2, 3].map(span)).resourceSpans
  const large = encodeTraces({
    resourceSpans: [{ ...resourceSpans!, resource: { attributes: big, droppedAttributesCount: 0 } }],
  })
  // A field that ends behind the body.
  expect(() => spanRowsFromProtobuf(Buffer.concat([large, Buffer.from([10, 100])]))).toThrow(WireError)
  const small = tracesOf('s', [span(4)])
  const { payload } = spanRowsFromProtobuf(encodeTraces(small))
  expect(payload.equals(spanRowsFromObjects(small).payload)).toBe(true)
  expect(payload.buffer.byteLength).toBeLessThan(8 << 20)
})
