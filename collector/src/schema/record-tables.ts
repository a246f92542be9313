import type { TableEngines } from './table-engines.ts'

/** Our own tables: measured runs with their samples, and findings. Writing one twice keeps the last. */
export function recordTables(engines: TableEngines): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS hotspan_runs (
  schema_version UInt16,
  id String,
  kind LowCardinality(String),
  driver LowCardinality(String),
  driver_version String,
  model LowCardinality(String),
  scenario String,
  url String,
  started_at_unix_ms Int64,
  warm_up_ms Float64,
  measured_ms Float64,
  arrivals LowCardinality(String),
  arrivals_per_sec Float64,
  seed Int64,
  commit String,
  branch String,
  dirty Bool,
  machine_key String,
  config_hash String,
  health String,
  metrics String,
  command Array(String),
  imported_at DateTime64(3) DEFAULT now64(3)
) ENGINE = ${engines.replacingMergeTree('imported_at')}
ORDER BY (started_at_unix_ms, id)`,
    `CREATE TABLE IF NOT EXISTS hotspan_run_samples (
  run_id String,
  number UInt32,
  type LowCardinality(String),
  endpoint LowCardinality(String),
  intended_unix_us Float64,
  sent_unix_us Float64,
  duration_us Float64,
  status UInt16,
  bytes UInt64,
  error String,
  trace_id String,
  page String,
  metric LowCardinality(String),
  value Float64,
  unit LowCardinality(String),
  imported_at DateTime64(3) DEFAULT now64(3)
) ENGINE = ${engines.replacingMergeTree('imported_at')}
ORDER BY (run_id, number)`,
    `CREATE TABLE IF NOT EXISTS hotspan_findings (
  id String,
  fingerprint String,
  detector LowCardinality(String),
  generated_at DateTime64(3),
  json String
) ENGINE = ${engines.mergeTree}
ORDER BY (generated_at, id)`,
  ]
}
