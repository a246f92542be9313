import { EventEmitter } from 'node:events'
import { parseSamplingState, parseTraceparent } from '@hotspan/otlp'
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { formatBaggage, parseBaggage } from './baggage.ts'
import { RPC_METADATA_KEY, SUPPRESS_TRACING_KEY } from './context-keys.ts'
import { AgentContextManager } from './context-manager.ts'
import { EMPTY_CONTEXT } from './linked-context.ts'
import { W3cPropagator } from './propagator.ts'
import { runtime } from './runtime.ts'
import { consistentTraceState, keeps, ratioSampler } from './sampler.ts'
import type { AgentSpan } from './span.ts'
import { parsed, parseTraceParent } from './trace-parent.ts'
import { AgentTracerProvider, beginSpan } from './tracer.ts'

let ended: AgentSpan[] = []
/** Copies: an ended span lets go of what it held. */
let endedAttributes: (unknown[] | null)[] = []

beforeEach(() => {
  ended = []
  endedAttributes = []
  runtime.sampler = ratioSampler(1, true)
  runtime.ended = (span) => {
    ended.push(span)
    endedAttributes.push(span.attributes)
  }
  trace.setGlobalTracerProvider(new AgentTracerProvider(() => 0))
  context.setGlobalContextManager(new AgentContextManager())
  propagation.setGlobalPropagator(new W3cPropagator())
})
afterEach(() => {
  trace.disable()
  context.disable()
  propagation.disable()
  runtime.ended = () => {}
})

const tracer = () => trace.getTracer('test')

