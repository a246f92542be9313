import type { TableEngines } from './table-engines.ts'
import { telemetrySettings } from './telemetry-tables.ts'

const attributes = 'Map(LowCardinality(String), String)'

const identity = `  ResourceAttributes ${attributes} CODEC(ZSTD(1)),
  ResourceSchemaUrl String CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  ScopeAttributes ${attributes} CODEC(ZSTD(1)),
  ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
  ScopeSchemaUrl String CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  MetricName LowCardinality(String) CODEC(ZSTD(1)),
  MetricDescription LowCardinality(String) CODEC(ZSTD(1)),
  MetricUnit LowCardinality(String) CODEC(ZSTD(1)),
  Attributes ${attributes} CODEC(ZSTD(1)),
  StartTimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  TimeUnix DateTime64(9) CODEC(Delta, ZSTD(1))`

const exemplars = `  Exemplars Nested (FilteredAttributes ${attributes}, TimeUnix DateTime64(9), Value Float64, SpanId String, TraceId String) CODEC(ZSTD(1))`

const flags = '  Flags UInt32 CODEC(ZSTD(1))'
const temporality = '  AggregationTemporality Int32 CODEC(ZSTD(1))'

const number = `  Value Float64 CODEC(ZSTD(1)),
${flags},
${exemplars}`

const minAndMax = `  Min Float64 CODEC(ZSTD(1)),
  Max Float64 CODEC(ZSTD(1))`

// Ours, behind the exporter's: it writes 0 for what a sender left out, and a minimum of 0 is another thing than none.
const known = ['Sum', 'Min', 'Max']
  .map((name) => `  ${name}Known Bool DEFAULT true CODEC(ZSTD(1))`)
  .join(',\n')

const columnsByTable: Readonly<Record<string, string>> = {
  otel_metrics_gauge: number,
  otel_metrics_sum: `${number},
${temporality},
  IsMonotonic Bool CODEC(ZSTD(1))`,
  otel_metrics_histogram: `  Count UInt64 CODEC(Delta, ZSTD(1)),
  Sum Float64 CODEC(ZSTD(1)),
  BucketCounts Array(UInt64) CODEC(ZSTD(1)),
  ExplicitBounds Array(Float64) CODEC(ZSTD(1)),
${exemplars},
${flags},
${minAndMax},
${temporality},
${known}`,
  otel_metrics_exponential_histogram: `  Count UInt64 CODEC(Delta, ZSTD(1)),
  Sum Float64 CODEC(ZSTD(1)),
  Scale Int32 CODEC(ZSTD(1)),
  ZeroCount UInt64 CODEC(ZSTD(1)),
  PositiveOffset Int32 CODEC(ZSTD(1)),
  PositiveBucketCounts Array(UInt64) CODEC(ZSTD(1)),
  NegativeOffset Int32 CODEC(ZSTD(1)),
  NegativeBucketCounts Array(UInt64) CODEC(ZSTD(1)),
${exemplars},
${flags},
${minAndMax},
${temporality},
${known},
  ZeroThreshold Float64 CODEC(ZSTD(1))`,
  otel_metrics_summary: `  Count UInt64 CODEC(Delta, ZSTD(1)),
  Sum Float64 CODEC(ZSTD(1)),
  ValueAtQuantiles Nested (Quantile Float64, Value Float64) CODEC(ZSTD(1)),
${flags}`,
}

/**
 * One table per kind of metric, with the column names and the sort key of the OpenTelemetry Collector's ClickHouse exporter:
 * a panel asks for one metric of one service over a range of time, so its points lie together, hour by hour and series by
 * series. Descriptions and units repeat with every point and are therefore dictionaries.
 */
export function metricTables(engines: TableEngines): string[] {
  return Object.entries(columnsByTable).map(
    ([table, columns]) => `CREATE TABLE IF NOT EXISTS ${table} (
${identity},
${columns}
) ENGINE = ${engines.mergeTree}
PARTITION BY toDate(TimeUnix)
ORDER BY (ServiceName, MetricName, toStartOfHour(TimeUnix), cityHash64(Attributes), TimeUnix)
SETTINGS ${telemetrySettings}`,
  )
}
