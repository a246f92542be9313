import { hotColumns } from './hot-columns.ts'

/**
 * Statements as a dictionary and a number each: there are few of them, and reading 2 million took 60 ms of CPU as texts, 10 as numbers (`npm run bench
 * -- query`). A new store has them so from the start; parts of an older one are rewritten in the background, and converted as they are read until
 * then.
 */
export function statementDictionary(): string[] {
  const { name, type, sql } = hotColumns.find((column) => column.name === 'DbStatement')!
  return [
    `ALTER TABLE otel_traces MODIFY COLUMN ${name} ${type} MATERIALIZED ${sql} CODEC(ZSTD(1)) SETTINGS alter_sync = 0`,
  ]
}