describe('the API', () => {
  test('the active span is the parent, across awaits and in parallel', async () => {
    await tracer().startActiveSpan('outer', async (outer) => {
      await Promise.all(
        ['a', 'b'].map((name) =>
          tracer().startActiveSpan(name, async (span) => {
            await new Promise((resolve) => setImmediate(resolve))
            expect(trace.getActiveSpan()).toBe(span)
            tracer().startSpan(`${name}.child`).end()
            span.end()
          }),
        ),
      )
      outer.end()
    })
    const byName = new Map(ended.map((span) => [span.name, span]))
    for (const [child, parent] of [
      ['a', 'outer'],
      ['b', 'outer'],
      ['a.child', 'a'],
      ['b.child', 'b'],
    ] as const) {
      expect([byName.get(child)!.parentHigh, byName.get(child)!.parentLow]).toEqual([
        byName.get(parent)!.high,
        byName.get(parent)!.low,
      ])
      expect(byName.get(child)!.trace).toBe(byName.get('outer')!.trace)
    }
    expect(trace.getActiveSpan()).toBeUndefined()
  })

  test('nothing has an effect after the end, and a repeated key overwrites', () => {
    const span = tracer().startSpan('once', { kind: SpanKind.CONSUMER, attributes: { a: 1 } }) as AgentSpan
    span.setAttribute('a', 2)
    span.setAttribute('b', undefined as never)
    span.end()
    span.end()
    span.setAttribute('a', 3)
    span.updateName('other')
    span.setStatus({ code: SpanStatusCode.ERROR })
    expect(span.isRecording()).toBe(false)
    expect(ended).toHaveLength(1)
    expect(span.name).toBe('once')
    expect(span.statusCode).toBe(0)
    expect(endedAttributes[0]).toEqual(['a', 2])
  })

  test('OK is final, UNSET changes nothing', () => {
    const span = tracer().startSpan('status') as AgentSpan
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'first' })
    span.setStatus({ code: SpanStatusCode.UNSET })
    expect([span.statusCode, span.statusMessage]).toEqual([2, 'first'])
    span.setStatus({ code: SpanStatusCode.OK, message: 'ignored' })
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'too late' })
    expect([span.statusCode, span.statusMessage]).toEqual([1, ''])
  })

  test('a root span and an explicit context ignore the active span', () => {
    tracer().startActiveSpan('outer', (outer) => {
      const root = tracer().startSpan('root', { root: true })
      expect(root.spanContext().traceId).not.toBe(outer.spanContext().traceId)
      const other = tracer().startSpan('other', {}, ROOT_CONTEXT) as AgentSpan
      expect(other.parentLow).toBe(0)
    })
  })

  test('a span context that some other code made is continued', () => {
    const spanContext = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: TraceFlags.SAMPLED,
    }
    const span = tracer().startSpan('child', {}, trace.setSpanContext(ROOT_CONTEXT, spanContext)) as AgentSpan
    expect(span.spanContext().traceId).toBe(spanContext.traceId)
    expect(span.parentHigh).toBe(0xb7ad6b71 | 0)
    expect(span.parentRemote).toBe(false)
    const invalid = { ...spanContext, spanId: '0'.repeat(16) }
    const root = tracer().startSpan('root', {}, trace.setSpanContext(ROOT_CONTEXT, invalid))
    expect(root.spanContext().traceId).not.toBe(spanContext.traceId)
  })

  test('suppressed: no span, no propagation', () => {
    context.with(ROOT_CONTEXT.setValue(SUPPRESS_TRACING_KEY, true), () => {
      const span = tracer().startSpan('nothing')
      expect(span.isRecording()).toBe(false)
      span.end()
      const carrier = {}
      propagation.inject(trace.setSpan(context.active(), span), carrier)
      expect(carrier).toEqual({})
    })
    expect(ended).toHaveLength(0)
  })

  test('values live next to the span, and a route written by stock instrumentations is found', () => {
    const server = beginSpan(undefined, EMPTY_CONTEXT, 0, 1, 'GET', 0)
    const key = Symbol('value')
    context.with(server.setValue(key, 5), () => {
      expect(context.active().getValue(key)).toBe(5)
      expect(trace.getActiveSpan()).toBe(server)
      const rpc = context.active().getValue(RPC_METADATA_KEY) as { type: string; route?: string }
      expect(rpc.type).toBe('http')
      rpc.route = '/from/express'
      expect(context.active().deleteValue(key).getValue(key)).toBeUndefined()
    })
    expect(server.knownRoute).toBe('/from/express')
  })

  test('bind keeps the context for functions and emitters; listeners can be removed', () => {
    const span = tracer().startSpan('bound')
    const ctx = trace.setSpan(context.active(), span)
    const seen: unknown[] = []
    function original(this: unknown, _a: number, _b: number): void {
      seen.push(trace.getActiveSpan())
    }
    const bound = context.bind(ctx, original)
    expect(bound.length).toBe(2)
    bound(1, 2)
    const emitter = context.bind(ctx, new EventEmitter())
    emitter.once('x', original as never)
    emitter.on('x', original as never)
    emitter.emit('x')
    emitter.removeListener('x', original as never)
    emitter.emit('x')
    expect(seen).toEqual([span, span, span])
    expect(emitter.listenerCount('x')).toBe(0)
  })

  test('context.with hands on this, arguments, results and throws', () => {
    const target = { n: 2 }
    const result = context.with(
      ROOT_CONTEXT,
      function (this: { n: number }, x: number) {
        return this.n * x
      },
      target,
      21,
    )
    expect(result).toBe(42)
    expect(() =>
      context.with(ROOT_CONTEXT, () => {
        throw new Error('passes')
      }),
    ).toThrow('passes')
  })

  test('inject and extract are inverse', () => {
    const span = tracer().startSpan('out')
    const carrier: Record<string, string> = {}
    const baggage = propagation.createBaggage({ tenant: { value: 'ä b,c' }, n: { value: '1' } })
    propagation.inject(propagation.setBaggage(trace.setSpan(ROOT_CONTEXT, span), baggage), carrier)
    const got = propagation.extract(ROOT_CONTEXT, carrier)
    expect(trace.getSpanContext(got)).toMatchObject({
      traceId: span.spanContext().traceId,
      spanId: span.spanContext().spanId,
      traceFlags: 1,
      isRemote: true,
    })
    expect(trace.getSpanContext(got)?.traceState?.get('ot')).toBe('th:0')
    expect(propagation.getBaggage(got)?.getEntry('tenant')?.value).toBe('ä b,c')
    const child = tracer().startSpan('in', {}, got) as AgentSpan
    expect(child.parentRemote).toBe(true)
    expect(propagation.getBaggage(trace.setSpan(got, child))?.getEntry('n')?.value).toBe('1')
  })
})

