import type { TableEngines } from './table-engines.ts'

/** Source maps of browser builds, a row for each built file. Uploading a build twice keeps the last. */
export function sourceMapTables(engines: TableEngines): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS hotspan_source_maps (
  build_ids Array(String),
  file String,
  functions String CODEC(ZSTD(3)),
  map String CODEC(ZSTD(3)),
  uploaded_at DateTime64(3) DEFAULT now64(3)
) ENGINE = ${engines.replacingMergeTree('uploaded_at')}
ORDER BY (build_ids, file)
SETTINGS index_granularity = 16`,
  ]
}
