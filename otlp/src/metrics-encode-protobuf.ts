import { writeKeyValues, writeResource, writeScope } from './any-value-protobuf.ts'
import { ByteWriter } from './byte-writer.ts'
import { SPAN_ID_BYTES, TRACE_ID_BYTES, writeId } from './id-protobuf.ts'
import type {
  Exemplar,
  ExponentialBuckets,
  ExponentialHistogramPoint,
  HistogramPoint,
  Metric,
  MetricsData,
  NumberPoint,
  NumberValue,
  SummaryPoint,
} from './metric.ts'
import { MAX_VARINT_BYTES, writeDouble, writeFixed64, writeVarint64 } from './wire-write.ts'

const LOW_32 = 0xffffffffn

/**
 * `ExportMetricsServiceRequest` as protobuf (opentelemetry-proto 1.10, metrics/v1/metrics.proto). Throws `TypeError` when an
 * exemplar's id is not hex of its length.
 */
export function encodeMetrics(data: MetricsData): Uint8Array {
  const w = new ByteWriter(4096)
  for (const resourceMetrics of data.resourceMetrics) {
    w.message(1, () => {
      w.message(1, () => writeResource(w, resourceMetrics.resource))
      for (const scopeMetrics of resourceMetrics.scopeMetrics) {
        w.message(2, () => {
          w.message(1, () => writeScope(w, scopeMetrics.scope))
          for (const metric of scopeMetrics.metrics) w.message(2, () => writeMetric(w, metric))
          w.stringField(3, scopeMetrics.schemaUrl)
        })
      }
      w.stringField(3, resourceMetrics.schemaUrl)
    })
  }
  return w.finish()
}

function writeMetric(w: ByteWriter, metric: Metric): void {
  w.stringField(1, metric.name)
  w.stringField(2, metric.description)
  w.stringField(3, metric.unit)
  const { data } = metric
  switch (data?.kind) {
    case 'gauge':
      w.message(5, () => writePoints(w, data.points, writeNumberPoint))
      break
    case 'sum':
      w.message(7, () => {
        writePoints(w, data.points, writeNumberPoint)
        w.uintField(2, data.temporality)
        w.uintField(3, data.isMonotonic ? 1 : 0)
      })
      break
    case 'histogram':
      w.message(9, () => {
        writePoints(w, data.points, writeHistogramPoint)
        w.uintField(2, data.temporality)
      })
      break
    case 'exponentialHistogram':
      w.message(10, () => {
        writePoints(w, data.points, writeExponentialPoint)
        w.uintField(2, data.temporality)
      })
      break
    case 'summary':
      w.message(11, () => writePoints(w, data.points, writeSummaryPoint))
      break
  }
  writeKeyValues(w, 12, metric.metadata)
}

function writePoints<P>(w: ByteWriter, points: readonly P[], write: (w: ByteWriter, point: P) => void): void {
  for (const point of points) w.message(1, () => write(w, point))
}

function writeNumberPoint(w: ByteWriter, point: NumberPoint): void {
  w.fixed64Field(2, point.startTimeUnixNano)
  w.fixed64Field(3, point.timeUnixNano)
  writeNumber(w, point.value, 4, 6)
  for (const exemplar of point.exemplars) w.message(5, () => writeExemplar(w, exemplar))
  writeKeyValues(w, 7, point.attributes)
  w.uintField(8, point.flags)
}

function writeHistogramPoint(w: ByteWriter, point: HistogramPoint): void {
  w.fixed64Field(2, point.startTimeUnixNano)
  w.fixed64Field(3, point.timeUnixNano)
  w.fixed64Field(4, point.count)
  optionalDouble(w, 5, point.sum)
  if (point.bucketCounts.length > 0) {
    w.message(6, () => {
      for (const count of point.bucketCounts) fixed64(w, count)
    })
  }
  if (point.explicitBounds.length > 0) {
    w.message(7, () => {
      for (const bound of point.explicitBounds) {
        w.ensure(8)
        w.at = writeDouble(w.bytes, w.at, bound)
      }
    })
  }
  for (const exemplar of point.exemplars) w.message(8, () => writeExemplar(w, exemplar))
  writeKeyValues(w, 9, point.attributes)
  w.uintField(10, point.flags)
  optionalDouble(w, 11, point.min)
  optionalDouble(w, 12, point.max)
}

function writeExponentialPoint(w: ByteWriter, point: ExponentialHistogramPoint): void {
  writeKeyValues(w, 1, point.attributes)
  w.fixed64Field(2, point.startTimeUnixNano)
  w.fixed64Field(3, point.timeUnixNano)
  w.fixed64Field(4, point.count)
  optionalDouble(w, 5, point.sum)
  w.uintField(6, zigzag(point.scale))
  w.fixed64Field(7, point.zeroCount)
  w.message(8, () => writeBuckets(w, point.positive))
  w.message(9, () => writeBuckets(w, point.negative))
  w.uintField(10, point.flags)
  for (const exemplar of point.exemplars) w.message(11, () => writeExemplar(w, exemplar))
  optionalDouble(w, 12, point.min)
  optionalDouble(w, 13, point.max)
  if (!Object.is(point.zeroThreshold, 0)) w.doubleField(14, point.zeroThreshold)
}

function writeBuckets(w: ByteWriter, buckets: ExponentialBuckets): void {
  w.uintField(1, zigzag(buckets.offset))
  if (buckets.bucketCounts.length === 0) return
  w.message(2, () => {
    for (const count of buckets.bucketCounts) {
      w.ensure(MAX_VARINT_BYTES)
      w.at = writeVarint64(w.bytes, w.at, Number((count >> 32n) & LOW_32), Number(count & LOW_32))
    }
  })
}

function writeSummaryPoint(w: ByteWriter, point: SummaryPoint): void {
  w.fixed64Field(2, point.startTimeUnixNano)
  w.fixed64Field(3, point.timeUnixNano)
  w.fixed64Field(4, point.count)
  w.doubleField(5, point.sum)
  for (const { quantile, value } of point.quantileValues) {
    w.message(6, () => {
      w.doubleField(1, quantile)
      w.doubleField(2, value)
    })
  }
  writeKeyValues(w, 7, point.attributes)
  w.uintField(8, point.flags)
}

function writeExemplar(w: ByteWriter, exemplar: Exemplar): void {
  w.fixed64Field(2, exemplar.timeUnixNano)
  writeNumber(w, exemplar.value, 3, 6)
  writeId(w, 4, exemplar.spanId, SPAN_ID_BYTES)
  writeId(w, 5, exemplar.traceId, TRACE_ID_BYTES)
  writeKeyValues(w, 7, exemplar.filteredAttributes)
}

function writeNumber(w: ByteWriter, value: NumberValue, doubleField: number, intField: number): void {
  if (typeof value === 'number') w.doubleField(doubleField, value)
  else if (value !== null) {
    w.tag(intField, 1)
    fixed64(w, value)
  }
}

function optionalDouble(w: ByteWriter, field: number, value: number | null): void {
  if (value !== null) w.doubleField(field, value)
}

function fixed64(w: ByteWriter, value: bigint): void {
  w.ensure(8)
  w.at = writeFixed64(w.bytes, w.at, Number((value >> 32n) & LOW_32), Number(value & LOW_32))
}

/** `sint32` as the unsigned number that its varint holds. */
function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0
}
