import { emptyResource, emptyScope, readKeyValue, readResource, readScope } from './any-value-protobuf.ts'
import { DecodeBudget, type DecodeLimits } from './decode-limits.ts'
import { readId, SPAN_ID_BYTES, TRACE_ID_BYTES } from './id-protobuf.ts'
import {
  type AggregationTemporality,
  type Exemplar,
  type ExponentialBuckets,
  type ExponentialHistogramPoint,
  type HistogramPoint,
  knownTemporality,
  type Metric,
  type MetricPoints,
  type MetricsData,
  type NumberPoint,
  type NumberValue,
  noBuckets,
  type ResourceMetrics,
  type ScopeMetrics,
  type SummaryPoint,
} from './metric.ts'
import { readRepeated } from './repeated-protobuf.ts'
import type { KeyValue, Resource, Scope } from './span.ts'
import { WireReader } from './wire-read.ts'

/** Reads an `ExportMetricsServiceRequest`; tolerant as `decodeTraces` is. A data point is a record. Throws only `WireError`. */
export function decodeMetrics(bytes: Uint8Array, limits: Partial<DecodeLimits> = {}): MetricsData {
  const r = new WireReader(bytes)
  const budget = new DecodeBudget(limits)
  const resourceMetrics: ResourceMetrics[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) resourceMetrics.push(readResourceMetrics(r, budget))
    else r.skip(tag)
  }
  return { resourceMetrics }
}

function readResourceMetrics(r: WireReader, budget: DecodeBudget): ResourceMetrics {
  const outer = r.enter()
  let resource: Resource = emptyResource
  let schemaUrl = ''
  const scopeMetrics: ScopeMetrics[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) resource = readResource(r, budget)
    else if (tag === 18) scopeMetrics.push(readScopeMetrics(r, budget))
    else if (tag === 26) schemaUrl = r.string()
    else r.skip(tag)
  }
  r.leave(outer)
  return { resource, schemaUrl, scopeMetrics }
}

function readScopeMetrics(r: WireReader, budget: DecodeBudget): ScopeMetrics {
  const outer = r.enter()
  let scope: Scope = emptyScope
  let schemaUrl = ''
  const metrics: Metric[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) scope = readScope(r, budget)
    else if (tag === 18) metrics.push(readMetric(r, budget))
    else if (tag === 26) schemaUrl = r.string()
    else r.skip(tag)
  }
  r.leave(outer)
  return { scope, schemaUrl, metrics }
}

function readMetric(r: WireReader, budget: DecodeBudget): Metric {
  const outer = r.enter()
  let name = ''
  let description = ''
  let unit = ''
  let data: MetricPoints | null = null
  const metadata: KeyValue[] = []
  while (r.more()) {
    const tag = r.tag()
    switch (tag) {
      case 10:
        name = r.string()
        break
      case 18:
        description = r.string()
        break
      case 26:
        unit = r.string()
        break
      case 42:
        data = { kind: 'gauge', points: readPoints(r, budget, readNumberPoint).points }
        break
      case 58:
        data = { kind: 'sum', ...readPoints(r, budget, readNumberPoint) }
        break
      case 74: {
        const { points, temporality } = readPoints(r, budget, readHistogramPoint)
        data = { kind: 'histogram', points, temporality }
        break
      }
      case 82: {
        const { points, temporality } = readPoints(r, budget, readExponentialPoint)
        data = { kind: 'exponentialHistogram', points, temporality }
        break
      }
      case 90:
        data = { kind: 'summary', points: readPoints(r, budget, readSummaryPoint).points }
        break
      case 98:
        metadata.push(readKeyValue(r, budget))
        break
      default:
        r.skip(tag)
    }
  }
  r.leave(outer)
  return { name, description, unit, metadata, data }
}

/** All five kinds number these three fields alike; those that a kind does not have stay unset. */
function readPoints<P>(
  r: WireReader,
  budget: DecodeBudget,
  read: (r: WireReader, budget: DecodeBudget) => P,
): { points: P[]; temporality: AggregationTemporality; isMonotonic: boolean } {
  const outer = r.enter()
  const points: P[] = []
  let temporality: AggregationTemporality = 0
  let isMonotonic = false
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) {
      budget.takeRecord(r.at)
      const inner = r.enter()
      points.push(read(r, budget))
      r.leave(inner)
    } else if (tag === 16) temporality = knownTemporality(r.int32())
    else if (tag === 24) isMonotonic = r.bool()
    else r.skip(tag)
  }
  r.leave(outer)
  return { points, temporality, isMonotonic }
}

function readNumberPoint(r: WireReader, budget: DecodeBudget): NumberPoint {
  const attributes: KeyValue[] = []
  const exemplars: Exemplar[] = []
  let startTimeUnixNano = 0n
  let timeUnixNano = 0n
  let value: NumberValue = null
  let flags = 0
  while (r.more()) {
    const tag = r.tag()
    if (tag === 17) startTimeUnixNano = r.fixed64BigInt()
    else if (tag === 25) timeUnixNano = r.fixed64BigInt()
    else if (tag === 33) value = r.double()
    else if (tag === 42) exemplars.push(readExemplar(r, budget))
    else if (tag === 49) value = signedFixed64(r)
    else if (tag === 58) attributes.push(readKeyValue(r, budget))
    else if (tag === 64) flags = r.uint32()
    else r.skip(tag)
  }
  return { attributes, startTimeUnixNano, timeUnixNano, value, exemplars, flags }
}

