import { performance } from 'node:perf_hooks'
import type { Context } from '@opentelemetry/api'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { active, runtime } from '../core/runtime.ts'
import { type AgentSpan, Kind, Status } from '../core/span.ts'
import { beginSpan, spanOf } from '../core/tracer.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { fault, faultCount } from '../faults.ts'
import { type PoolState, poolName } from '../metrics/pool-metrics.ts'
import { type CallSite, captureCallSite } from './call-site.ts'
import { databaseKey, databaseOptions } from './database-span.ts'
import { errorTypeOf } from './error-type.ts'
import { type Target, targetOf } from './pg-target.ts'
import { isThenable, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'pg'

/** A wait for a connection shorter than this, on a connection that was there, is no span; ms. */
const POOL_WAIT_MS = 1

interface PgPool {
  options?: Target & { max?: number }
  _clients?: unknown[]
  readonly totalCount?: number
  readonly idleCount?: number
  readonly waitingCount?: number
}

const count = faultCount(NAME)
const NO_TARGET: Target & { max?: number } = {}

/** True between the call of a pool's `query` and its `connect`. */
let inQuery = false
let poolSite: CallSite | undefined

/** Call site of the pool's query whose callback runs now: the driver's own stack has lost it. */
export const siteOfPoolQuery = (): CallSite | undefined => poolSite

/** `pg-pool` used without `pg`'s own export. */
export function instrumentPgPool(exports: unknown): void {
  const Pool = (typeof exports === 'function' ? exports : (exports as { default?: unknown })?.default) as
    | WrappableClass
    | undefined
  if (Pool?.prototype !== undefined) wrapPool(Pool.prototype)
}

/** Wraps `connect`, and notes where `query` was called, whose stack is gone when its connection is there. */
export function wrapPool(prototype: object): void {
  if (databaseOptions.callSites) {
    wrapMethod(prototype, 'query', (original) => {
      return function query(this: unknown, ...args: unknown[]): unknown {
        inQuery = true
        try {
          return original.apply(this, args)
        } finally {
          inQuery = false
        }
      }
    })
  }
  wrapMethod(prototype, 'connect', (original) => {
    return function connect(this: unknown, ...args: unknown[]): unknown {
      if (count.off) return original.apply(this, args)
      const callback = args[0]
      const pool = this as PgPool
      if (runtime.poolMetrics !== null) runtime.poolMetrics.seen(pool, stateOf)
      const startMs = performance.now()
      const context = active.getStore()
      const clientsBefore = pool._clients?.length ?? 0
      let opened = false
      const site = inQuery ? captureCallSite() : undefined
      inQuery = false
      if (typeof callback === 'function') {
        args[0] = function (this: unknown, ...results: unknown[]): unknown {
          connected(pool, context, startMs, opened, results[0])
          // Another request's release wakes this one: back to the caller's context.
          const back = (): unknown => {
            poolSite = site
            try {
              return callback.apply(this, results)
            } finally {
              poolSite = undefined
            }
          }
          return context === undefined ? active.exit(back) : active.run(context, back)
        }
      }
      const result = original.apply(this, args)
      opened = (pool._clients?.length ?? 0) > clientsBefore
      if (typeof callback === 'function' || !isThenable(result)) return result
      return result.then(
        (client) => {
          connected(pool, context, startMs, opened, undefined)
          return client
        },
        (error) => {
          connected(pool, context, startMs, opened, error)
          throw error
        },
      )
    }
  })
}

function stateOf(pool: PgPool): PoolState {
  const { database, host, port, max } = pool.options ?? NO_TARGET
  const idle = pool.idleCount ?? 0
  return {
    name: poolName(host, port, database),
    idle,
    used: (pool.totalCount ?? 0) - idle,
    pending: pool.waitingCount ?? 0,
    max,
  }
}

/** A span of the wait, when there was one. */
function connected(
  pool: PgPool,
  context: Context | undefined,
  startMs: number,
  opened: boolean,
  error: unknown,
): void {
  try {
    const nowMs = performance.now()
    if (runtime.poolMetrics !== null && !error) runtime.poolMetrics.waited(pool, (nowMs - startMs) / 1000)
    if (!opened && nowMs - startMs <= POOL_WAIT_MS && !error) return
    const parent = spanOf(context, nowMs)
    if (parent === null) return
    const span = beginSpan(parent, context ?? EMPTY_CONTEXT, 0, Kind.Client, 'pg-pool.connect', startMs)
    if (!span.recording) return
    span.ref1 = targetOf(pool.options ?? NO_TARGET)
    span.late = writeConnectSpan
    if (error) {
      span.statusCode = Status.Error
      span.statusMessage = error instanceof Error ? error.message : ''
      span.text1 = errorTypeOf(error)
    }
    span.endAt(nowMs, nowMs)
  } catch (ours) {
    fault(NAME, ours)
  }
}

function writeConnectSpan(encoder: SpanEncoder, span: AgentSpan): void {
  encoder.raw(span.ref1 as Uint8Array)
  if (span.text1 !== '') encoder.text(databaseKey.errorType, span.text1)
}
