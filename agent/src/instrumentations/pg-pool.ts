import { performance } from 'node:perf_hooks'
import type { Context } from '@opentelemetry/api'
import { active, runtime } from '../core/runtime.ts'
import { encodeKey } from '../encode/attribute-key.ts'
import { captureAttributes } from '../encode/captured-attributes.ts'
import { faultCount } from '../faults.ts'
import { type PoolState, poolName } from '../metrics/pool-metrics.ts'
import { type CallSite, captureCallSite } from './call-site.ts'
import { databaseOptions } from './database-span.ts'
import { type Target, targetOf } from './pg-target.ts'
import { endPoolWait, type PoolKind, type PoolWait } from './pool-wait.ts'
import { isThenable, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'pg'

type PoolOptions = Target & { max?: number; idleTimeoutMillis?: number }

interface PgPool {
  options?: PoolOptions
  _clients?: unknown[]
  readonly totalCount?: number
  readonly idleCount?: number
  readonly waitingCount?: number
}

const count = faultCount(NAME)
const NO_TARGET: PoolOptions = {}
const idleTimeoutKey = encodeKey('db.postgresql.idle.timeout.millis')

/** Between the call of a pool's `query` and its `connect`: how that query was called. */
let inQuery: 'no' | 'with callback' | 'for a promise' = 'no'

/** A query of a pool that has just got its connection: what the driver's own stack and context have lost. */
export interface PoolQuery {
  /** Context of the caller. */
  readonly context: Context | undefined
  readonly site: CallSite | undefined
  /** It was called for a promise. Then nothing of the app runs before that is settled, and the promise itself brings the context
   * back: nobody has to activate it, which costs two maps each time. */
  readonly promised: boolean
}

let poolQuery: PoolQuery | undefined

/** The pool's query whose callback calls its client's `query` now. */
export function takePoolQuery(): PoolQuery | undefined {
  const taken = poolQuery
  poolQuery = undefined
  return taken
}

/** `pg-pool` used without `pg`'s own export. */
export function instrumentPgPool(exports: unknown): void {
  const Pool = (typeof exports === 'function' ? exports : (exports as { default?: unknown })?.default) as
    | WrappableClass
    | undefined
  if (Pool?.prototype !== undefined) wrapPool(Pool.prototype)
}

/** Wraps `connect`, and notes how and where `query` was called, whose stack is gone when its connection is there. */
export function wrapPool(prototype: object): void {
  wrapMethod(prototype, 'query', (original) => {
    return function query(this: unknown, ...args: unknown[]): unknown {
      inQuery = 'for a promise'
      for (const arg of args) if (typeof arg === 'function') inQuery = 'with callback'
      try {
        return original.apply(this, args)
      } finally {
        inQuery = 'no'
      }
    }
  })
  wrapMethod(prototype, 'connect', (original) => {
    return function connect(this: unknown, ...args: unknown[]): unknown {
      if (count.off) return original.apply(this, args)
      const callback = args[0]
      const pool = this as PgPool
      if (runtime.poolMetrics !== null) runtime.poolMetrics.seen(pool, stateOf)
      const context = active.getStore()
      const clientsBefore = pool._clients?.length ?? 0
      const wait: PoolWait<PgPool> = { pool, context, startMs: performance.now(), opened: false }
      const inPool = inQuery !== 'no'
      const site = inPool && databaseOptions.callSites ? captureCallSite() : undefined
      const promised = inQuery === 'for a promise'
      inQuery = 'no'
      if (typeof callback === 'function') {
        args[0] = function (this: unknown, ...results: unknown[]): unknown {
          endPoolWait(kind, wait, results[0], results[1])
          const resume = (): unknown => {
            poolQuery = inPool ? { context, site, promised } : undefined
            try {
              return callback.apply(this, results)
            } finally {
              poolQuery = undefined
            }
          }
          if (promised) return resume()
          // Another request's release wakes this one: back to the caller's context.
          return context === undefined ? active.exit(resume) : active.run(context, resume)
        }
      }
      const result = original.apply(this, args)
      wait.opened = (pool._clients?.length ?? 0) > clientsBefore
      if (typeof callback === 'function' || !isThenable(result)) return result
      return result.then(
        (client) => {
          endPoolWait(kind, wait, undefined, client)
          return client
        },
        (error) => {
          endPoolWait(kind, wait, error, undefined)
          throw error
        },
      )
    }
  })
}

function stateOf(pool: PgPool): PoolState {
  const { max } = pool.options ?? NO_TARGET
  // A connection string is read by the client.
  const { database, host, port } = (pool._clients?.[0] as Target | undefined) ?? pool.options ?? NO_TARGET
  const idle = pool.idleCount ?? 0
  return {
    name: poolName(host, port, database),
    idle,
    used: (pool.totalCount ?? 0) - idle,
    pending: pool.waitingCount ?? 0,
    max,
  }
}

const targetOfOptions = new WeakMap<PoolOptions, Uint8Array>()

/** What `pg-pool.connect` says of its pool. Where it connects to is known by its clients, also when a URL says it. */
function targetOfPool(pool: PgPool, client: unknown): Uint8Array {
  const options = pool.options ?? NO_TARGET
  const known = targetOfOptions.get(options)
  if (known !== undefined) return known
  const isClient = typeof client === 'object' && client !== null
  const target = targetOf(isClient ? (client as Target) : options).encoded
  const { idleTimeoutMillis } = options
  if (typeof idleTimeoutMillis !== 'number') return target
  const encoded = captureAttributes((encoder) => {
    encoder.raw(target)
    encoder.int(idleTimeoutKey, idleTimeoutMillis)
  })
  if (isClient) targetOfOptions.set(options, encoded)
  return encoded
}

const kind: PoolKind<PgPool> = {
  instrumentation: NAME,
  spanName: 'pg-pool.connect',
  stateOf,
  targetOf: targetOfPool,
}
