import { performance } from 'node:perf_hooks'
import type { Context } from '@opentelemetry/api'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { active } from '../core/runtime.ts'
import { type AgentSpan, Kind, Status } from '../core/span.ts'
import { beginSpan, runIn, spanOf } from '../core/tracer.ts'
import { BoundedCache } from '../encode/bounded-cache.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { fault, faultCount } from '../faults.ts'
import { type CallSite, captureCallSite } from './call-site.ts'
import { type DatabaseTarget, databaseKey, databaseOptions, endCall, isNoted } from './database-span.ts'
import { errorTypeOf } from './error-type.ts'
import { parametersHash } from './parameters-hash.ts'
import { type PoolQuery, takePoolQuery, wrapPool } from './pg-pool.ts'
import { type Target, targetOf } from './pg-target.ts'
import { type Statement, statementOf } from './sql-statement.ts'
import { isThenable, type Method, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'pg'

type Callback = (error: unknown, ...results: unknown[]) => unknown

interface Submittable {
  submit: unknown
  text?: string
  values?: unknown[]
  cursor?: Submittable
  callback?: Callback
  handleReadyForQuery?: Method
  handleError?: Method
  handleDataRow?: Method
}

const count = faultCount(NAME)
const statements = new BoundedCache<Statement>()

/** Wraps the prototypes in place, so that every way of importing sees it. Twice is once. */
export function instrumentPg(exports: unknown): void {
  const { Client, Pool } = exports as { Client?: WrappableClass; Pool?: WrappableClass }
  if (Client !== undefined) wrapQuery(Client.prototype)
  if (Pool !== undefined) {
    const base = Object.getPrototypeOf(Pool.prototype) as object
    wrapPool(Object.hasOwn(base, 'connect') ? base : Pool.prototype)
  }
}

function wrapQuery(prototype: object): void {
  wrapMethod(prototype, 'query', (original) => {
    return function query(this: unknown, ...args: unknown[]): unknown {
      const pooled = takePoolQuery()
      if (count.off) return original.apply(this, args)
      let span: AgentSpan | null = null
      try {
        span = begin(this as Target, args, pooled)
      } catch (error) {
        fault(NAME, error)
      }
      if (span === null) {
        if (pooled?.promised !== true) bindCallback(args)
        return original.apply(this, args)
      }
      let ends = false
      try {
        ends = hookEnd(span, args, pooled?.promised === true)
      } catch (error) {
        fault(NAME, error)
      }
      let result: unknown
      try {
        result = original.apply(this, args)
      } catch (error) {
        finish(span, error, undefined)
        throw error
      }
      if (ends || !isThenable(result)) return result
      const whole = span
      return result.then(
        (value) => {
          finish(whole, undefined, value)
          return value
        },
        (error) => {
          finish(whole, error, undefined)
          throw error
        },
      )
    }
  })
}

function begin(client: Target, args: unknown[], pooled: PoolQuery | undefined): AgentSpan | null {
  const first = args[0]
  let text: unknown
  let values: unknown
  if (typeof first === 'string') {
    text = first
    values = args[1]
  } else if (typeof first === 'object' && first !== null) {
    const config = first as Submittable
    const source = config.text === undefined && config.cursor !== undefined ? config.cursor : config
    text = source.text
    values = source.values ?? args[1]
  }
  if (typeof text !== 'string') return null
  const startMs = performance.now()
  const context = pooled === undefined ? active.getStore() : pooled.context
  const parent = spanOf(context, startMs)
  if (parent === null) return null
  const statement = statementOf(statements, text, 'postgresql')
  const span = beginSpan(parent, context ?? EMPTY_CONTEXT, 0, Kind.Client, statement.name, startMs)
  if (!isNoted(span)) return null
  span.ref1 = statement
  span.late = writeQuerySpan
  span.ref2 = { target: targetOf(client), rows: -1, code: '', site: siteOf(pooled) } satisfies QueryFacts
  const list = Array.isArray(values) ? values : undefined
  if (span.recording && (list !== undefined || statement.hasLiterals)) {
    span.text1 = parametersHash(list, statement.hasLiterals ? text : undefined)
  }
  return span
}

interface QueryFacts {
  target: DatabaseTarget
  rows: number
  code: string
  site: CallSite | undefined
}

const siteOf = (pooled: PoolQuery | undefined): CallSite | undefined =>
  databaseOptions.callSites ? (pooled?.site ?? captureCallSite()) : undefined

/**
 * Hooks the end of the callback and the submittable form; false for the promise form, which the caller chains on. `bare`: the
 * callback needs no context.
 */
function hookEnd(span: AgentSpan, args: unknown[], bare: boolean): boolean {
  const first = args[0] as Submittable | string
  if (typeof first === 'object' && typeof first.submit === 'function') {
    hookSubmittable(span, first)
    return true
  }
  const context = bare ? EMPTY_CONTEXT : span.parentContext
  const config = first as Submittable
  for (let i = args.length - 1; i > 0; i--) {
    const callback = args[i]
    if (typeof callback === 'function') {
      args[i] = endingCallback(span, context, callback as Callback)
      return true
    }
  }
  if (typeof first === 'object' && typeof config.callback === 'function') {
    // The config object is the app's and may be used again: a copy that inherits from it carries our callback.
    const copy = Object.create(config) as Submittable
    copy.callback = endingCallback(span, context, config.callback)
    args[0] = copy
    return true
  }
  return false
}

/** Without a span the callback still belongs to its caller's context: that of the socket is whoever opened it. */
function bindCallback(args: unknown[]): void {
  const context = active.getStore()
  const last = args.length - 1
  const callback = args[last]
  if (context === undefined || last < 1 || typeof callback !== 'function') return
  args[last] = function (this: unknown, ...results: unknown[]): unknown {
    return runIn(context, () => callback.apply(this, results), undefined)
  }
}

function endingCallback(span: AgentSpan, context: Context, callback: Callback): Callback {
  return function (this: unknown, error: unknown, ...results: unknown[]) {
    finish(span, error ?? undefined, results[0])
    // The socket's data event runs in the context of whoever opened the connection.
    if (context === EMPTY_CONTEXT) return callback.call(this, error, ...results)
    return runIn(context, () => callback.call(this, error, ...results), undefined)
  }
}

/** Cursors, streams and Query objects: no promise; the client calls these methods on them. */
function hookSubmittable(span: AgentSpan, query: Submittable): void {
  // A stream hands everything to its cursor.
  const { handleReadyForQuery, handleError, handleDataRow } = query
  let rows = 0
  if (typeof handleDataRow === 'function') {
    query.handleDataRow = function (...args) {
      rows++
      return handleDataRow.apply(this, args)
    }
  }
  const restore = (): void => {
    for (const name of ['handleReadyForQuery', 'handleError', 'handleDataRow'] as const) delete query[name]
  }
  if (typeof handleReadyForQuery === 'function') {
    query.handleReadyForQuery = function (...args) {
      const facts = span.ref2 as QueryFacts | null
      if (facts !== null) facts.rows = rows
      finish(span, undefined, undefined)
      restore()
      return handleReadyForQuery.apply(this, args)
    }
  }
  if (typeof handleError === 'function') {
    query.handleError = function (...args) {
      finish(span, args[0] ?? new Error('query failed'), undefined)
      restore()
      return handleError.apply(this, args)
    }
  }
}

function finish(span: AgentSpan, error: unknown, result: unknown): void {
  try {
    const facts = span.ref2 as QueryFacts | null
    if (facts === null) return
    if (error !== undefined) {
      span.statusCode = Status.Error
      span.statusMessage = messageOf(error)
      facts.code = errorTypeOf(error)
    } else if (result !== undefined) {
      facts.rows = rowsOf(result)
    }
    const { name, operation } = span.ref1 as Statement
    endCall(span, facts.target, operation, '', name, isSqlState(facts.code) ? facts.code : '', facts.code)
  } catch (ours) {
    fault(NAME, ours)
  }
}

/** Rows that came back, all statements of a simple query together; -1 when the result says nothing. */
function rowsOf(result: unknown): number {
  if (Array.isArray(result)) {
    let sum = 0
    for (const one of result) sum += Math.max(0, rowsOf(one))
    return sum
  }
  const rows = (result as { rows?: unknown } | null)?.rows
  return Array.isArray(rows) ? rows.length : -1
}

/** Messages of data errors (SQLSTATE classes 22 and 23) quote values: those are cut out. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const code = (error as Error & { code?: unknown }).code
  const quotesValues = typeof code === 'string' && (code.startsWith('22') || code.startsWith('23'))
  return quotesValues ? error.message.replace(/: ".*$/s, ': ?').replace(/'[^']*'/g, '?') : error.message
}

const isSqlState = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code)

function writeQuerySpan(encoder: SpanEncoder, span: AgentSpan): void {
  const { target, rows, code, site } = span.ref2 as QueryFacts
  encoder.raw(target.encoded)
  encoder.raw((span.ref1 as Statement).encoded)
  if (rows >= 0) encoder.int(databaseKey.rows, rows)
  if (span.text1 !== '') encoder.text(databaseKey.parameters, span.text1)
  if (code !== '') {
    if (isSqlState(code)) encoder.text(databaseKey.status, code)
    encoder.text(databaseKey.errorType, code)
  }
  if (site !== undefined) encoder.raw(site.encoded)
}
