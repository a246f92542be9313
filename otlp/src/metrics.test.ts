import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AggregationTemporality,
  decodeMetrics,
  decodeMetricsJson,
  encodeMetrics,
  encodeMetricsJson,
  type KeyValue,
  type Metric,
  type MetricPoints,
  type MetricsData,
  OtlpJsonError,
  WireError,
} from './index.ts'

const text = fc.string({ unit: 'binary', maxLength: 40 }).map((s) => s.replace(/\p{Surrogate}/gu, '\ufffd'))
const uint32 = fc.nat({ max: 0xffffffff })
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'))
const orAbsent = (id: fc.Arbitrary<string>) => fc.oneof(id, fc.constant(''))
const orNull = <T>(value: fc.Arbitrary<T>) => fc.oneof(value, fc.constant(null))
const few = { maxLength: 3 }
const keyValues: fc.Arbitrary<KeyValue[]> = fc.array(
  fc.record({ key: text, value: fc.oneof(text, int64, fc.double(), fc.boolean(), fc.constant(null)) }),
  few,
)

const value = fc.oneof(int64, fc.double(), fc.constant(null))
const exemplars = fc.array(
  fc.record({
    filteredAttributes: keyValues,
    timeUnixNano: uint64,
    value,
    traceId: orAbsent(hex(16)),
    spanId: orAbsent(hex(8)),
  }),
  few,
)
const point = { attributes: keyValues, startTimeUnixNano: uint64, timeUnixNano: uint64, flags: uint32 }
const distribution = {
  ...point,
  count: uint64,
  sum: orNull(fc.double()),
  min: orNull(fc.double()),
  max: orNull(fc.double()),
  exemplars,
}
const numberPoints = fc.array(fc.record({ ...point, value, exemplars }), few)
const bucketCounts = fc.array(uint64, { maxLength: 5 })
const buckets = fc.record({ offset: int32, bucketCounts })
const temporality = fc.integer({ min: 0, max: 2 }) as fc.Arbitrary<AggregationTemporality>
const data: fc.Arbitrary<MetricPoints | null> = fc.oneof(
  fc.constant(null),
  fc.record({ kind: fc.constant('gauge' as const), points: numberPoints }),
  fc.record({
    kind: fc.constant('sum' as const),
    points: numberPoints,
    temporality,
    isMonotonic: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('histogram' as const),
    points: fc.array(
      fc.record({ ...distribution, bucketCounts, explicitBounds: fc.array(fc.double(), { maxLength: 5 }) }),
      few,
    ),
    temporality,
  }),
  fc.record({
    kind: fc.constant('exponentialHistogram' as const),
    points: fc.array(
      fc.record({
        ...distribution,
        scale: int32,
        zeroCount: uint64,
        zeroThreshold: fc.double(),
        positive: buckets,
        negative: buckets,
      }),
      few,
    ),
    temporality,
  }),
  fc.record({
    kind: fc.constant('summary' as const),
    points: fc.array(
      fc.record({
        ...point,
        count: uint64,
        sum: fc.double(),
        quantileValues: fc.array(fc.record({ quantile: fc.double(), value: fc.double() }), few),
      }),
      few,
    ),
  }),
)
const metric: fc.Arbitrary<Metric> = fc.record({
  name: text,
  description: text,
  unit: text,
  metadata: keyValues,
  data,
})
const metrics: fc.Arbitrary<MetricsData> = fc.record({
  resourceMetrics: fc.array(
    fc.record({
      resource: fc.record({ attributes: keyValues, droppedAttributesCount: uint32 }),
      schemaUrl: text,
      scopeMetrics: fc.array(
        fc.record({
          scope: fc.record({
            name: text,
            version: text,
            attributes: keyValues,
            droppedAttributesCount: uint32,
          }),
          schemaUrl: text,
          metrics: fc.array(metric, few),
        }),
        few,
      ),
    }),
    few,
  ),
})

