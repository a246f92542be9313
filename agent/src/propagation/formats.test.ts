import {
  type Context,
  context as contextApi,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api'
import { AWSXRayPropagator } from '@opentelemetry/propagator-aws-xray'
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AgentContextManager } from '../core/context-manager.ts'
import { runtime } from '../core/runtime.ts'
import { ratioSampler } from '../core/sampler.ts'
import { AgentTracerProvider } from '../core/tracer.ts'
import { ConfiguredPropagator } from './configured-propagator.ts'
import { createPropagation } from './propagation.ts'

type Headers = Record<string, string>

beforeEach(() => {
  // Keeps nothing by itself: a decision left open is "no", as the stock propagators have it.
  runtime.sampler = ratioSampler(0, true)
  trace.setGlobalTracerProvider(new AgentTracerProvider(() => 0))
  contextApi.setGlobalContextManager(new AgentContextManager())
})
afterEach(() => {
  trace.disable()
  contextApi.disable()
  runtime.sampler = ratioSampler(1, true)
})

function ours(names: string, env: Headers = {}): TextMapPropagator {
  const made = createPropagation(names.split(','), env)
  if (made === null) throw new Error(`${names} is the default`)
  return new ConfiguredPropagator(made)
}

const extract = (propagator: TextMapPropagator, headers: Headers): Context =>
  propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)

/** What a propagator finds, without what only ours has. Undefined for nothing valid. */
function found(propagator: TextMapPropagator, headers: Headers): Partial<SpanContext> | undefined {
  const span = trace.getSpanContext(extract(propagator, headers))
  if (span === undefined) return undefined
  const { traceId, spanId, traceFlags, isRemote } = span
  return { traceId, spanId, traceFlags, isRemote }
}

function injected(propagator: TextMapPropagator, span: SpanContext, base = ROOT_CONTEXT): Headers {
  const headers: Headers = {}
  propagator.inject(trace.setSpanContext(base, span), headers, defaultTextMapSetter)
  return headers
}

const hex = (digits: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: digits, maxLength: digits })
    .map((all) => all.map((digit) => digit.toString(16)).join(''))
    .filter((text) => /[^0]/.test(text))
const traceId = hex(32)
const spanId = hex(16)
const spanContext = fc
  .tuple(traceId, spanId, fc.constantFrom(0, 1))
  .map(([id, span, traceFlags]): SpanContext => ({ traceId: id, spanId: span, traceFlags }))
const broken = (text: fc.Arbitrary<string>) =>
  fc
    .tuple(text, fc.nat(200), fc.constantFrom('-', 'g', 'z', ' ', 'é', ''))
    .map(
      ([whole, at, unit]) => whole.slice(0, at % whole.length) + unit + whole.slice((at % whole.length) + 1),
    )

const id = '0af7651916cd43dd8448eb211c80319c'
const parent = 'b7ad6b7169203331'
const sampled = { traceId: id, spanId: parent, traceFlags: 1, isRemote: true }

