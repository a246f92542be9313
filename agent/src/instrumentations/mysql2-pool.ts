import { performance } from 'node:perf_hooks'
import { active, runtime } from '../core/runtime.ts'
import { faultCount } from '../faults.ts'
import { type PoolState, poolName } from '../metrics/pool-metrics.ts'
import { type CallSite, captureCallSite } from './call-site.ts'
import { databaseOptions } from './database-span.ts'
import { type MysqlConfig, mysqlTarget } from './mysql2-target.ts'
import { endPoolWait, type PoolKind, type PoolWait } from './pool-wait.ts'
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
      const site = inQuery ? captureCallSite() : undefined
      inQuery = false
      const before = pool._allConnections?.length ?? 0
      const wait: PoolWait<Pool> = { pool, context, startMs: performance.now(), opened: false }
      args[0] = function (this: unknown, ...results: unknown[]): unknown {
        endPoolWait(kind, wait, results[0], undefined)
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
      wait.opened = (pool._allConnections?.length ?? 0) > before
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

const kind: PoolKind<Pool> = {
  instrumentation: NAME,
  spanName: 'mysql2-pool.connect',
  stateOf,
  targetOf: (pool) => mysqlTarget(pool.config).encoded,
}
