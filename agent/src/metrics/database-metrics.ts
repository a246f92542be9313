import { attr } from '@hotspan/otlp'
import type { Attributes } from '@opentelemetry/api'
import type { AgentSpan } from '../core/span.ts'
import type { Registry } from './registry.ts'
import type { HistogramSeries } from './series.ts'

/** A call of a database, in the words of the conventions; empty where there is none. */
export interface DatabaseCall {
  /** Attributes of the database and its server: one object for all calls of a connection. */
  readonly target: Attributes
  readonly operation: string
  readonly collection: string
  readonly summary: string
  readonly status: string
  readonly errorType: string
}

/** What the database instrumentations tell about a call that has ended. */
export interface DatabaseMetrics {
  called(span: AgentSpan, call: DatabaseCall, durationSec: number): void
}

/** Seconds (semantic conventions, database metrics). */
const BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** Statements that are remembered for one server; more are looked up the slow way. */
const MAX_ROWS = 500

/** `db.client.operation.duration`: two map lookups and an array increment a call. */
export function createDatabaseMetrics(registry: Registry, scope: string, version: string): DatabaseMetrics {
  const instrument = registry.instrument(scope, version, {
    kind: 'histogram',
    name: 'db.client.operation.duration',
    description: 'Duration of database client operations.',
    unit: 's',
    isInt: false,
    bounds: BOUNDS,
  })
  const byTarget = new WeakMap<Attributes, Map<string, HistogramSeries>>()

  return {
    called(span, call, durationSec) {
      const { target, operation, collection, summary, errorType } = call
      let rows = byTarget.get(target)
      if (rows === undefined) {
        rows = new Map()
        byTarget.set(target, rows)
      }
      const row = collection === '' ? `${operation}|${summary}` : `${operation} ${collection}|${summary}`
      let series = errorType === '' ? rows.get(row) : undefined
      if (series === undefined) {
        series = instrument.histogram(attributesOf(call))
        if (errorType === '' && rows.size < MAX_ROWS) rows.set(row, series)
      }
      series.record(durationSec, span)
    },
  }
}

function attributesOf({
  target,
  operation,
  collection,
  summary,
  status,
  errorType,
}: DatabaseCall): Attributes {
  const attributes: Attributes = { ...target }
  if (operation !== '') attributes[attr.dbOperationName] = operation
  if (collection !== '') attributes[attr.dbCollectionName] = collection
  if (summary !== '') attributes[attr.dbQuerySummary] = summary
  if (status !== '') attributes[attr.dbResponseStatusCode] = status
  if (errorType !== '') attributes[attr.errorType] = errorType
  return attributes
}