function readHistogramPoint(r: WireReader, budget: DecodeBudget): HistogramPoint {
  const attributes: KeyValue[] = []
  const exemplars: Exemplar[] = []
  const bucketCounts: bigint[] = []
  const explicitBounds: number[] = []
  const point = {
    startTimeUnixNano: 0n,
    timeUnixNano: 0n,
    flags: 0,
    count: 0n,
    sum: null as number | null,
    min: null as number | null,
    max: null as number | null,
  }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 17) point.startTimeUnixNano = r.fixed64BigInt()
    else if (tag === 25) point.timeUnixNano = r.fixed64BigInt()
    else if (tag === 33) point.count = r.fixed64BigInt()
    else if (tag === 41) point.sum = r.double()
    else if (tag === 50 || tag === 49)
      readRepeated(r, budget, tag, () => bucketCounts.push(r.fixed64BigInt()))
    else if (tag === 58 || tag === 57) readRepeated(r, budget, tag, () => explicitBounds.push(r.double()))
    else if (tag === 66) exemplars.push(readExemplar(r, budget))
    else if (tag === 74) attributes.push(readKeyValue(r, budget))
    else if (tag === 80) point.flags = r.uint32()
    else if (tag === 89) point.min = r.double()
    else if (tag === 97) point.max = r.double()
    else r.skip(tag)
  }
  return { ...point, attributes, exemplars, bucketCounts, explicitBounds }
}

function readExponentialPoint(r: WireReader, budget: DecodeBudget): ExponentialHistogramPoint {
  const attributes: KeyValue[] = []
  const exemplars: Exemplar[] = []
  const point = {
    startTimeUnixNano: 0n,
    timeUnixNano: 0n,
    flags: 0,
    count: 0n,
    sum: null as number | null,
    min: null as number | null,
    max: null as number | null,
    scale: 0,
    zeroCount: 0n,
    zeroThreshold: 0,
    positive: noBuckets,
    negative: noBuckets,
  }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) attributes.push(readKeyValue(r, budget))
    else if (tag === 17) point.startTimeUnixNano = r.fixed64BigInt()
    else if (tag === 25) point.timeUnixNano = r.fixed64BigInt()
    else if (tag === 33) point.count = r.fixed64BigInt()
    else if (tag === 41) point.sum = r.double()
    else if (tag === 48) point.scale = signed(r.uint32())
    else if (tag === 57) point.zeroCount = r.fixed64BigInt()
    else if (tag === 66) point.positive = readBuckets(r, budget)
    else if (tag === 74) point.negative = readBuckets(r, budget)
    else if (tag === 80) point.flags = r.uint32()
    else if (tag === 90) exemplars.push(readExemplar(r, budget))
    else if (tag === 97) point.min = r.double()
    else if (tag === 105) point.max = r.double()
    else if (tag === 113) point.zeroThreshold = r.double()
    else r.skip(tag)
  }
  return { ...point, attributes, exemplars }
}

function readBuckets(r: WireReader, budget: DecodeBudget): ExponentialBuckets {
  const outer = r.enter()
  let offset = 0
  const bucketCounts: bigint[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 8) offset = signed(r.uint32())
    else if (tag === 18 || tag === 16) {
      readRepeated(r, budget, tag, () => bucketCounts.push(BigInt.asUintN(64, r.int64BigInt())))
    } else r.skip(tag)
  }
  r.leave(outer)
  return { offset, bucketCounts }
}

function readSummaryPoint(r: WireReader, budget: DecodeBudget): SummaryPoint {
  const attributes: KeyValue[] = []
  const quantileValues: { quantile: number; value: number }[] = []
  const point = { startTimeUnixNano: 0n, timeUnixNano: 0n, flags: 0, count: 0n, sum: 0 }
  while (r.more()) {
    const tag = r.tag()
    if (tag === 17) point.startTimeUnixNano = r.fixed64BigInt()
    else if (tag === 25) point.timeUnixNano = r.fixed64BigInt()
    else if (tag === 33) point.count = r.fixed64BigInt()
    else if (tag === 41) point.sum = r.double()
    else if (tag === 50) {
      budget.takeValue(r.at)
      quantileValues.push(readQuantile(r))
    } else if (tag === 58) attributes.push(readKeyValue(r, budget))
    else if (tag === 64) point.flags = r.uint32()
    else r.skip(tag)
  }
  return { ...point, attributes, quantileValues }
}

function readQuantile(r: WireReader): { quantile: number; value: number } {
  const outer = r.enter()
  let quantile = 0
  let value = 0
  while (r.more()) {
    const tag = r.tag()
    if (tag === 9) quantile = r.double()
    else if (tag === 17) value = r.double()
    else r.skip(tag)
  }
  r.leave(outer)
  return { quantile, value }
}

function readExemplar(r: WireReader, budget: DecodeBudget): Exemplar {
  budget.takeValue(r.at)
  const outer = r.enter()
  const filteredAttributes: KeyValue[] = []
  let timeUnixNano = 0n
  let value: NumberValue = null
  let spanId = ''
  let traceId = ''
  while (r.more()) {
    const tag = r.tag()
    if (tag === 17) timeUnixNano = r.fixed64BigInt()
    else if (tag === 25) value = r.double()
    else if (tag === 34) spanId = readId(r, SPAN_ID_BYTES)
    else if (tag === 42) traceId = readId(r, TRACE_ID_BYTES)
    else if (tag === 49) value = signedFixed64(r)
    else if (tag === 58) filteredAttributes.push(readKeyValue(r, budget))
    else r.skip(tag)
  }
  r.leave(outer)
  return { filteredAttributes, timeUnixNano, value, traceId, spanId }
}

function signedFixed64(r: WireReader): bigint {
  return BigInt.asIntN(64, r.fixed64BigInt())
}

/** `sint32` from the unsigned number that its varint holds. */
function signed(zigzag: number): number {
  return (zigzag >>> 1) ^ -(zigzag & 1)
}
