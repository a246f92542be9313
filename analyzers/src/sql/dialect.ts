/**
 * What a reader pastes into a console, in the words of one `db.system.name` of the OpenTelemetry conventions. Systems that are not known
 * get plain SQL.
 */
export interface SqlDialect {
  /** DDL of an index; no semicolon. */
  createIndex(table: string, columns: readonly string[]): string
  /** Runs a statement and shows how: never offered for one that writes. No semicolon. */
  analyze(statement: string): string
}

/** How a statement would be run, without running it. */
export const explain = (statement: string): string => `EXPLAIN ${statement}`

/** Named, as most systems ask for; `CONCURRENTLY` is PostgreSQL's word for an index that blocks no writer. */
const plain: SqlDialect = {
  createIndex: (table, columns) =>
    `CREATE INDEX ${[table, ...columns, 'idx'].join('_').replace(/\W+/g, '_')} ON ${table} (${columns.join(', ')})`,
  analyze: explain,
}

const postgresql: SqlDialect = {
  createIndex: (table, columns) => `CREATE INDEX CONCURRENTLY ON ${table} (${columns.join(', ')})`,
  analyze: (statement) => `EXPLAIN (ANALYZE, BUFFERS) ${statement}`,
}

const dialects: Readonly<Record<string, SqlDialect>> = {
  postgresql,
  mysql: { ...plain, analyze: (statement) => `EXPLAIN ANALYZE ${statement}` },
  mariadb: { ...plain, analyze: (statement) => `ANALYZE FORMAT=JSON ${statement}` },
  sqlite: { ...plain, analyze: (statement) => `EXPLAIN QUERY PLAN ${statement}` },
}

/** Of a `db.system.name`, for example `postgresql`. */
export const dialectOf = (system: string): SqlDialect => dialects[system] ?? plain
