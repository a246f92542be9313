import type { TableEngines } from './table-engines.ts'
import { telemetrySettings } from './telemetry-tables.ts'

const attributes = 'Map(LowCardinality(String), String)'

/**
 * Profiles, a row each with the whole profile as `Payload`, and what their functions cost, so that no question about functions has to
 * read a payload. `Payload` is an `ExportProfilesServiceRequest` of this one profile with the dictionary entries that it uses: it loses
 * nothing of what was sent, and any OTLP receiver takes it as it is. `Self` and `Total` are in `SampleUnit`; `StartLine` is the function's,
 * 0 when it was not told. `Route` is what the samples say themselves; samples that only link to a span have its ids, and their route
 * is that of the span. A profile that is sent again has the same `ProfileId`, `SampleType` and `Timestamp`.
 */
export function profileTables(engines: TableEngines): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS hotspan_profiles (
  Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
  ProfileId String CODEC(ZSTD(1)),
  Duration UInt64 CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  ResourceSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes ${attributes} CODEC(ZSTD(1)),
  ScopeSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion LowCardinality(String) CODEC(ZSTD(1)),
  ScopeAttributes ${attributes} CODEC(ZSTD(1)),
  ProfileAttributes ${attributes} CODEC(ZSTD(1)),
  DroppedAttributesCount UInt32 CODEC(ZSTD(1)),
  SampleType LowCardinality(String) CODEC(ZSTD(1)),
  SampleUnit LowCardinality(String) CODEC(ZSTD(1)),
  PeriodType LowCardinality(String) CODEC(ZSTD(1)),
  PeriodUnit LowCardinality(String) CODEC(ZSTD(1)),
  Period Int64 CODEC(ZSTD(1)),
  SampleCount UInt64 CODEC(ZSTD(1)),
  Total Int64 CODEC(ZSTD(1)),
  Format LowCardinality(String) CODEC(ZSTD(1)),
  Payload String CODEC(ZSTD(3))
) ENGINE = ${engines.mergeTree}
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, SampleType, Timestamp)
SETTINGS ${telemetrySettings}`,
    `CREATE TABLE IF NOT EXISTS hotspan_profile_functions (
  Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
  ProfileId String CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  SampleType LowCardinality(String) CODEC(ZSTD(1)),
  SampleUnit LowCardinality(String) CODEC(ZSTD(1)),
  FunctionName LowCardinality(String) CODEC(ZSTD(1)),
  FileName LowCardinality(String) CODEC(ZSTD(1)),
  StartLine UInt32 CODEC(ZSTD(1)),
  Route LowCardinality(String) CODEC(ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  Self Int64 CODEC(ZSTD(1)),
  Total Int64 CODEC(ZSTD(1))
) ENGINE = ${engines.mergeTree}
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, SampleType, FunctionName)
SETTINGS ${telemetrySettings}`,
  ]
}