describe('against the stock propagators', () => {
  test('B3 single: reads and writes the same', () => {
    const propagator = ours('b3')
    const stock = new B3Propagator()
    const header = fc
      .tuple(
        fc.oneof(traceId, hex(16)),
        spanId,
        fc.constantFrom('', '-0', '-1', '-d'),
        fc.oneof(
          fc.constant(''),
          spanId.map((text) => `-${text}`),
        ),
      )
      .map((parts) => `${parts[0]}-${parts[1]}${parts[2]}${parts[3]}`)
    fc.assert(
      fc.property(header, (b3) => {
        expect(found(propagator, { b3 })).toEqual(found(stock, { b3 }))
      }),
    )
    fc.assert(
      fc.property(broken(header), (b3) => {
        // The stock one finds a valid part anywhere in the text; ours wants the whole text to be valid.
        const reads = found(propagator, { b3 })
        if (reads !== undefined) expect(reads).toEqual(found(stock, { b3 }))
      }),
    )
    fc.assert(
      fc.property(spanContext, (span) => {
        expect(injected(propagator, span)).toEqual(injected(stock, span))
      }),
    )
  })

  test('B3 in several headers: reads and writes the same, broken ones too', () => {
    const propagator = ours('b3multi')
    const stock = new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER })
    const state = fc.constantFrom<Headers>(
      {},
      { 'x-b3-sampled': '1' },
      { 'x-b3-sampled': '0' },
      { 'x-b3-sampled': 'true' },
      { 'x-b3-sampled': 'false' },
      { 'x-b3-sampled': 'maybe' },
      { 'x-b3-flags': '1' },
      { 'x-b3-flags': '0', 'x-b3-sampled': '1' },
    )
    const headers = fc
      .tuple(
        fc.oneof(traceId, hex(16), hex(8), broken(traceId), fc.constant('0'.repeat(32))),
        fc.oneof(spanId, hex(8), broken(spanId), fc.constant('0'.repeat(16))),
        state,
      )
      .map(([trace, span, rest]): Headers => ({ 'x-b3-traceid': trace, 'x-b3-spanid': span, ...rest }))
    fc.assert(
      fc.property(headers, (given) => {
        const expected = found(stock, given)
        // Ours takes `false` in any case for a decision; the stock one the same three spellings.
        expect(found(propagator, given)).toEqual(expected)
      }),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(spanContext, (span) => {
        expect(injected(propagator, span)).toEqual(injected(stock, span))
      }),
    )
  })

  test('X-Ray: any order, unknown fields, broken ids; writes the same', () => {
    const propagator = ours('xray')
    const stock = new AWSXRayPropagator()
    const header = fc
      .tuple(
        fc.oneof(traceId, broken(traceId)),
        fc.oneof(spanId, broken(spanId)),
        fc.constantFrom('0', '1', 'x'),
        fc.shuffledSubarray(['Self=1-67891234-12456789abcdef012345678', 'Lineage=a87bd80c:1|68fd508a:5'], {
          minLength: 0,
        }),
        fc.nat(5),
        fc.constantFrom(';', '; ', ' ;'),
      )
      .map(([trace, span, decision, extra, turn, between]) => {
        const fields = [
          `Root=1-${trace.slice(0, 8)}-${trace.slice(8)}`,
          `Parent=${span}`,
          `Sampled=${decision}`,
          ...extra,
        ]
        return [...fields.slice(turn % fields.length), ...fields.slice(0, turn % fields.length)].join(between)
      })
    fc.assert(
      fc.property(header, (text) => {
        const headers = { 'x-amzn-trace-id': text }
        expect(found(propagator, headers)).toEqual(found(stock, headers))
      }),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(spanContext, (span) => {
        expect(injected(propagator, span)).toEqual(injected(stock, span))
      }),
    )
  })
})

