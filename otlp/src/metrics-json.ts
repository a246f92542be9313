import { emptyResource, emptyScope } from './any-value-protobuf.ts'
import type { DecodeLimits } from './decode-limits.ts'
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './id-protobuf.ts'
import { type JsonObject, JsonReader } from './json-reader.ts'
import {
  doubleToJson,
  keyValuesToJson,
  nanosToJson,
  resourceToJson,
  scopeToJson,
  withoutDefaults,
} from './json-writer.ts'
import {
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
  type SummaryPoint,
} from './metric.ts'

/** `ExportMetricsServiceRequest` as OTLP/JSON text. */
export function encodeMetricsJson(data: MetricsData): string {
  return JSON.stringify({
    resourceMetrics: data.resourceMetrics.map((resourceMetrics) => ({
      resource: resourceToJson(resourceMetrics.resource),
      scopeMetrics: resourceMetrics.scopeMetrics.map((scopeMetrics) => ({
        scope: scopeToJson(scopeMetrics.scope),
        metrics: scopeMetrics.metrics.map(metricToJson),
        ...withoutDefaults({ schemaUrl: scopeMetrics.schemaUrl }),
      })),
      ...withoutDefaults({ schemaUrl: resourceMetrics.schemaUrl }),
    })),
  })
}

function metricToJson(metric: Metric): Record<string, unknown> {
  const { name, description, unit, data } = metric
  const json = withoutDefaults({ name, description, unit, metadata: keyValuesToJson(metric.metadata) })
  if (data !== null) json[data.kind] = pointsToJson(data)
  return json
}

function pointsToJson(data: MetricPoints): Record<string, unknown> {
  switch (data.kind) {
    case 'gauge':
      return { dataPoints: data.points.map(numberPointToJson) }
    case 'sum':
      return {
        dataPoints: data.points.map(numberPointToJson),
        aggregationTemporality: data.temporality,
        isMonotonic: data.isMonotonic,
      }
    case 'histogram':
      return {
        dataPoints: data.points.map(histogramPointToJson),
        aggregationTemporality: data.temporality,
      }
    case 'exponentialHistogram':
      return {
        dataPoints: data.points.map(exponentialPointToJson),
        aggregationTemporality: data.temporality,
      }
    case 'summary':
      return { dataPoints: data.points.map(summaryPointToJson) }
  }
}

function numberPointToJson(point: NumberPoint): Record<string, unknown> {
  return {
    ...pointToJson(point),
    ...numberToJson(point.value),
    ...withoutDefaults({ exemplars: point.exemplars.map(exemplarToJson) }),
  }
}

function histogramPointToJson(point: HistogramPoint): Record<string, unknown> {
  return {
    ...pointToJson(point),
    ...distributionToJson(point),
    ...withoutDefaults({
      bucketCounts: point.bucketCounts.map(String),
      explicitBounds: point.explicitBounds.map(doubleToJson),
    }),
  }
}

function exponentialPointToJson(point: ExponentialHistogramPoint): Record<string, unknown> {
  return {
    ...pointToJson(point),
    ...distributionToJson(point),
    scale: point.scale,
    zeroCount: String(point.zeroCount),
    zeroThreshold: doubleToJson(point.zeroThreshold),
    positive: bucketsToJson(point.positive),
    negative: bucketsToJson(point.negative),
  }
}

function bucketsToJson({ offset, bucketCounts }: ExponentialBuckets): Record<string, unknown> {
  return { offset, bucketCounts: bucketCounts.map(String) }
}

function summaryPointToJson(point: SummaryPoint): Record<string, unknown> {
  return {
    ...pointToJson(point),
    count: String(point.count),
    sum: doubleToJson(point.sum),
    quantileValues: point.quantileValues.map(({ quantile, value }) => ({
      quantile: doubleToJson(quantile),
      value: doubleToJson(value),
    })),
  }
}

function pointToJson(point: NumberPoint | HistogramPoint | ExponentialHistogramPoint | SummaryPoint) {
  return withoutDefaults({
    attributes: keyValuesToJson(point.attributes),
    startTimeUnixNano: nanosToJson(point.startTimeUnixNano),
    timeUnixNano: nanosToJson(point.timeUnixNano),
    flags: point.flags,
  })
}

function distributionToJson(point: HistogramPoint | ExponentialHistogramPoint): Record<string, unknown> {
  const json: Record<string, unknown> = { count: String(point.count) }
  for (const key of ['sum', 'min', 'max'] as const) {
    const value = point[key]
    if (value !== null) json[key] = doubleToJson(value)
  }
  if (point.exemplars.length > 0) json.exemplars = point.exemplars.map(exemplarToJson)
  return json
}

function exemplarToJson(exemplar: Exemplar): Record<string, unknown> {
  return {
    ...withoutDefaults({
      filteredAttributes: keyValuesToJson(exemplar.filteredAttributes),
      timeUnixNano: nanosToJson(exemplar.timeUnixNano),
      spanId: exemplar.spanId,
      traceId: exemplar.traceId,
    }),
    ...numberToJson(exemplar.value),
  }
}

function numberToJson(value: NumberValue): Record<string, unknown> {
  if (value === null) return {}
  return typeof value === 'bigint' ? { asInt: String(value) } : { asDouble: doubleToJson(value) }
}

