/** The rows of `otel_traces` again, in the sort order and with the indexes of the Collector's ClickHouse exporter. */
export const exporterOrder: readonly string[] = [
  `CREATE TABLE exporter_order AS otel_traces ENGINE = MergeTree PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp)) SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1`,
  'ALTER TABLE exporter_order ADD INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1',
  'ALTER TABLE exporter_order ADD INDEX idx_res_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1',
  'ALTER TABLE exporter_order ADD INDEX idx_res_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1',
  'ALTER TABLE exporter_order ADD INDEX idx_span_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1',
  'ALTER TABLE exporter_order ADD INDEX idx_span_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1',
  'ALTER TABLE exporter_order ADD INDEX idx_duration Duration TYPE minmax GRANULARITY 1',
  'INSERT INTO exporter_order SELECT * FROM otel_traces',
  'OPTIMIZE TABLE exporter_order FINAL',
]