describe('what is valid and what is not', () => {
  const padded = { ...sampled, traceId: `0000000000000000${id.slice(16)}` }
  const unsampled = { ...sampled, traceFlags: 0 }
  test.each<[string, Headers, Partial<SpanContext> | undefined]>([
    ['b3', { b3: `${id}-${parent}-1` }, sampled],
    ['b3', { b3: `${id.slice(16)}-${parent}-d` }, padded],
    ['b3', { 'x-b3-traceid': id, 'x-b3-spanid': parent, 'x-b3-sampled': '1' }, sampled],
    ['b3', { b3: `${id.slice(1)}-${parent}-1` }, undefined],
    ['b3', { b3: `${id}-${parent}-2` }, undefined],
    ['b3', { b3: '1' }, undefined],
    ['b3multi', { b3: `${id}-${parent}-1`, 'x-b3-sampled': '0' }, sampled],
    ['b3multi', { 'x-b3-traceid': id, 'x-b3-sampled': '1' }, undefined],
    [
      'xray',
      { 'x-amzn-trace-id': `Root=1-${id.slice(0, 8)}-${id.slice(8)};Parent=${parent};Sampled=?` },
      unsampled,
    ],
    ['xray', { 'x-amzn-trace-id': `Root=1-${id.slice(0, 8)}-${id.slice(8)};Parent=${parent}` }, unsampled],
    ['xray', { 'x-amzn-trace-id': `Root=1-${id.slice(0, 8)}-${id.slice(8)};Sampled=1` }, undefined],
    [
      'xray',
      { 'x-amzn-trace-id': `Root=2-${id.slice(0, 8)}-${id.slice(8)};Parent=${parent};Sampled=1` },
      undefined,
    ],
    ['xray', { 'x-amzn-trace-id': '' }, undefined],
    // Checked by hand against @google-cloud/opentelemetry-cloud-trace-propagator 0.22.0, whose peers exclude API 1.10.
    ['gcp', { 'x-cloud-trace-context': `${id}/13235353014750950193;o=1` }, sampled],
    ['gcp', { 'x-cloud-trace-context': `${id}/13235353014750950193;o=0` }, unsampled],
    ['gcp', { 'x-cloud-trace-context': `${id}/13235353014750950193` }, unsampled],
    ['gcp', { 'x-cloud-trace-context': `${id.toUpperCase()}/13235353014750950193;o=1` }, sampled],
    ['gcp', { 'x-cloud-trace-context': `${id}/1;o=1` }, { ...sampled, spanId: '0000000000000001' }],
    ['gcp', { 'x-cloud-trace-context': `${id}/18446744073709551616;o=1` }, undefined],
    ['gcp', { 'x-cloud-trace-context': `${id}/0;o=1` }, undefined],
    ['gcp', { 'x-cloud-trace-context': `${'0'.repeat(32)}/1;o=1` }, undefined],
    ['gcp', { 'x-cloud-trace-context': id }, undefined],
    ['gcp', { 'x-cloud-trace-context': `${id.slice(1)}/1;o=1` }, undefined],
    // Checked by hand against @opentelemetry/propagator-jaeger 2.12.0, whose peers exclude API 1.10.
    ['jaeger', { 'uber-trace-id': `${id}:${parent}:0:01` }, sampled],
    ['jaeger', { 'uber-trace-id': `${id}:${parent}:0:1` }, sampled],
    ['jaeger', { 'uber-trace-id': `${id}:${parent}:0:3` }, sampled],
    ['jaeger', { 'uber-trace-id': `${id}%3A${parent}%3A0%3A00` }, unsampled],
    [
      'jaeger',
      { 'uber-trace-id': `1:2:0:1` },
      { ...sampled, traceId: '1'.padStart(32, '0'), spanId: '2'.padStart(16, '0') },
    ],
    ['jaeger', { 'uber-trace-id': `${id}0:${parent}:0:1` }, undefined],
    ['jaeger', { 'uber-trace-id': `${id}:${parent}:1` }, undefined],
    ['jaeger', { 'uber-trace-id': `0:0:0:1` }, undefined],
    ['jaeger', { 'uber-trace-id': `%zz:${parent}:0:1` }, undefined],
    ['jaeger', { 'uber-trace-id': `${id}:${parent}:0:` }, undefined],
    ['tracecontext', { traceparent: `00-${id}-${parent}-01` }, sampled],
    ['tracecontext', { traceparent: `00-${id}-${parent}-0` }, undefined],
  ])('%s reads %o', (names, headers, expected) => {
    expect(found(ours(names), headers)).toEqual(expected)
  })

  test.each([
    ['tracecontext', { traceparent: `00-${id}-${parent}-01` }],
    ['b3', { b3: `${id}-${parent}-1` }],
    ['b3multi', { 'x-b3-traceid': id, 'x-b3-spanid': parent, 'x-b3-sampled': '1' }],
    ['xray', { 'x-amzn-trace-id': `Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=${parent};Sampled=1` }],
    ['gcp', { 'x-cloud-trace-context': `${id}/13235353014750950193;o=1` }],
    ['jaeger', { 'uber-trace-id': `${id}:${parent}:0:01` }],
  ])('%s writes %o', (names, headers) => {
    expect(injected(ours(names), { traceId: id, spanId: parent, traceFlags: 1 })).toEqual(headers)
  })

  test('what is written is read again, for every format', () => {
    for (const names of ['tracecontext', 'b3', 'b3multi', 'xray', 'gcp', 'jaeger']) {
      const propagator = ours(names)
      fc.assert(
        fc.property(spanContext, (span) => {
          expect(found(propagator, injected(propagator, span))).toEqual({ ...span, isRemote: true })
        }),
      )
    }
  })

  test('no text makes a format throw, or gives an invalid span', () => {
    const propagator = ours('b3,b3multi,xray,jaeger,gcp,tracecontext,baggage')
    const fields = ['b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'x-amzn-trace-id', 'uber-trace-id']
    const headers = fc.dictionary(
      fc.constantFrom(...fields, 'x-cloud-trace-context', 'uberctx-%', 'baggage'),
      fc.oneof(fc.string(), fc.constantFrom('%', '::::', ';;;', '=', '0', `${id}/x`, `${id}-`)),
    )
    fc.assert(
      fc.property(headers, (given) => {
        const span = found(propagator, given)
        if (span?.spanId !== undefined) expect(span.traceId).toMatch(/^[0-9a-f]{32}$/)
      }),
      { numRuns: 500 },
    )
  })
})

describe('several formats', () => {
  const b3 = `${id}-${parent}-1`
  const other = '1'.repeat(32)

  test('the first valid one wins, all are written', () => {
    const traceparent = `00-${other}-${parent}-01`
    expect(found(ours('tracecontext,b3'), { b3, traceparent })?.traceId).toBe(other)
    expect(found(ours('b3,tracecontext'), { b3, traceparent })?.traceId).toBe(id)
    expect(found(ours('tracecontext,b3'), { b3, traceparent: 'broken' })?.traceId).toBe(id)
    expect(Object.keys(injected(ours('tracecontext,b3,jaeger'), { ...sampled, isRemote: false }))).toEqual([
      'traceparent',
      'b3',
      'uber-trace-id',
    ])
    expect(ours('tracecontext,b3').fields()).toEqual(['traceparent', 'tracestate', 'b3'])
  })

  test('tracestate passes through', () => {
    const propagator = ours('b3,tracecontext')
    const context = extract(propagator, { traceparent: `00-${id}-${parent}-01`, tracestate: 'x=1' })
    const headers: Headers = {}
    const span = trace.getTracer('t').startSpan('child', {}, context)
    propagator.inject(trace.setSpan(context, span), headers, defaultTextMapSetter)
    expect(headers.tracestate).toBe('x=1')
    expect(headers.b3).toBe(`${id}-${span.spanContext().spanId}-1`)
  })

  test('a decision left open is taken by our sampler, with its probability', () => {
    runtime.sampler = ratioSampler(1, true)
    const span = trace.getSpanContext(extract(ours('b3'), { b3: `${id}-${parent}` }))
    expect(span?.traceFlags).toBe(1)
    expect(span?.traceState?.get('ot')).toBe('th:0')
    // A decision of somebody else has an unknown probability.
    const decided = trace.getSpanContext(extract(ours('b3'), { b3 }))
    expect(decided?.traceState).toBeUndefined()
  })

  test.each<Headers>([{ b3: '0' }, { 'x-b3-sampled': '0' }])(
    '%o: a new trace that nobody records',
    (headers) => {
      runtime.sampler = ratioSampler(1, true)
      const propagator = ours('b3')
      const context = extract(propagator, headers)
      const span = trace.getTracer('t').startSpan('child', {}, context)
      expect(span.isRecording()).toBe(false)
      const outgoing: Headers = {}
      propagator.inject(trace.setSpan(context, span), outgoing, defaultTextMapSetter)
      expect(outgoing.b3).toBe(`${span.spanContext().traceId}-${span.spanContext().spanId}-0`)
      // A sampler that does not follow parents does not follow this one either.
      runtime.sampler = ratioSampler(1, false)
      expect(trace.getSpanContext(extract(propagator, headers))).toBeUndefined()
    },
  )

  test('debug is passed on', () => {
    const propagator = ours('b3,b3multi,jaeger')
    const context = extract(propagator, { b3: `${id}-${parent}-d` })
    const span = trace.getTracer('t').startSpan('child', {}, context)
    const headers: Headers = {}
    propagator.inject(trace.setSpan(context, span), headers, defaultTextMapSetter)
    const { spanId: own } = span.spanContext()
    expect(headers).toEqual({
      b3: `${id}-${own}-d`,
      'x-b3-traceid': id,
      'x-b3-spanid': own,
      'x-b3-flags': '1',
      'uber-trace-id': `${id}:${own}:0:03`,
    })
  })

  test('Jaeger baggage: read with its encoding, written again, broken members left out', () => {
    const propagator = ours('jaeger,baggage')
    const context = extract(propagator, {
      'uberctx-tenant': 'a%20b%2C',
      'uberctx-bad': '%zz',
      baggage: 'k=v',
    })
    const entries = propagation.getBaggage(context)?.getAllEntries() ?? []
    expect(entries.map(([key, { value }]) => [key, value])).toEqual([
      ['tenant', 'a b,'],
      ['k', 'v'],
    ])
    const headers: Headers = {}
    propagator.inject(context, headers, defaultTextMapSetter)
    expect(headers).toEqual({
      'uberctx-tenant': 'a%20b%2C',
      'uberctx-k': 'v',
      baggage: 'tenant=a%20b%2C,k=v',
    })
    const odd = propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ 'a b': { value: '1' } }))
    const none: Headers = {}
    ours('jaeger').inject(odd, none, defaultTextMapSetter)
    expect(none).toEqual({})
  })

  test('Lambda: the invocation’s header is in the environment, a request’s own comes first', () => {
    const env: Headers = {
      AWS_LAMBDA_FUNCTION_NAME: 'f',
      _X_AMZN_TRACE_ID: `Root=1-${id.slice(0, 8)}-${id.slice(8)};Parent=${parent};Sampled=1;Lineage=1:a`,
    }
    expect(found(ours('xray', env), {})).toEqual(sampled)
    const own = `Root=1-11111111-${other.slice(8)};Parent=${parent};Sampled=1`
    expect(found(ours('xray', env), { 'x-amzn-trace-id': own })?.traceId).toBe(other)
    const { AWS_LAMBDA_FUNCTION_NAME: _name, ...elsewhere } = env
    expect(found(ours('xray', elsewhere), {})).toBeUndefined()
  })

  test('the default pair has no formats: its code is in the instrumentations', () => {
    expect(createPropagation(['tracecontext', 'baggage'], {})).toBeNull()
    expect(createPropagation([], {})?.fields).toEqual([])
  })
})