/** Reads an OTLP/JSON `ExportMetricsServiceRequest`; tolerant as `decodeTracesJson` is. Throws only `OtlpJsonError`. */
export function decodeMetricsJson(
  body: string | Uint8Array,
  limits: Partial<DecodeLimits> = {},
): MetricsData {
  const r = new JsonReader(limits)
  return {
    resourceMetrics: r.list(r.parse(body), 'resourceMetrics', (resourceMetrics) => ({
      resource: r.message(resourceMetrics, 'resource', emptyResource, (resource) => r.resource(resource)),
      schemaUrl: r.text(resourceMetrics, 'schemaUrl'),
      scopeMetrics: r.list(resourceMetrics, 'scopeMetrics', (scopeMetrics) => ({
        scope: r.message(scopeMetrics, 'scope', emptyScope, (scope) => r.scope(scope)),
        schemaUrl: r.text(scopeMetrics, 'schemaUrl'),
        metrics: r.list(scopeMetrics, 'metrics', (metric) => readMetric(r, metric)),
      })),
    })),
  }
}

function readMetric(r: JsonReader, metric: JsonObject): Metric {
  let data: MetricPoints | null = null
  // Of several kinds the last one holds, as in protobuf.
  for (const kind of Object.keys(metric)) data = readPoints(r, metric, kind) ?? data
  return {
    name: r.text(metric, 'name'),
    description: r.text(metric, 'description'),
    unit: r.text(metric, 'unit'),
    metadata: r.keyValues(metric, 'metadata'),
    data,
  }
}

function readPoints(r: JsonReader, metric: JsonObject, kind: string): MetricPoints | null {
  const points = <P>(from: JsonObject, read: (r: JsonReader, point: JsonObject) => P) =>
    r.list(from, 'dataPoints', (point) => {
      r.budget.takeRecord()
      return read(r, point)
    })
  const temporality = (from: JsonObject) => knownTemporality(r.enumNumber(from, 'aggregationTemporality'))
  switch (kind) {
    case 'gauge':
      return r.message<MetricPoints | null>(metric, kind, null, (from) => ({
        kind,
        points: points(from, readNumberPoint),
      }))
    case 'sum':
      return r.message<MetricPoints | null>(metric, kind, null, (from) => ({
        kind,
        points: points(from, readNumberPoint),
        temporality: temporality(from),
        isMonotonic: r.bool(from, 'isMonotonic'),
      }))
    case 'histogram':
      return r.message<MetricPoints | null>(metric, kind, null, (from) => ({
        kind,
        points: points(from, readHistogramPoint),
        temporality: temporality(from),
      }))
    case 'exponentialHistogram':
      return r.message<MetricPoints | null>(metric, kind, null, (from) => ({
        kind,
        points: points(from, readExponentialPoint),
        temporality: temporality(from),
      }))
    case 'summary':
      return r.message<MetricPoints | null>(metric, kind, null, (from) => ({
        kind,
        points: points(from, readSummaryPoint),
      }))
    default:
      return null
  }
}

function readPoint(r: JsonReader, point: JsonObject) {
  return {
    attributes: r.keyValues(point, 'attributes'),
    startTimeUnixNano: r.uint64(point, 'startTimeUnixNano'),
    timeUnixNano: r.uint64(point, 'timeUnixNano'),
    flags: r.uint32(point, 'flags'),
  }
}

function readNumberPoint(r: JsonReader, point: JsonObject): NumberPoint {
  return { ...readPoint(r, point), value: readNumber(r, point), exemplars: readExemplars(r, point) }
}

function readDistribution(r: JsonReader, point: JsonObject) {
  return {
    ...readPoint(r, point),
    count: r.uint64(point, 'count'),
    sum: r.optionalDouble(point, 'sum'),
    min: r.optionalDouble(point, 'min'),
    max: r.optionalDouble(point, 'max'),
    exemplars: readExemplars(r, point),
  }
}

function readHistogramPoint(r: JsonReader, point: JsonObject): HistogramPoint {
  return {
    ...readDistribution(r, point),
    bucketCounts: r.uint64s(point, 'bucketCounts'),
    explicitBounds: r.doubles(point, 'explicitBounds'),
  }
}

function readExponentialPoint(r: JsonReader, point: JsonObject): ExponentialHistogramPoint {
  const buckets = (from: JsonObject): ExponentialBuckets => ({
    offset: r.int32(from, 'offset'),
    bucketCounts: r.uint64s(from, 'bucketCounts'),
  })
  return {
    ...readDistribution(r, point),
    scale: r.int32(point, 'scale'),
    zeroCount: r.uint64(point, 'zeroCount'),
    zeroThreshold: r.optionalDouble(point, 'zeroThreshold') ?? 0,
    positive: r.message(point, 'positive', noBuckets, buckets),
    negative: r.message(point, 'negative', noBuckets, buckets),
  }
}

function readSummaryPoint(r: JsonReader, point: JsonObject): SummaryPoint {
  return {
    ...readPoint(r, point),
    count: r.uint64(point, 'count'),
    sum: r.optionalDouble(point, 'sum') ?? 0,
    quantileValues: r.list(point, 'quantileValues', (value) => {
      r.budget.takeValue()
      return {
        quantile: r.optionalDouble(value, 'quantile') ?? 0,
        value: r.optionalDouble(value, 'value') ?? 0,
      }
    }),
  }
}

function readExemplars(r: JsonReader, point: JsonObject): Exemplar[] {
  return r.list(point, 'exemplars', (exemplar) => {
    r.budget.takeValue()
    return {
      filteredAttributes: r.keyValues(exemplar, 'filteredAttributes'),
      timeUnixNano: r.uint64(exemplar, 'timeUnixNano'),
      value: readNumber(r, exemplar),
      traceId: r.id(exemplar, 'traceId', TRACE_ID_BYTES),
      spanId: r.id(exemplar, 'spanId', SPAN_ID_BYTES),
    }
  })
}

function readNumber(r: JsonReader, from: JsonObject): NumberValue {
  return r.optionalInt64(from, 'asInt') ?? r.optionalDouble(from, 'asDouble')
}
