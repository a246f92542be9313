import type { AgentSpan } from '../core/span.ts'
import { BoundedCache } from '../encode/bounded-cache.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { fault, faultCount } from '../faults.ts'
import type { CallSite } from './call-site.ts'
import {
  beginDatabaseSpan,
  callSiteNow,
  type DatabaseTarget,
  databaseKey,
  databaseTarget,
  endCall,
  endSpan,
  failSpan,
} from './database-span.ts'
import { errorTypeOf } from './error-type.ts'
import { loadedFiles } from './loaded-files.ts'
import { describeMongoCommand, partsOf } from './mongodb-text.ts'
import { parametersHash } from './parameters-hash.ts'
import { isThenable, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'mongodb'

interface Namespace {
  db?: string
  collection?: string
}

interface Connection {
  /** `host:port`. */
  address?: string
}

interface CommandFacts {
  readonly target: DatabaseTarget
  readonly operation: string
  readonly collection: string
  /** The driver's own object; read when the span ends. */
  readonly command: object
  rows: number
  code: string
  errorType: string
  readonly site: CallSite | undefined
}

const count = faultCount(NAME)
const targets = new BoundedCache<DatabaseTarget>()

/** One span per command that is sent under an active span: where the driver's API ends and its wire protocol begins. */
export function instrumentMongodb(): void {
  for (const file of loadedFiles('mongodb', 'lib/cmap/connection.js')) {
    const { Connection } = file as { Connection?: WrappableClass }
    if (Connection?.prototype !== undefined) wrapCommand(Connection.prototype)
  }
}

function wrapCommand(prototype: object): void {
  wrapMethod(prototype, 'command', (original) => {
    return function command(this: unknown, ...args: unknown[]): unknown {
      if (count.off) return original.apply(this, args)
      let span: AgentSpan | null = null
      try {
        span = begin(this as Connection, args[0] as Namespace, args[1])
      } catch (error) {
        fault(NAME, error)
      }
      const result = original.apply(this, args)
      if (span === null || !isThenable(result)) return result
      const whole = span
      return result.then(
        (document) => {
          finish(whole, undefined, document)
          return document
        },
        (error) => {
          finish(whole, error ?? new Error('failed'), undefined)
          throw error
        },
      )
    }
  })
}

function begin(connection: Connection, namespace: Namespace, command: unknown): AgentSpan | null {
  if (typeof command !== 'object' || command === null) return null
  const { ismaster, hello } = command as { ismaster?: unknown; hello?: unknown }
  // The driver's own watch over the server.
  if (ismaster || hello) return null
  const operation = firstKey(command)
  const { db = '' } = namespace ?? {}
  const collection = collectionOf(namespace, operation, (command as Record<string, unknown>)[operation])
  const span = beginDatabaseSpan(collection === '' ? operation : `${operation} ${collection}`, true)
  if (span === null) return null
  span.ref1 = {
    target: targetOf(connection.address ?? '', db),
    operation,
    collection,
    command,
    rows: -1,
    code: '',
    errorType: '',
    site: callSiteNow(),
  } satisfies CommandFacts
  span.late = writeCommandSpan
  return span
}

function firstKey(command: object): string {
  for (const key in command) return key
  return 'mongodb'
}

/** `$cmd` is where commands go, not what they are about: of an aggregation that is its value. */
function collectionOf(namespace: Namespace | undefined, operation: string, value: unknown): string {
  const { collection = '' } = namespace ?? {}
  if (collection !== '$cmd') return collection
  return operation === 'aggregate' && typeof value === 'string' ? value : ''
}

function targetOf(address: string, namespace: string): DatabaseTarget {
  const name = `${address}/${namespace}`
  const known = targets.get(name)
  if (known !== undefined) return known
  const colon = address.lastIndexOf(':')
  const host = colon < 0 ? address : address.slice(0, colon)
  const port = colon < 0 ? undefined : address.slice(colon + 1)
  return targets.set(name, databaseTarget('mongodb', namespace, host, port))
}

function finish(span: AgentSpan, error: unknown, document: unknown): void {
  try {
    const facts = span.ref1 as CommandFacts | null
    if (facts === null) return
    if (error !== undefined) fail(span, facts, error)
    else {
      facts.rows = rowsOf(document)
      const refused = refusedWrite(document)
      if (refused !== undefined) fail(span, facts, refused)
    }
    const { target, operation, collection, code, errorType } = facts
    endCall(span, target, operation, collection, '', code, errorType)
  } catch (ours) {
    endSpan(span)
    fault(NAME, ours)
  }
}

/** BSON types of the driver's lazily read answers. */
const BSON = { object: 3, array: 4, text: 2, int: 16 } as const

interface LazyDocument {
  has(name: string | number): boolean
  get(name: string | number, type: number): unknown
}

/** A write that the server refuses comes as an answer, from which the driver makes the app's error. */
function refusedWrite(document: unknown): { code?: unknown; errmsg?: unknown } | undefined {
  const answer = document as (Partial<LazyDocument> & { writeErrors?: unknown }) | null
  if (Array.isArray(answer?.writeErrors)) return answer.writeErrors[0]
  if (typeof answer?.has !== 'function' || !answer.has('writeErrors')) return undefined
  const errors = (answer as LazyDocument).get('writeErrors', BSON.array) as LazyDocument | null
  const first = errors?.has(0) ? (errors.get(0, BSON.object) as LazyDocument | null) : null
  if (!first) return undefined
  return {
    code: first.has('code') ? first.get('code', BSON.int) : undefined,
    errmsg: first.has('errmsg') ? first.get('errmsg', BSON.text) : undefined,
  }
}

function fail(span: AgentSpan, facts: CommandFacts, error: unknown): void {
  const { code, message, errmsg } = error as { code?: unknown; message?: unknown; errmsg?: unknown }
  const text = typeof message === 'string' ? message : typeof errmsg === 'string' ? errmsg : ''
  failSpan(span, withoutValues(text))
  facts.code = typeof code === 'number' ? String(code) : ''
  facts.errorType = facts.code !== '' ? facts.code : errorTypeOf(error)
}

/** Duplicate keys and failed validations are quoted by the server. */
const withoutValues = (message: string): string =>
  message
    .replace(/dup key:.*$/s, 'dup key: ?')
    .replace(/: \{.*$/s, ': ?')
    .replace(/"[^"]*"|'[^']*'/g, '?')

/** Documents of this batch; -1 when the answer has none. The driver reads its answers lazily: nothing is decoded for this. */
function rowsOf(document: unknown): number {
  const { batchSize, cursor } = (document ?? {}) as { batchSize?: unknown; cursor?: unknown }
  if (typeof batchSize === 'number') return batchSize
  const { firstBatch, nextBatch } = (cursor ?? {}) as { firstBatch?: unknown; nextBatch?: unknown }
  const batch = firstBatch ?? nextBatch
  return Array.isArray(batch) ? batch.length : -1
}

/** Parts of one insert, update or delete; 0 for anything else. */
function batchSizeOf(command: object): number {
  const { documents, updates, deletes } = command as Record<string, unknown>
  return partsOf(documents ?? updates ?? deletes)?.length ?? 0
}

/** What tells two calls of one shape apart; undefined for inserts, whose documents may be large. */
function parametersOf(command: object): unknown[] | undefined {
  const { insert, filter, query, pipeline, updates, deletes, skip, limit, key } = command as Record<
    string,
    unknown
  >
  if (insert !== undefined) return undefined
  const change = partsOf(updates ?? deletes)?.[0] as { q?: unknown } | undefined
  return [filter, query, pipeline, change?.q, skip, limit, key]
}

/** UTF-16 units of parameters that are compared. */
const HASHED_UNITS = 4096

function writeCommandSpan(encoder: SpanEncoder, span: AgentSpan): void {
  const { target, operation, collection, command, rows, code, errorType, site } = span.ref1 as CommandFacts
  encoder.raw(target.encoded)
  encoder.text(databaseKey.operation, operation)
  if (collection !== '') encoder.text(databaseKey.collection, collection)
  encoder.text(databaseKey.text, describeMongoCommand(command))
  const batchSize = batchSizeOf(command)
  if (batchSize > 1) encoder.int(databaseKey.batchSize, batchSize)
  if (rows >= 0) encoder.int(databaseKey.rows, rows)
  const parameters = parametersOf(command)
  if (parameters !== undefined) {
    encoder.text(databaseKey.parameters, parametersHash(parameters, undefined, HASHED_UNITS))
  }
  if (code !== '') encoder.text(databaseKey.status, code)
  if (errorType !== '') encoder.text(databaseKey.errorType, errorType)
  if (site !== undefined) encoder.raw(site.encoded)
}