describe('round trips', () => {
  test('all five kinds through protobuf and JSON', () => {
    fc.assert(
      fc.property(metrics, (data) => {
        expect(decodeMetrics(encodeMetrics(data))).toEqual(data)
        expect(decodeMetricsJson(encodeMetricsJson(data))).toEqual(data)
      }),
      { numRuns: 300 },
    )
  })

  test('numbers that are not packed, and a kind of a later version', () => {
    // A histogram point whose two counts and one bound stand as a field each; then a metric whose only field is number 99.
    const fixed = (n: number) => [n, 0, 0, 0, 0, 0, 0, 0]
    const histogramPoint = [0x31, ...fixed(5), 0x31, ...fixed(7), 0x39, ...fixed(0)]
    const nested = (tag: number[], inner: number[]) => [...tag, inner.length, ...inner]
    const known = nested([18], nested([74], nested([10], histogramPoint)))
    const later = nested([18], nested([0x9a, 0x06], [1, 2, 3]))
    const body = nested([10], nested([18], [...known, ...later]))
    const read = decodeMetrics(Uint8Array.from(body)).resourceMetrics[0]!.scopeMetrics[0]!.metrics
    expect(read[0]!.data).toMatchObject({ points: [{ bucketCounts: [5n, 7n], explicitBounds: [0] }] })
    expect(read[1]!.data).toBeNull()
  })

  test('JSON takes numbers for 64-bit integers and null for absent, and refuses what is neither', () => {
    const inJson = (dataPoint: object) =>
      decodeMetricsJson(
        JSON.stringify({
          resourceMetrics: [
            { scopeMetrics: [{ metrics: [{ name: 'm', histogram: { dataPoints: [dataPoint] } }] }] },
          ],
        }),
      ).resourceMetrics[0]!.scopeMetrics[0]!.metrics[0]!.data
    expect(
      inJson({ count: 3, sum: 0, min: null, bucketCounts: ['1', 2], explicitBounds: [10] }),
    ).toMatchObject({
      points: [{ count: 3n, sum: 0, min: null, max: null, bucketCounts: [1n, 2n], explicitBounds: [10] }],
    })
    expect(() => inJson({ bucketCounts: ['1', -2] })).toThrow(OtlpJsonError)
    expect(() => inJson({ bucketCounts: 7 })).toThrow(/bucketCounts is 7/)
    expect(() => inJson({ explicitBounds: ['x'] })).toThrow(OtlpJsonError)
  })
})