describe('traceparent', () => {
  const word = fc.integer({ min: 1, max: 0xffffffff }).map((value) => value.toString(16).padStart(8, '0'))

  test('agrees with the reference parser, valid or not', () => {
    const valid = fc
      .tuple(word, word, word, word, word, word, fc.integer({ min: 0, max: 255 }))
      .map(
        ([a, b, c, d, e, f, flags]) => `00-${a}${b}${c}${d}-${e}${f}-${flags.toString(16).padStart(2, '0')}`,
      )
    const broken = fc
      .tuple(valid, fc.nat({ max: 54 }), fc.constantFrom('-', 'g', 'A', '0', 'f', ' ', 'é'))
      .map(([text, at, unit]) => text.slice(0, at) + unit + text.slice(at + 1))
    const longer = valid.map((text) => `01${text.slice(2)}-more`)
    fc.assert(
      fc.property(fc.oneof(valid, broken, longer, fc.string()), (text) => {
        const reference = parseTraceparent(text)
        const ours = parseTraceParent(text)
        if (text === text.trim()) expect(ours).toBe(reference !== null)
        if (!ours || reference === null) return
        const hex = (...words: number[]) =>
          words.map((value) => (value >>> 0).toString(16).padStart(8, '0')).join('')
        expect(hex(parsed.a, parsed.b, parsed.c, parsed.d)).toBe(reference.traceId)
        expect(hex(parsed.high, parsed.low)).toBe(reference.spanId)
        expect(parsed.flags & 3).toBe(reference.flags)
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    '',
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
    `00-${'1'.repeat(32)}-${'0'.repeat(16)}-01`,
    `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
    `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01-extra`,
  ])('%s is invalid', (text) => {
    expect(parseTraceParent(text)).toBe(false)
  })
})

describe('sampling', () => {
  test('keeps by R >= T and writes T', () => {
    const half = ratioSampler(0.5, true)
    expect(half.traceState).toBe('ot=th:8')
    expect(keeps(half, 0x00800000, 0)).toBe(true)
    expect(keeps(half, 0x007fffff, 0xffffffff)).toBe(false)
    expect(ratioSampler(1, true).traceState).toBe('ot=th:0')
    expect(ratioSampler(0, true).never).toBe(true)
  })

  test('a share of 0.1 keeps a tenth', () => {
    const sampler = ratioSampler(0.1, true)
    let kept = 0
    for (let i = 0; i < 100_000; i++) {
      if (keeps(sampler, Math.floor(Math.random() * 2 ** 32), Math.floor(Math.random() * 2 ** 32))) kept++
    }
    expect(kept).toBeGreaterThan(9_500)
    expect(kept).toBeLessThan(10_500)
    const { threshold } = parseSamplingState(sampler.traceState)
    expect(1 - Number(threshold) / 2 ** 56).toBeCloseTo(0.1, 12)
  })

  test('a threshold that contradicts the flag is erased, the rest stays', () => {
    // R = 0: below any threshold but 0.
    expect(consistentTraceState('ot=th:8,x=1', true, 0, 0)).toBe('x=1')
    expect(consistentTraceState('x=1,ot=th:8;rv:ffffffffffffff', true, 0, 0)).toBe(
      'x=1,ot=th:8;rv:ffffffffffffff',
    )
    expect(consistentTraceState('ot=th:8;rv:00000000000000', true, 0, 0)).toBe('ot=rv:00000000000000')
    expect(consistentTraceState('ot=th:8', false, 0, 0)).toBe('ot=th:8')
    expect(consistentTraceState('ot=th:0', true, 0, 0)).toBe('ot=th:0')
    expect(consistentTraceState('x=1', true, 0, 0)).toBe('x=1')
  })
})

describe('baggage', () => {
  test('bad members are left out, limits hold', () => {
    expect(
      parseBaggage('a=1;meta=x, b = %zz ,c=%20, =5,d')
        ?.getAllEntries()
        .map(([key, { value }]) => [key, value]),
    ).toEqual([
      ['a', '1'],
      ['c', ' '],
    ])
    const many = Array.from({ length: 100 }, (_, i) => `k${i}=v`).join(',')
    expect(parseBaggage(many)?.getAllEntries()).toHaveLength(64)
    expect(parseBaggage(`a=${'x'.repeat(9000)}`)).toBeUndefined()
    const huge = propagation.createBaggage({ big: { value: 'x'.repeat(9000) }, small: { value: '1' } })
    expect(formatBaggage(huge)).toBe('small=1')
  })
})
