import { performance } from 'node:perf_hooks'
import type { Context } from '@opentelemetry/api'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { active, runtime } from '../core/runtime.ts'
import { type AgentSpan, Kind } from '../core/span.ts'
import { beginSpan, spanOf } from '../core/tracer.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { fault, faultCount } from '../faults.ts'
import { type PoolState, poolName } from '../metrics/pool-metrics.ts'
import { type CallSite, captureCallSite } from './call-site.ts'
import { databaseKey, databaseOptions, endSpan, failSpan } from './database-span.ts'
import { errorTypeOf } from './error-type.ts'
import { type MysqlConfig, mysqlTarget } from './mysql2-target.ts'
import { type Method, wrapMethod } from './wrap-method.ts'

const NAME = 'mysql2'

interface Pool {
  config?: MysqlConfig
  _allConnections?: { length: number }
  _freeConnections?: { length: number }
  _connectionQueue?: { length: number }
}

type Callback = (...results: unknown[]) => unknown

const count = faultCount(NAME)

/** True between the call of a pool's `query` or `execute` and its `getConnection`. */
let inQuery = false
let poolSite: CallSite | undefined

/** Call site of the pool's query whose connection has just come: the driver's own stack has lost it. */
export const siteOfMysqlPool = (): CallSite | undefined => poolSite

/** Spans of waits for a connection, and the way back into the context of the one who waited. */
export function wrapMysqlPool(prototype: object): void {
  if (databaseOptions.callSites) {
    for (const name of ['query', 'execute']) wrapMethod(prototype, name, notingCall)
  }
  wrapMethod(prototype, 'getConnection', (original) => {
    return function getConnection(this: unknown, ...args: unknown[]): unknown {
      const callback = args[0]
      if (count.off || typeof callback !== 'function') return original.apply(this, args)
      const pool = this as Pool
      if (runtime.poolMetrics !== null) runtime.poolMetrics.seen(pool, stateOf)
      const context = active.getStore()
      const startMs = performance.now()
      const site = inQuery ? captureCallSite() : undefined
      inQuery = false
      const before = pool._allConnections?.length ?? 0
      let opened = false
      args[0] = function (this: unknown, ...results: unknown[]): unknown {
        connected(pool, context, startMs, opened, results[0])
        // Another request's release wakes this one: back to the caller's context.
        const back = (): unknown => {
          poolSite = site
          try {
            return (callback as Callback).apply(this, results)
          } finally {
            poolSite = undefined
          }
        }
        return context === undefined ? active.exit(back) : active.run(context, back)
      }
      const result = original.apply(this, args)
      opened = (pool._allConnections?.length ?? 0) > before
      return result
    }
  })
}

const notingCall = (original: Method): Method =>
  function (this: unknown, ...args: unknown[]): unknown {
    inQuery = true
    try {
      return original.apply(this, args)
    } finally {
      inQuery = false
    }
  }

function stateOf(pool: Pool): PoolState {
  const config = pool.config as { connectionLimit?: number; connectionConfig?: MysqlConfig } | undefined
  const { database, host, port } = config?.connectionConfig ?? pool.config ?? {}
  const idle = pool._freeConnections?.length ?? 0
  return {
    name: poolName(host, port, database),
    idle,
    used: (pool._allConnections?.length ?? 0) - idle,
    pending: pool._connectionQueue?.length ?? 0,
    max: config?.connectionLimit,
  }
}

/** A span of the wait, when there was one. */
function connected(
  pool: Pool,
  context: Context | undefined,
  startMs: number,
  opened: boolean,
  error: unknown,
): void {
  try {
    const nowMs = performance.now()
    if (runtime.poolMetrics !== null && !error)
      runtime.poolMetrics.waited(pool, stateOf, (nowMs - startMs) / 1000)
    if (!opened && nowMs - startMs < databaseOptions.poolWaitMs && !error) return
    const parent = spanOf(context, nowMs)
    if (parent === null) return
    const span = beginSpan(parent, context ?? EMPTY_CONTEXT, 0, Kind.Client, 'mysql2-pool.connect', startMs)
    if (!span.recording) return
    span.ref1 = mysqlTarget(pool.config)
    span.late = writeConnectSpan
    if (error) {
      failSpan(span, error instanceof Error ? error.message : '')
      span.text1 = errorTypeOf(error)
    }
    endSpan(span)
  } catch (ours) {
    fault(NAME, ours)
  }
}

function writeConnectSpan(encoder: SpanEncoder, span: AgentSpan): void {
  encoder.raw(span.ref1 as Uint8Array)
  if (span.text1 !== '') encoder.text(databaseKey.errorType, span.text1)
}
