import type { BoundedCache } from '../encode/bounded-cache.ts'
import { captureAttributes } from '../encode/captured-attributes.ts'
import { databaseKey } from './database-span.ts'
import { describeSql, type SqlDialect } from './sql-text.ts'

/** What a span says about a statement, encoded once per text. */
export interface Statement {
  /** The span's name: `SELECT products`. */
  readonly name: string
  readonly operation: string
  readonly hasLiterals: boolean
  /** Text without literals, summary, operation. */
  readonly encoded: Uint8Array
}

/** Describes a statement, through a cache of its text. */
export function statementOf(cache: BoundedCache<Statement>, sql: string, dialect: SqlDialect): Statement {
  return cache.get(sql) ?? cache.set(sql, describe(sql, dialect))
}

function describe(sql: string, dialect: SqlDialect): Statement {
  const { text, summary, operation, hasLiterals } = describeSql(sql, dialect)
  return {
    name: summary,
    operation,
    hasLiterals,
    encoded: captureAttributes((encoder) => {
      encoder.text(databaseKey.text, text)
      encoder.text(databaseKey.summary, summary)
      if (operation !== '') encoder.text(databaseKey.operation, operation)
    }),
  }
}
