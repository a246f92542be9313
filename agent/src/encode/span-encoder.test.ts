import { type AnyValue, decodeTraces, type KeyValue, type Span } from '@hotspan/otlp'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { runtime } from '../core/runtime.ts'
import { AgentSpan } from '../core/span.ts'
import { Trace } from '../core/trace.ts'
import { SpanQueue } from '../send/span-queue.ts'
import { encodeKey } from './attribute-key.ts'
import { SpanEncoder } from './span-encoder.ts'

const limits = { ...runtime.limits }
afterEach(() => {
  runtime.limits = { ...limits }
  runtime.ended = () => {}
})

const ANCHOR = { sec: 1_790_000_000, ns: 123_456_789 }

function newQueue(maxBytes = 64 * 1024 * 1024): SpanQueue {
  const queue = new SpanQueue(
    new Uint8Array([0x0a, 0]),
    { maxBytes, maxSpans: 1_000_000, batchSpans: 1_000_000 },
    () => {},
  )
  queue.scopeIndex('test', '1')
  runtime.ended = (span) => queue.add(span)
  return queue
}

/** Everything in the queue, through the reference decoder. */
function decoded(queue: SpanQueue): Span[] {
  const spans: Span[] = []
  for (let batch = queue.take(); batch !== undefined; batch = queue.take()) {
    const data = decodeTraces(new Uint8Array(Buffer.concat(batch.pieces)))
    for (const { scopeSpans } of data.resourceSpans)
      for (const scope of scopeSpans) spans.push(...scope.spans)
    queue.done(batch, 0)
  }
  return spans
}

const word = fc.integer({ min: 0, max: 0xffffffff })

function newSpan(
  words: readonly number[],
  name: string,
  kind: number,
  startMs: number,
  traceState = '',
): AgentSpan {
  const [a, b, c, d, high, low, parentHigh, parentLow] = words as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const trace = new Trace(a, b, c, d, true, 1, traceState, ANCHOR)
  return new AgentSpan(
    trace,
    high,
    low,
    parentHigh,
    parentLow,
    false,
    false,
    0,
    kind,
    name,
    startMs,
    EMPTY_CONTEXT,
  )
}

/** As UTF-8 keeps it: lone surrogates become U+FFFD. */
const wellFormed = (text: string): string => Buffer.from(text).toString()

const hex = (...words: number[]): string => words.map((value) => value.toString(16).padStart(8, '0')).join('')

/** What a value of the API is in OTLP: whole numbers are integers, lone surrogates do not survive UTF-8. */
function expectedValue(value: unknown): AnyValue {
  if (typeof value === 'string') return wellFormed(value)
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof value === 'boolean' || value === null) return value
  if (value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(expectedValue)
  return {
    kvlist: Object.entries(value as object).map(([key, item]) => ({
      key: wellFormed(key),
      value: expectedValue(item),
    })),
  }
}

const text = fc.string({ unit: 'binary', maxLength: 300 })
const scalar = fc.oneof(
  text,
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => new Uint8Array(bytes)),
)
const value = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(fc.oneof(scalar, fc.constant(null)), { maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })),
      { maxKeys: 4 },
    ),
  },
)
const attributes = fc.uniqueArray(
  fc.tuple(
    text.filter((key) => key !== ''),
    value,
  ),
  {
    maxLength: 20,
    selector: ([key]) => key,
  },
)

const expectedAttributes = (pairs: readonly (readonly [string, unknown])[]): KeyValue[] =>
  pairs.map(([key, item]) => ({ key: wellFormed(key), value: expectedValue(item) }))