describe('hostile bytes', () => {
  const failsOnlyAsWireError = (bytes: Uint8Array) => {
    try {
      decodeMetrics(bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(WireError)
    }
  }

  test('truncations, flipped bytes and noise are read or refused with a WireError', () => {
    fc.assert(
      fc.property(
        metrics,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 5 }),
        fc.uint8Array({ maxLength: 200 }),
        (data, share, flips, noise) => {
          failsOnlyAsWireError(noise)
          const bytes = encodeMetrics(data)
          failsOnlyAsWireError(bytes.subarray(0, Math.floor(bytes.length * share)))
          for (const [at, to] of flips) bytes[at % Math.max(1, bytes.length)] = to
          failsOnlyAsWireError(bytes)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('points and bucket counts are bounded', () => {
    const withCounts: MetricsData = {
      resourceMetrics: [
        {
          resource: { attributes: [], droppedAttributesCount: 0 },
          schemaUrl: '',
          scopeMetrics: [
            {
              scope: { name: '', version: '', attributes: [], droppedAttributesCount: 0 },
              schemaUrl: '',
              metrics: [
                {
                  name: 'm',
                  description: '',
                  unit: '',
                  metadata: [],
                  data: {
                    kind: 'histogram',
                    temporality: 1,
                    points: [0, 1].map(() => ({
                      attributes: [],
                      startTimeUnixNano: 0n,
                      timeUnixNano: 1n,
                      flags: 0,
                      count: 3n,
                      sum: null,
                      min: null,
                      max: null,
                      exemplars: [],
                      bucketCounts: [1n, 1n, 1n],
                      explicitBounds: [1, 2],
                    })),
                  },
                },
              ],
            },
          ],
        },
      ],
    }
    const bytes = encodeMetrics(withCounts)
    const json = encodeMetricsJson(withCounts)
    expect(() => decodeMetrics(bytes, { maxRecords: 1 })).toThrow(/more than 1 records/)
    expect(() => decodeMetricsJson(json, { maxRecords: 1 })).toThrow(/more than 1 records/)
    expect(() => decodeMetrics(bytes, { maxValues: 9 })).toThrow(/more than 9/)
    expect(() => decodeMetricsJson(json, { maxValues: 9 })).toThrow(/more than 9/)
    expect(decodeMetrics(bytes, { maxValues: 10, maxRecords: 2 })).toEqual(withCounts)
  })
})

describe('against @opentelemetry/otlp-transformer', () => {
  // The enums of the SDK (sdk-metrics 3.1): they are not the protocol's numbers.
  const sdkKind = { histogram: 0, exponentialHistogram: 1, gauge: 2, sum: 3 }
  const sdkTemporality = { delta: 0, cumulative: 1 }
  const sdkValueType = { int: 0, double: 1 }

  const attributes = fc.dictionary(text, fc.oneof(text, fc.boolean(), fc.maxSafeInteger()), { maxKeys: 3 })
  const modelOf = (from: Record<string, string | boolean | number>): KeyValue[] =>
    Object.entries(from).map(([key, value]) => ({
      key,
      value: typeof value === 'number' ? BigInt(value) : value,
    }))
  const hrTime = fc.tuple(fc.nat({ max: 4_000_000_000 }), fc.nat({ max: 999_999_999 }))
  const nanos = ([seconds, rest]: [number, number]) => BigInt(seconds) * 1_000_000_000n + BigInt(rest)
  // JSON.stringify, which its JSON serializer is, has neither NaN nor infinities nor -0.
  const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0)
  const count = fc.nat({ max: 2 ** 31 })
  const counts = fc.array(count, { maxLength: 5 })
  const optional = fc.option(double, { nil: undefined })
  const when = { startTime: hrTime, endTime: hrTime, attributes }
  const common = (dataPoint: {
    startTime: [number, number]
    endTime: [number, number]
    attributes: Record<string, string | boolean | number>
  }) => ({
    attributes: modelOf(dataPoint.attributes),
    startTimeUnixNano: nanos(dataPoint.startTime),
    timeUnixNano: nanos(dataPoint.endTime),
    flags: 0,
    exemplars: [],
  })
  const descriptor = { name: 'http.server.request.duration', description: 'how long', unit: 's' }

  const readBack = (metricData: object): (Metric | undefined)[] => {
    const request = {
      resource: { attributes: { 'service.name': 'shop' } },
      scopeMetrics: [{ scope: { name: 'meter', version: '1' }, metrics: [metricData] }],
    } as unknown as Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0]
    return [
      decodeMetrics(ProtobufMetricsSerializer.serializeRequest(request)!),
      decodeMetricsJson(JsonMetricsSerializer.serializeRequest(request)!),
    ].map((read) => {
      expect(read.resourceMetrics[0]!.resource.attributes).toEqual([{ key: 'service.name', value: 'shop' }])
      expect(read.resourceMetrics[0]!.scopeMetrics[0]!.scope.name).toBe('meter')
      return read.resourceMetrics[0]!.scopeMetrics[0]!.metrics[0]
    })
  }

  test('sums and gauges, of integers and of doubles', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ ...when, value: fc.maxSafeInteger() }), few),
        fc.array(fc.record({ ...when, value: double }), few),
        fc.boolean(),
        (ints, doubles, isMonotonic) => {
          const sum = {
            descriptor: { ...descriptor, valueType: sdkValueType.int },
            dataPointType: sdkKind.sum,
            aggregationTemporality: sdkTemporality.cumulative,
            isMonotonic,
            dataPoints: ints,
          }
          for (const read of readBack(sum)) {
            expect(read).toEqual({
              ...descriptor,
              metadata: [],
              data: {
                kind: 'sum',
                temporality: 2,
                isMonotonic,
                points: ints.map((p) => ({ ...common(p), value: BigInt(p.value) })),
              },
            })
          }
          const gauge = {
            descriptor: { ...descriptor, valueType: sdkValueType.double },
            dataPointType: sdkKind.gauge,
            aggregationTemporality: sdkTemporality.delta,
            dataPoints: doubles,
          }
          for (const read of readBack(gauge)) {
            expect(read!.data).toEqual({
              kind: 'gauge',
              points: doubles.map((p) => ({ ...common(p), value: p.value })),
            })
          }
        },
      ),
    )
  })

  test('histograms, explicit and exponential', () => {
    const ends = { sum: optional, min: optional, max: optional }
    const explicit = fc.record({
      buckets: fc.record({ counts, boundaries: fc.array(double) }),
      count,
      ...ends,
    })
    const sdkBuckets = fc.record({ offset: int32, bucketCounts: counts })
    const exponential = fc.record({
      count,
      scale: fc.integer({ min: -10, max: 20 }),
      zeroCount: count,
      positive: sdkBuckets,
      negative: sdkBuckets,
      ...ends,
    })
    const endsOf = (value: {
      sum?: number | undefined
      min?: number | undefined
      max?: number | undefined
    }) => ({
      sum: value.sum ?? null,
      min: value.min ?? null,
      max: value.max ?? null,
    })
    const bucketsOf = ({ offset, bucketCounts }: { offset: number; bucketCounts: number[] }) => ({
      offset,
      bucketCounts: bucketCounts.map(BigInt),
    })
    fc.assert(
      fc.property(
        fc.array(fc.record({ ...when, value: explicit }), few),
        fc.array(fc.record({ ...when, value: exponential }), few),
        (explicits, exponentials) => {
          const shared = {
            descriptor: { ...descriptor, valueType: sdkValueType.double },
            aggregationTemporality: sdkTemporality.delta,
          }
          for (const read of readBack({
            ...shared,
            dataPointType: sdkKind.histogram,
            dataPoints: explicits,
          })) {
            expect(read!.data).toEqual({
              kind: 'histogram',
              temporality: 1,
              points: explicits.map((p) => ({
                ...common(p),
                ...endsOf(p.value),
                count: BigInt(p.value.count),
                bucketCounts: p.value.buckets.counts.map(BigInt),
                explicitBounds: p.value.buckets.boundaries,
              })),
            })
          }
          for (const read of readBack({
            ...shared,
            dataPointType: sdkKind.exponentialHistogram,
            dataPoints: exponentials,
          })) {
            expect(read!.data).toEqual({
              kind: 'exponentialHistogram',
              temporality: 1,
              points: exponentials.map((p) => ({
                ...common(p),
                ...endsOf(p.value),
                count: BigInt(p.value.count),
                scale: p.value.scale,
                zeroCount: BigInt(p.value.zeroCount),
                zeroThreshold: 0,
                positive: bucketsOf(p.value.positive),
                negative: bucketsOf(p.value.negative),
              })),
            })
          }
        },
      ),
    )
  })
})
