import { hotColumns } from './hot-columns.ts'
import type { TableEngines } from './table-engines.ts'

/** Inserts that the engine remembers by their token; a journal segment is inserted again at most minutes later. */
const deduplicationWindow = 10_000

const settingsWith = (granularity: number): string =>
  `index_granularity = ${granularity}, ttl_only_drop_parts = 1, non_replicated_deduplication_window = ${deduplicationWindow}`

/** Settings of tables that the journal fills. */
export const telemetrySettings = settingsWith(8192)

const attributes = 'Map(LowCardinality(String), String)'

/**
 * `otel_traces` as the OpenTelemetry Collector's ClickHouse exporter has it, except for the sort key: five minutes, then trace
 * (measured: 0.77 of the disk, 0.32 of the CPU of a trace by id and of a five-minute window). One service over all time is
 * the price: always name a time range. A trace by id reads one granule of all columns: of 4096 rows 2.5 ms of CPU less than of 8192, for 0.3
 * bytes a span; of 2048 another 0.5 for 1.1 (`npm run bench -- query`). Stores of before keep theirs.
 */
export function telemetryTables(engines: TableEngines): string[] {
  const hot = hotColumns.map(({ name, type, sql }) => `  ${name} ${type} MATERIALIZED ${sql} CODEC(ZSTD(1))`)
  return [
    `CREATE TABLE IF NOT EXISTS otel_traces (
  Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  ParentSpanId String CODEC(ZSTD(1)),
  TraceState String CODEC(ZSTD(1)),
  SpanName LowCardinality(String) CODEC(ZSTD(1)),
  SpanKind LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes ${attributes} CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  SpanAttributes ${attributes} CODEC(ZSTD(1)),
  Duration UInt64 CODEC(ZSTD(1)),
  StatusCode LowCardinality(String) CODEC(ZSTD(1)),
  StatusMessage String CODEC(ZSTD(1)),
  Events Nested (Timestamp DateTime64(9), Name LowCardinality(String), Attributes ${attributes}) CODEC(ZSTD(1)),
  Links Nested (TraceId String, SpanId String, TraceState String, Attributes ${attributes}) CODEC(ZSTD(1)),
${hot.join(',\n')}
) ENGINE = ${engines.mergeTree}
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfFiveMinutes(Timestamp), TraceId)
SETTINGS ${settingsWith(4096)}`,
    `CREATE TABLE IF NOT EXISTS otel_traces_trace_id_ts (
  TraceId String CODEC(ZSTD(1)),
  Start DateTime CODEC(Delta, ZSTD(1)),
  End DateTime CODEC(Delta, ZSTD(1))
) ENGINE = ${engines.mergeTree}
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
SETTINGS ${settingsWith(1024)}`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS otel_traces_trace_id_ts_mv TO otel_traces_trace_id_ts AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End FROM otel_traces WHERE TraceId != '' GROUP BY TraceId`,
    `CREATE TABLE IF NOT EXISTS otel_logs (
  Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  TraceFlags UInt8,
  SeverityText LowCardinality(String) CODEC(ZSTD(1)),
  SeverityNumber UInt8,
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  Body String CODEC(ZSTD(1)),
  ResourceSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes ${attributes} CODEC(ZSTD(1)),
  ScopeSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion LowCardinality(String) CODEC(ZSTD(1)),
  ScopeAttributes ${attributes} CODEC(ZSTD(1)),
  LogAttributes ${attributes} CODEC(ZSTD(1)),
  EventName String CODEC(ZSTD(1)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = ${engines.mergeTree}
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)
SETTINGS ${telemetrySettings}`,
  ]
}
