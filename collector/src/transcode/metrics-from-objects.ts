import type {
  Exemplar,
  ExponentialHistogramPoint,
  HistogramPoint,
  Metric,
  MetricPoints,
  MetricsData,
  NumberPoint,
  NumberValue,
  Resource,
  Scope,
  SummaryPoint,
} from '@hotspan/otlp'
import { RowTable } from '../schema/row-layout.ts'
import { serviceNameOf, writeAttributes } from './attribute-text.ts'
import { RowWriter } from './row-writer.ts'
import { finishedRows, type Rows } from './spans-from-objects.ts'

export interface MetricRows {
  /** Only tables that have rows. */
  readonly tables: readonly { readonly table: RowTable; readonly rows: Rows }[]
  /** Points that no row can hold, by reason. */
  readonly rejected: ReadonlyMap<string, number>
}

/** Flag of a point that says "no value at this time": the series ended or its target was away. */
const noRecordedValue = 1

/** DateTime64(9) holds a signed count of nanoseconds: times up to the year 2262. */
const maxTimeNs = (1n << 63n) - 1n

interface Table {
  readonly w: RowWriter
  rows: number
}

/** Rows of the five tables of metrics. Integers become doubles, as in the exporter; above 2^53 they are rounded. */
export function metricRowsFromObjects(data: MetricsData): MetricRows {
  const tables = new Map<RowTable, Table>()
  const rejected = new Map<string, number>()
  const head = new RowWriter(1 << 10)
  for (const { resource, schemaUrl: resourceSchemaUrl, scopeMetrics } of data.resourceMetrics) {
    for (const { scope, schemaUrl, metrics } of scopeMetrics) {
      head.clear()
      writeOrigin(head, resource, resourceSchemaUrl, scope, schemaUrl)
      const originEnd = head.at
      for (const metric of metrics) {
        if (metric.data === null) continue
        head.at = originEnd
        writeNames(head, metric)
        writePoints(tables, rejected, head, metric.data)
      }
    }
  }
  return {
    tables: [...tables].map(([table, { w, rows }]) => ({ table, rows: finishedRows(rows, w) })),
    rejected,
  }
}

function writeOrigin(
  w: RowWriter,
  resource: Resource,
  resourceSchemaUrl: string,
  scope: Scope,
  schemaUrl: string,
): void {
  writeAttributes(w, resource.attributes)
  w.string(resourceSchemaUrl)
  w.string(scope.name)
  w.string(scope.version)
  writeAttributes(w, scope.attributes)
  w.int32(scope.droppedAttributesCount)
  w.string(schemaUrl)
  w.limitedString(serviceNameOf(resource.attributes))
}

function writeNames(w: RowWriter, metric: Metric): void {
  w.string(metric.name)
  w.string(metric.description)
  w.string(metric.unit)
}

/** `head` holds the columns that all points of the metric share. */
function writePoints(
  tables: Map<RowTable, Table>,
  rejected: Map<string, number>,
  head: RowWriter,
  data: MetricPoints,
): void {
  const number = tableOf[data.kind]
  let table = tables.get(number)
  for (const point of data.points) {
    const reason = unstorable(point)
    if (reason !== null) {
      rejected.set(reason, (rejected.get(reason) ?? 0) + 1)
      continue
    }
    if (table === undefined) {
      table = { w: new RowWriter(), rows: 0 }
      tables.set(number, table)
    }
    const { w } = table
    w.append(head)
    writeAttributes(w, point.attributes)
    writeTime(w, point.startTimeUnixNano)
    writeTime(w, point.timeUnixNano)
    table.rows += 1
    if ('value' in point) writeNumberPoint(w, point, data)
    else if ('explicitBounds' in point) writeHistogramPoint(w, point, data)
    else if ('scale' in point) writeExponentialPoint(w, point, data)
    else writeSummaryPoint(w, point)
  }
}

const tableOf: Readonly<Record<MetricPoints['kind'], RowTable>> = {
  gauge: RowTable.Gauges,
  sum: RowTable.Sums,
  histogram: RowTable.Histograms,
  exponentialHistogram: RowTable.ExponentialHistograms,
  summary: RowTable.Summaries,
}

type AnyPoint = NumberPoint | HistogramPoint | ExponentialHistogramPoint | SummaryPoint

function unstorable(point: AnyPoint): string | null {
  if (point.timeUnixNano > maxTimeNs) return 'a time after the year 2262'
  if ('value' in point && point.value === null && (point.flags & noRecordedValue) === 0) return 'no value'
  return null
}

function writeNumberPoint(w: RowWriter, point: NumberPoint, data: MetricPoints): void {
  writeNumber(w, point.value)
  w.int32(point.flags)
  writeExemplars(w, point.exemplars)
  if (data.kind !== 'sum') return
  w.int32(data.temporality)
  w.byte(data.isMonotonic ? 1 : 0)
}

function writeHistogramPoint(w: RowWriter, point: HistogramPoint, data: MetricPoints): void {
  w.uint64(point.count)
  w.double(point.sum ?? 0)
  writeCounts(w, point.bucketCounts)
  writeList(w, point.explicitBounds, (bound) => w.double(bound))
  writeDistributionEnd(w, point, data)
}

function writeExponentialPoint(w: RowWriter, point: ExponentialHistogramPoint, data: MetricPoints): void {
  w.uint64(point.count)
  w.double(point.sum ?? 0)
  w.int32(point.scale)
  w.uint64(point.zeroCount)
  w.int32(point.positive.offset)
  writeCounts(w, point.positive.bucketCounts)
  w.int32(point.negative.offset)
  writeCounts(w, point.negative.bucketCounts)
  writeDistributionEnd(w, point, data)
  w.double(point.zeroThreshold)
}

function writeDistributionEnd(
  w: RowWriter,
  point: HistogramPoint | ExponentialHistogramPoint,
  data: MetricPoints,
): void {
  writeExemplars(w, point.exemplars)
  w.int32(point.flags)
  w.double(point.min ?? 0)
  w.double(point.max ?? 0)
  w.int32('temporality' in data ? data.temporality : 0)
  for (const value of [point.sum, point.min, point.max]) w.byte(value === null ? 0 : 1)
}

function writeSummaryPoint(w: RowWriter, point: SummaryPoint): void {
  w.uint64(point.count)
  w.double(point.sum)
  writeList(w, point.quantileValues, ({ quantile }) => w.double(quantile))
  writeList(w, point.quantileValues, ({ value }) => w.double(value))
  w.int32(point.flags)
}

function writeExemplars(w: RowWriter, exemplars: readonly Exemplar[]): void {
  writeList(w, exemplars, ({ filteredAttributes }) => writeAttributes(w, filteredAttributes))
  writeList(w, exemplars, ({ timeUnixNano }) => writeTime(w, timeUnixNano))
  writeList(w, exemplars, ({ value }) => writeNumber(w, value))
  writeList(w, exemplars, ({ spanId }) => w.string(spanId))
  writeList(w, exemplars, ({ traceId }) => w.string(traceId))
}

function writeCounts(w: RowWriter, counts: readonly bigint[]): void {
  writeList(w, counts, (count) => w.uint64(count))
}

function writeList<T>(w: RowWriter, items: readonly T[], write: (item: T) => void): void {
  w.varint(items.length)
  for (const item of items) write(item)
}

function writeTime(w: RowWriter, ns: bigint): void {
  w.uint64(ns > maxTimeNs ? maxTimeNs : ns)
}

function writeNumber(w: RowWriter, value: NumberValue): void {
  w.double(Number(value ?? 0))
}
