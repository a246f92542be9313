import type { TableEngines } from './table-engines.ts'

/** Length of a bucket: what `otel_traces` is sorted by first. */
export const bucketSec = 300

/**
 * What is known of five-minute buckets of `otel_traces` in which nothing changes any more, and what their spans come to. All rows of one
 * sealing carry its number; those of kind `bucket` are written last, so that a number without one means nothing. Rows are never replaced:
 * one that no longer holds is left until its day goes.
 *
 * `span_counts` says how many spans a minute has. It is part of the table's own parts: it comes and goes with the rows, whatever dies in
 * between and whoever inserts them.
 */
export function sealedBuckets(engines: TableEngines): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS hotspan_sealed_buckets (
  Kind LowCardinality(String),
  Bucket DateTime CODEC(Delta, ZSTD(1)),
  Seal UInt64,
  Version UInt8,
  SealedAt DateTime CODEC(Delta, ZSTD(1)),
  Rows UInt64 CODEC(ZSTD(1)),
  RowsAround UInt64 CODEC(ZSTD(1)),
  First DateTime64(9) CODEC(ZSTD(1)),
  Last DateTime64(9) CODEC(ZSTD(1)),
  EachOnce UInt8,
  ParentsKnown UInt8,
  Minute DateTime CODEC(Delta, ZSTD(1)),
  Service LowCardinality(String) CODEC(ZSTD(1)),
  Operation LowCardinality(String) CODEC(ZSTD(1)),
  System LowCardinality(String) CODEC(ZSTD(1)),
  Statement LowCardinality(String) CODEC(ZSTD(1)),
  Summary LowCardinality(String) CODEC(ZSTD(1)),
  Spans UInt64 CODEC(T64, ZSTD(1)),
  Calls Float64 CODEC(ZSTD(1)),
  Errors Float64 CODEC(ZSTD(1)),
  TotalNs Float64 CODEC(ZSTD(1)),
  MaxNs UInt64 CODEC(ZSTD(1)),
  Minutes UInt64 CODEC(T64, ZSTD(1)),
  InnerTraces UInt64 CODEC(T64, ZSTD(1)),
  OuterTraces AggregateFunction(uniqExact, UInt64) CODEC(ZSTD(1)),
  Durations AggregateFunction(quantilesTDigestWeighted(0.5, 0.95, 0.99), UInt64, UInt64) CODEC(ZSTD(3)),
  QuantilesNs Array(Float32) CODEC(ZSTD(1)),
  SlowNs Array(UInt64) CODEC(ZSTD(1)),
  SlowTraces Array(String) CODEC(ZSTD(1)),
  SomeTraces Array(String) CODEC(ZSTD(1)),
  MinCalls UInt64 CODEC(T64, ZSTD(1)),
  MaxCalls UInt64 CODEC(T64, ZSTD(1)),
  CallCounts AggregateFunction(medianExact, UInt64) CODEC(ZSTD(3)),
  MostCalls Array(Tuple(Int64, String)) CODEC(ZSTD(1))
) ENGINE = ${engines.mergeTree}
PARTITION BY toDate(Bucket)
ORDER BY (Kind, Bucket, Service)
SETTINGS index_granularity = 64, ttl_only_drop_parts = 1`,
    `ALTER TABLE otel_traces ADD PROJECTION IF NOT EXISTS span_counts (SELECT toDate(Timestamp), toStartOfMinute(Timestamp), count() GROUP BY toDate(Timestamp), toStartOfMinute(Timestamp))`,
    // Parts of an older store get their counts in the background.
    `ALTER TABLE otel_traces MATERIALIZE PROJECTION span_counts`,
  ]
}
