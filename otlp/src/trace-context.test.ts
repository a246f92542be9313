import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatThreshold,
  formatTraceparent,
  formatTraceState,
  parseSamplingState,
  parseTraceparent,
  parseTraceState,
  randomnessOfTraceId,
  samplingWeight,
  thresholdOfProbability,
  withSamplingState,
} from './index.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

describe('traceparent', () => {
  test('what is written is read', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }),
        fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
        fc.nat({ max: 3 }),
        (trace, span, flags) => {
          const traceId = trace.toString(16).padStart(32, '0')
          const spanId = span.toString(16).padStart(16, '0')
          expect(parseTraceparent(formatTraceparent(traceId, spanId, flags))).toEqual({
            traceId,
            spanId,
            flags,
          })
        },
      ),
    )
  })

  test('the strict rules', () => {
    const good = `00-${TRACE}-${SPAN}-01`
    expect(parseTraceparent(good)).toEqual({ traceId: TRACE, spanId: SPAN, flags: 1 })
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-ff`)?.flags).toBe(3)
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01`)).not.toBeNull()
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`)).not.toBeNull()
    for (const bad of [
      '',
      `${good}-extra`,
      `${good}0`,
      `cc-${TRACE}-${SPAN}-01.future`,
      `ff-${TRACE}-${SPAN}-01`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE}-${SPAN}-0x`,
      `00-${TRACE}-${SPAN}`,
      `00_${TRACE}-${SPAN}-01`,
    ]) {
      expect(parseTraceparent(bad), bad).toBeNull()
    }
  })

  test('any text is read or refused', () => {
    fc.assert(fc.property(fc.string({ maxLength: 80 }), (text) => void parseTraceparent(text)))
  })
})

describe('tracestate', () => {
  test('members keep their order; a broken header gives none', () => {
    const header = 'ot=th:8;rv:00000000000001, vendor@tenant=x ,empty9=y'
    expect(parseTraceState(header).map(({ key }) => key)).toEqual(['ot', 'vendor@tenant', 'empty9'])
    expect(formatTraceState(parseTraceState(header))).toBe(
      'ot=th:8;rv:00000000000001,vendor@tenant=x,empty9=y',
    )
    for (const bad of ['Upper=1', 'a=1,a=2', 'novalue', 'a=b=c', '=x', 'a='])
      expect(parseTraceState(bad), bad).toEqual([])
    expect(parseTraceState(Array.from({ length: 33 }, (_, i) => `k${i}=v`).join(','))).toEqual([])
  })

  test('thresholds and weights', () => {
    expect(samplingWeight('ot=th:0')).toEqual({ weight: 1, known: true })
    expect(samplingWeight('ot=th:8')).toEqual({ weight: 2, known: true })
    expect(samplingWeight('a=b,ot=rv:00000000000000;th:c')).toEqual({ weight: 4, known: true })
    expect(samplingWeight('ot=th:fd70a3d70a3d71').weight).toBeCloseTo(100, 6)
    for (const unknown of [
      '',
      'a=b',
      'ot=rv:00000000000000',
      'ot=th:',
      'ot=th:xyz',
      'ot=th:000000000000000',
      'ot=th:F',
    ]) {
      expect(samplingWeight(unknown), unknown).toEqual({ weight: 1, known: false })
    }
    expect(samplingWeight('ot=th:ffffffffffffff')).toEqual({ weight: 2 ** 56, known: true })
  })

  test('probability, threshold, text and weight agree', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1, noNaN: true }), (probability) => {
        const threshold = thresholdOfProbability(probability)
        const header = withSamplingState('', { threshold, randomness: null })
        expect(parseSamplingState(header).threshold).toBe(threshold)
        expect(samplingWeight(header).weight * probability).toBeCloseTo(1, 6)
      }),
    )
    expect(formatThreshold(0n)).toBe('0')
  })

  test('the changed member moves to the front and everything else stays', () => {
    expect(withSamplingState('v=1,ot=th:4;xx:kept,w=2', { threshold: 1n << 55n, randomness: 255n })).toBe(
      'ot=th:8;rv:000000000000ff;xx:kept,v=1,w=2',
    )
    expect(withSamplingState('v=1,ot=th:4', { threshold: null, randomness: null })).toBe('v=1')
    expect(randomnessOfTraceId(TRACE)).toBe(0x48eb211c80319cn)
  })
})
