import type { Registry } from './registry.ts'
import type { HistogramSeries } from './series.ts'

/** State of a connection pool, read when metrics are collected. Bounds that a pool does not have are undefined. */
export interface PoolState {
  /** `host:port/database`. */
  readonly name: string
  readonly idle: number
  readonly used: number
  readonly pending: number
  readonly max: number | undefined
}

/** `host:port/database`, as far as it is known; a host that is a path is a unix socket. */
export function poolName(host?: string, port?: number | string, database?: string): string {
  const where = host === undefined || port === undefined || host.startsWith('/') ? host : `${host}:${port}`
  return database === undefined ? (where ?? 'unknown') : `${where ?? ''}/${database}`
}

/** What pools report to. */
export interface PoolMetrics {
  /** A pool is used; `read` is asked at each collection while the pool lives. Twice is once. */
  seen<P extends object>(pool: P, read: (pool: P) => PoolState): void
  /** A connection of a pool that was seen was waited for this long, s. */
  waited<P extends object>(pool: P, read: (pool: P) => PoolState, durationSec: number): void
}

/** Seconds (semantic conventions, database metrics). */
const WAIT_BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]
/** Pools that are watched; a pool per tenant would otherwise fill the series. */
const MAX_POOLS = 100

/** `db.client.connection.*` of every pool that has been used. */
export function createPoolMetrics(registry: Registry, scope: string, version: string): PoolMetrics {
  const make = (name: string, unit: string, description: string) => {
    const instrument = registry.instrument(scope, version, {
      kind: 'up-down-counter',
      name: `db.client.connection.${name}`,
      unit,
      description,
      isInt: true,
    })
    registry.observe(instrument)
    return instrument
  }
  const count = make('count', '{connection}', 'Connections by state.')
  const max = make('max', '{connection}', 'Most open connections allowed.')
  const pending = make('pending_requests', '{request}', 'Requests that wait for a connection.')
  const wait = registry.instrument(scope, version, {
    kind: 'histogram',
    name: 'db.client.connection.wait_time',
    unit: 's',
    description: 'Time to obtain a connection from the pool.',
    isInt: false,
    bounds: WAIT_BOUNDS,
  })

  /** Series of the waits; null until there is a connection, which knows the pool's address best. */
  const known = new WeakMap<object, HistogramSeries | null>()
  let reads: (() => PoolState | undefined)[] = []
  registry.addObserver(() => {
    const alive: typeof reads = []
    for (const read of reads) {
      const state = read()
      if (state === undefined) continue
      alive.push(read)
      const pool = { 'db.client.connection.pool.name': state.name }
      // Two pools of one name are told together.
      count.number({ ...pool, 'db.client.connection.state': 'idle' }).value += state.idle
      count.number({ ...pool, 'db.client.connection.state': 'used' }).value += state.used
      pending.number(pool).value += state.pending
      if (state.max !== undefined) max.number(pool).value += state.max
    }
    reads = alive
  })

  return {
    seen(pool, read) {
      if (known.has(pool) || reads.length >= MAX_POOLS) return
      known.set(pool, null)
      const reference = new WeakRef(pool)
      reads.push(() => {
        const living = reference.deref()
        return living === undefined ? undefined : read(living)
      })
    },
    waited(pool, read, durationSec) {
      let series = known.get(pool)
      if (series === undefined) return
      if (series === null) {
        series = wait.histogram({ 'db.client.connection.pool.name': read(pool).name })
        known.set(pool, series)
      }
      series.record(durationSec, undefined)
    },
  }
}