describe('the hot encoder against the reference decoder', () => {
  test('spans with any attributes, events and links come out as they went in', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            words: fc.tuple(word, word, word, word, word, word, word, word),
            name: text,
            kind: fc.integer({ min: 0, max: 4 }),
            startMs: fc.integer({ min: 0, max: 1_000_000_000 }),
            lastsMs: fc.double({ min: 0, max: 100_000, noNaN: true }),
            pairs: attributes,
            eventPairs: attributes,
            eventMs: fc.integer({ min: 0, max: 1_000_000 }),
            status: fc.constantFrom(0, 1, 2),
            message: text,
          }),
          { minLength: 1, maxLength: 6 },
        ),
        (inputs) => {
          const queue = newQueue()
          for (const input of inputs) {
            const span = newSpan(input.words, input.name, input.kind, input.startMs, 'ot=th:0')
            for (const [key, item] of input.pairs) span.setAttribute(key, item as never)
            const eventTime: [number, number] = [ANCHOR.sec + 1, input.eventMs]
            span.addEvent(input.name, Object.fromEntries(input.eventPairs) as never, eventTime)
            span.addLink({
              context: { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), traceFlags: 1, isRemote: true },
              attributes: Object.fromEntries(input.pairs) as never,
            })
            span.setStatus({ code: input.status, message: input.message })
            span.endAt(input.startMs + input.lastsMs, 0)
          }
          const spans = decoded(queue)
          expect(spans).toHaveLength(inputs.length)
          for (const [i, input] of inputs.entries()) {
            const span = spans[i]!
            const [a, b, c, d, high, low, parentHigh, parentLow] = input.words
            const ownOrder = (pairs: readonly (readonly [string, unknown])[]) =>
              expectedAttributes(Object.entries(Object.fromEntries(pairs)))
            expect(span).toEqual({
              traceId: hex(a, b, c, d),
              spanId: hex(high, low),
              parentSpanId: (parentHigh | parentLow) === 0 ? '' : hex(parentHigh, parentLow),
              traceState: 'ot=th:0',
              flags: 0x101,
              name: wellFormed(input.name),
              kind: input.kind + 1,
              startTimeUnixNano:
                BigInt(ANCHOR.sec) * 1_000_000_000n + BigInt(ANCHOR.ns) + BigInt(input.startMs) * 1_000_000n,
              endTimeUnixNano: span.endTimeUnixNano,
              attributes: expectedAttributes(input.pairs),
              droppedAttributesCount: 0,
              events: [
                {
                  timeUnixNano: BigInt(ANCHOR.sec + 1) * 1_000_000_000n + BigInt(input.eventMs),
                  name: wellFormed(input.name),
                  attributes: ownOrder(input.eventPairs),
                  droppedAttributesCount: 0,
                },
              ],
              droppedEventsCount: 0,
              links: [
                {
                  traceId: 'ab'.repeat(16),
                  spanId: 'cd'.repeat(8),
                  traceState: '',
                  attributes: ownOrder(input.pairs),
                  droppedAttributesCount: 0,
                  flags: 0x301,
                },
              ],
              droppedLinksCount: 0,
              status: { code: input.status, message: input.status === 2 ? wellFormed(input.message) : '' },
            })
            const lastedNs = Number(span.endTimeUnixNano - span.startTimeUnixNano)
            expect(Math.abs(lastedNs - input.lastsMs * 1e6)).toBeLessThanOrEqual(1)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  test('explicit epoch nanoseconds are exact, also beyond a double', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000, max: 1_000_000 }),
        fc.integer({ min: 0, max: 999_999_999 }),
        (sec, ns) => {
          const queue = newQueue()
          const span = newSpan([1, 2, 3, 4, 5, 6, 0, 0], 'timed', 0, 0)
          span.addEvent('at', [ANCHOR.sec + sec, ns])
          span.endAt(1, 0)
          const [event] = decoded(queue)[0]!.events
          expect(event!.timeUnixNano).toBe(BigInt(ANCHOR.sec + sec) * 1_000_000_000n + BigInt(ns))
        },
      ),
    )
  })

  test('spans larger than a chunk move to their own; order and content stay', () => {
    const queue = newQueue()
    const sizes = [10, 200_000, 50, 260_000, 5]
    for (const size of sizes) {
      const span = newSpan([1, 2, 3, 4, 5, 6, 0, 0], `size ${size}`, 0, 0)
      for (let left = size, i = 0; left > 0; left -= 20_000, i++) {
        span.setAttribute(`part ${i}`, 'é'.repeat(Math.min(left, 20_000)))
      }
      span.endAt(1, 0)
    }
    const spans = decoded(queue)
    expect(spans.map(({ name }) => name)).toEqual(sizes.map((size) => `size ${size}`))
    for (const [i, span] of spans.entries()) {
      const units = span.attributes.reduce((sum, { value: part }) => sum + (part as string).length, 0)
      expect(units).toBe(sizes[i])
    }
    expect(queue.counts).toMatchObject({ made: 5, sent: 5, dropped: 0, queued: 0 })
  })

  test('a span never exceeds its bound: what does not fit is dropped and counted', () => {
    const queue = newQueue()
    const span = newSpan([1, 2, 3, 4, 5, 6, 0, 0], 'huge', 0, 0)
    for (let i = 0; i < 100; i++) span.setAttribute(`k${i}`, '\u{1F600}'.repeat(10_000))
    for (let i = 0; i < 100; i++) span.addEvent('e', { big: 'x'.repeat(60_000) })
    span.endAt(1, 0)
    const [only] = decoded(queue)
    expect(only!.attributes.length + only!.droppedAttributesCount).toBe(100)
    expect(only!.droppedAttributesCount).toBeGreaterThan(50)
    expect(only!.events.length + only!.droppedEventsCount).toBe(100)
  })

  test('text is cut on a code-point border at the length limit', () => {
    runtime.limits = { ...limits, valueLength: 5 }
    const queue = newQueue()
    const span = newSpan([1, 2, 3, 4, 5, 6, 0, 0], 'cut', 0, 0)
    span.setAttribute('pair', 'abcd\u{1F600}ef')
    span.setAttribute('list', ['abcd\u{1F600}', 'ok'])
    span.endAt(1, 0)
    expect(decoded(queue)[0]!.attributes).toEqual([
      { key: 'pair', value: 'abcd' },
      { key: 'list', value: ['abcd', 'ok'] },
    ])
  })

  test('limits count what they drop', () => {
    runtime.limits = {
      ...limits,
      attributes: 2,
      events: 2,
      links: 1,
      attributesPerEvent: 1,
      attributesPerLink: 1,
    }
    const queue = newQueue()
    const span = newSpan([1, 2, 3, 4, 5, 6, 0, 0], 'limited', 0, 0)
    span.setAttributes({ a: 1, b: 2, c: 3 })
    span.setAttribute('a', 9)
    for (const name of ['one', 'two', 'three']) span.addEvent(name, { x: 1, y: 2 })
    const context = { traceId: `${'0'.repeat(31)}1`, spanId: `${'0'.repeat(15)}1`, traceFlags: 0 }
    span.addLinks([{ context }, { context, attributes: { x: 1, y: 2, z: 3 } }])
    span.endAt(1, 0)
    const [only] = decoded(queue)
    expect(only).toMatchObject({ droppedAttributesCount: 1, droppedEventsCount: 1, droppedLinksCount: 1 })
    expect(only!.attributes).toEqual([
      { key: 'a', value: 9n },
      { key: 'b', value: 2n },
    ])
    expect(only!.events.map(({ name, droppedAttributesCount }) => [name, droppedAttributesCount])).toEqual([
      ['two', 1],
      ['three', 1],
    ])
    expect(only!.links[0]).toMatchObject({ droppedAttributesCount: 2 })
  })

  test('an object whose getter throws costs its span, not the app, and the next span is whole', () => {
    const queue = newQueue()
    const bad = newSpan([1, 2, 3, 4, 5, 6, 0, 0], 'bad', 0, 0)
    bad.setAttribute('trap', {
      get value(): string {
        throw new Error('not for you')
      },
    } as never)
    bad.endAt(1, 0)
    newSpan([1, 2, 3, 4, 5, 7, 0, 0], 'good', 0, 0).endAt(1, 0)
    expect(decoded(queue).map(({ name }) => name)).toEqual(['good'])
    expect(queue.counts).toEqual({ made: 2, sent: 1, failed: 0, dropped: 1, queued: 0 })
  })

  test('what is captured is a copy, of a Buffer too', () => {
    const encoder = new SpanEncoder((_full, wantedBytes) => ({ bytes: Buffer.alloc(wantedBytes), at: 0 }))
    const key = encodeKey('key')
    const capture = (value: string): Uint8Array => encoder.capture(() => encoder.text(key, value))
    const first = capture('first')
    const before = first.toString()
    capture('other')
    expect(first.toString()).toBe(before)
    expect(first.buffer.byteLength).toBe(first.length)
  })

  test('a full queue drops and counts: made = sent + failed + dropped + queued', () => {
    const queue = newQueue(10_000)
    for (let i = 0; i < 1000; i++) newSpan([1, 2, 3, 4, 5, 6, 0, 0], 'span', 0, 0).endAt(1, 0)
    const { made, sent, failed, dropped, queued } = queue.counts
    expect(made).toBe(1000)
    expect(dropped).toBeGreaterThan(0)
    expect(sent + failed + dropped + queued).toBe(made)
    expect(decoded(queue)).toHaveLength(queued)
    expect(queue.counts.sent).toBe(queued)
  })
})
