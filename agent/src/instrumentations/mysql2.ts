import { errorMonitor } from 'node:events'
import type { Context } from '@opentelemetry/api'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { active } from '../core/runtime.ts'
import type { AgentSpan } from '../core/span.ts'
import { runIn } from '../core/tracer.ts'
import { BoundedCache } from '../encode/bounded-cache.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { fault, faultCount } from '../faults.ts'
import type { CallSite } from './call-site.ts'
import {
  beginDatabaseSpan,
  callSiteNow,
  type DatabaseTarget,
  databaseKey,
  databaseOptions,
  endCall,
  failSpan,
} from './database-span.ts'
import { errorTypeOf } from './error-type.ts'
import { loadedFiles } from './loaded-files.ts'
import { siteOfMysqlPool, wrapMysqlPool } from './mysql2-pool.ts'
import { type MysqlConfig, mysqlTarget } from './mysql2-target.ts'
import { parametersHash } from './parameters-hash.ts'
import { type Statement, statementOf } from './sql-statement.ts'
import { type Method, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'mysql2'

type Callback = (this: unknown, error: unknown, ...results: unknown[]) => unknown

/** A `Query` of the driver, or the options that it is made from. */
interface QueryLike {
  sql?: unknown
  values?: unknown
  onResult?: unknown
  once?: (event: string | symbol, listener: (value: unknown) => void) => unknown
}

interface QueryFacts {
  readonly target: DatabaseTarget
  readonly statement: Statement
  rows: number
  error: unknown
  readonly site: CallSite | undefined
}

const count = faultCount(NAME)
const statements = new BoundedCache<Statement>()

/** Wraps connections and pools in place; the promise API stands on them. `exports` is that of `mysql2` or `mysql2/promise`. */
export function instrumentMysql2(exports: unknown): void {
  const door = exports as { Connection?: WrappableClass; Pool?: WrappableClass; createServer?: unknown }
  // The promise API has classes of the same names, which hold a connection instead of being one.
  const isCallbackApi = door.createServer !== undefined
  const bases = loadedFiles('mysql2', 'lib/base/connection.js')
  for (const one of isCallbackApi ? [...bases, door.Connection] : bases) {
    wrapOwner(one, 'execute', wrapConnection)
  }
  const basePools = loadedFiles('mysql2', 'lib/base/pool.js')
  for (const one of isCallbackApi ? [...basePools, door.Pool] : basePools) {
    wrapOwner(one, 'getConnection', wrapMysqlPool)
  }
}

/** Wraps where the method is defined: a class that both APIs inherit from, in newer versions. */
function wrapOwner(candidate: unknown, method: string, wrap: (prototype: object) => void): void {
  let prototype = (candidate as WrappableClass | undefined)?.prototype as object | null | undefined
  while (prototype && !Object.hasOwn(prototype, method)) {
    prototype = Object.getPrototypeOf(prototype) as object | null
  }
  if (prototype) wrap(prototype)
}

interface Connection {
  config?: MysqlConfig
}

interface PreparedStatement {
  query?: unknown
  _connection?: Connection
}

function wrapConnection(prototype: object): void {
  for (const name of ['query', 'execute']) {
    wrapMethod(
      prototype,
      name,
      (original) =>
        function (this: unknown, ...args: unknown[]): unknown {
          return traced(original, this, args, this as Connection, args)
        },
    )
  }
  // The class of prepared statements is nowhere to be had but from one of them.
  wrapMethod(prototype, 'prepare', (original) => {
    return function prepare(this: unknown, ...args: unknown[]): unknown {
      const callback = args[1]
      if (count.off || typeof callback !== 'function') return original.apply(this, args)
      args[1] = function (this: unknown, error: unknown, statement: unknown): unknown {
        try {
          if (typeof statement === 'object' && statement !== null) wrapStatement(statement)
        } catch (ours) {
          fault(NAME, ours)
        }
        return callback.call(this, error, statement)
      }
      bindCallback(args)
      return original.apply(this, args)
    }
  })
}

const wrapStatement = (statement: object): void =>
  wrapMethod(
    Object.getPrototypeOf(statement) as object,
    'execute',
    (original) =>
      function execute(this: unknown, ...args: unknown[]): unknown {
        const { query, _connection = {} } = this as PreparedStatement
        return traced(original, this, args, _connection, [query, ...args])
      },
  )

/** Runs a call of the driver in a span. `query` is how `query` is called for the same: SQL or its options, then values. */
function traced(
  original: Method,
  self: unknown,
  args: unknown[],
  connection: Connection,
  query: readonly unknown[],
): unknown {
  if (count.off) return original.apply(self, args)
  let span: AgentSpan | null = null
  let ends = false
  try {
    span = begin(connection, query)
    if (span === null) bindCallback(args)
    else ends = hookCallback(span, args)
  } catch (error) {
    fault(NAME, error)
  }
  if (span === null) return original.apply(self, args)
  let command: unknown
  try {
    command = original.apply(self, args)
  } catch (error) {
    finish(span, error, undefined, undefined)
    throw error
  }
  if (!ends) hookEvents(span, command)
  return command
}

function begin(connection: Connection, args: readonly unknown[]): AgentSpan | null {
  const first = args[0] as QueryLike | string | undefined
  let sql: unknown = first
  let values: unknown = typeof args[1] === 'function' ? undefined : args[1]
  if (typeof first === 'object' && first !== null) {
    sql = first.sql
    values = values ?? first.values
  }
  if (typeof sql !== 'string') return null
  const statement = statementOf(statements, sql, 'mysql')
  const span = beginDatabaseSpan(statement.name, false)
  if (span === null) return null
  const site = databaseOptions.callSites ? (siteOfMysqlPool() ?? callSiteNow()) : undefined
  const target = mysqlTarget(connection.config)
  span.ref1 = { target, statement, rows: -1, error: undefined, site } satisfies QueryFacts
  span.late = writeQuerySpan
  const list = values === undefined || values === null ? undefined : Array.isArray(values) ? values : [values]
  if (span.recording && (list !== undefined || statement.hasLiterals)) {
    span.text1 = parametersHash(list, statement.hasLiterals ? sql : undefined)
  }
  return span
}

/** Puts ours around the callback, wherever it stands; false for a query whose rows come as events. */
function hookCallback(span: AgentSpan, args: unknown[]): boolean {
  for (const at of [0, 1, 2]) {
    const callback = args[at]
    if (typeof callback === 'function') {
      args[at] = endingCallback(span, callback as Callback)
      return true
    }
  }
  const query = args[0] as QueryLike | null | undefined
  // Only a `Query` of the driver has events: options are the app's, and may be used again.
  if (typeof query?.once === 'function' && typeof query.onResult === 'function') {
    query.onResult = endingCallback(span, query.onResult as Callback)
    return true
  }
  return false
}

function endingCallback(span: AgentSpan, callback: Callback): Callback {
  const context = span.parentContext
  return function (this: unknown, error: unknown, ...results: unknown[]) {
    finish(span, error ?? undefined, results[0], results[1])
    return inContext(context, this, callback, [error, ...results])
  }
}

/** The socket's data event runs in the context of whoever opened the connection; the callback belongs to its caller's. */
function inContext(context: Context, self: unknown, callback: Callback, results: unknown[]): unknown {
  const call = (): unknown => callback.apply(self, results as [unknown, ...unknown[]])
  return context === EMPTY_CONTEXT ? call() : runIn(context, call, undefined)
}

/** Without a span the callback still belongs to its caller's context. */
function bindCallback(args: unknown[]): void {
  const context = active.getStore()
  if (context === undefined) return
  const bound = (callback: Callback): Callback =>
    function (this: unknown, ...results) {
      return inContext(context, this, callback, results)
    }
  for (const at of [0, 1, 2]) if (typeof args[at] === 'function') args[at] = bound(args[at] as Callback)
  const query = args[0] as QueryLike | null | undefined
  if (typeof query?.once === 'function' && typeof query.onResult === 'function') {
    query.onResult = bound(query.onResult as Callback)
  }
}

/** Rows as events or as a stream. Watching for errors must not be taken for handling them. */
function hookEvents(span: AgentSpan, command: unknown): void {
  const { once } = (command ?? {}) as QueryLike
  if (typeof once !== 'function') {
    finish(span, undefined, undefined, undefined)
    return
  }
  once.call(command, errorMonitor, (error) =>
    finish(span, error ?? new Error('query failed'), undefined, undefined),
  )
  once.call(command, 'end', () => finish(span, undefined, undefined, undefined))
}

function finish(span: AgentSpan, error: unknown, result: unknown, fields: unknown): void {
  try {
    const facts = span.ref1 as QueryFacts | null
    if (facts === null) return
    if (error !== undefined) {
      failSpan(span, messageOf(error))
      facts.error = error
    } else {
      facts.rows = rowsOf(result, fields)
    }
    const { target, statement } = facts
    const errorType = facts.error === undefined ? '' : errorTypeOf(facts.error)
    endCall(span, target, statement.operation, '', statement.name, statusOf(facts.error), errorType)
  } catch (ours) {
    fault(NAME, ours)
  }
}

/** Rows that came back, all statements together; -1 when the result says nothing. */
function rowsOf(result: unknown, fields: unknown): number {
  if (!Array.isArray(result)) return -1
  const several = Array.isArray(fields) && (Array.isArray(fields[0]) || fields[0] === undefined)
  if (!several || fields.length === 0) return result.length
  let sum = 0
  for (const rows of result) if (Array.isArray(rows)) sum += rows.length
  return sum
}

/** Errors that name a database, table or column: what they quote is no value. 1049, 1051, 1054, 1091, 1146. */
const QUOTES_NAMES = new Set([1049, 1051, 1054, 1091, 1146])

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const { errno } = error as Error & { errno?: unknown }
  return QUOTES_NAMES.has(errno as number) ? error.message : error.message.replace(/'.*'/gs, '?')
}

/** Errors of the socket have an `errno` too, but no state of the server's. */
function statusOf(error: unknown): string {
  const { errno, sqlState } = (error ?? {}) as { errno?: unknown; sqlState?: unknown }
  return typeof errno === 'number' && typeof sqlState === 'string' ? String(errno) : ''
}

function writeQuerySpan(encoder: SpanEncoder, span: AgentSpan): void {
  const { target, statement, rows, error, site } = span.ref1 as QueryFacts
  encoder.raw(target.encoded)
  encoder.raw(statement.encoded)
  if (rows >= 0) encoder.int(databaseKey.rows, rows)
  if (span.text1 !== '') encoder.text(databaseKey.parameters, span.text1)
  if (error !== undefined) {
    const status = statusOf(error)
    if (status !== '') encoder.text(databaseKey.status, status)
    encoder.text(databaseKey.errorType, errorTypeOf(error))
  }
  if (site !== undefined) encoder.raw(site.encoded)
}
