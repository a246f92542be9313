import type { ClickHouseSettings } from '@clickhouse/client'
import { CollectorError } from '../errors.ts'
import type { Store } from '../store.ts'

/** The time range that every query names, epoch ms, `fromMs` included and `toMs` not. */
export interface Scope {
  readonly fromMs: number
  readonly toMs: number
}

export interface QueryBounds {
  /** Rows of the answer at most; more is an error and not a silent cut. Default 1,000,000. */
  readonly maxRows?: number
  /** Seconds on the engine at most. Default 30. */
  readonly maxSec?: number
  /** Memory of the query at most, bytes; more is an error. Default: three quarters of the engine's memory, 4 GiB on a server. */
  readonly maxMemoryBytes?: number
  /** Ends the query on the engine too. */
  readonly signal?: AbortSignal
}

/** Condition on the primary key for a scope; give the parameters `scopeParameters`. */
export const inScope = `Timestamp >= fromUnixTimestamp64Nano({fromNs:Int64}) AND Timestamp < fromUnixTimestamp64Nano({toNs:Int64})`

export function scopeParameters(scope: Scope): { fromNs: string; toNs: string } {
  const { fromMs, toMs } = scope
  if (!Number.isFinite(fromMs) || !Number.isFinite(toMs) || toMs < fromMs) {
    throw new CollectorError('HS_SCOPE', `time range ${fromMs} to ${toMs}; expected epoch ms with from <= to`)
  }
  return { fromNs: nanoseconds(fromMs), toNs: nanoseconds(toMs) }
}

// What DateTime64(9) can hold.
const lastMs = 9_223_372_036_854

function nanoseconds(ms: number): string {
  const bounded = Math.min(Math.max(ms, 0), lastMs)
  return String(BigInt(Math.round(bounded * 1000)) * 1000n)
}

const serverMemoryBytes = 4 * 1024 ** 3

/** The embedded engine has its own bound, and ends the statement of an asker who went away by itself. */
function memoryBound(store: Store, { maxMemoryBytes }: QueryBounds): ClickHouseSettings {
  if (store.mode !== 'server')
    return maxMemoryBytes === undefined ? {} : { max_memory_usage: String(maxMemoryBytes) }
  return {
    max_memory_usage: String(maxMemoryBytes ?? serverMemoryBytes),
    cancel_http_readonly_queries_on_client_close: 1,
    // A trace lives whole on one shard: what a query asks about its spans, each shard can answer from its own rows.
    distributed_product_mode: 'local',
  }
}

/** Rows of a SELECT with typed parameters. Throws the engine's `ClickHouseError`. */
export async function runQuery<Row>(
  store: Store,
  query: string,
  parameters: Record<string, unknown>,
  bounds: QueryBounds = {},
): Promise<Row[]> {
  const answer = await store.client.query({
    query,
    query_params: parameters,
    format: 'JSONEachRow',
    ...(bounds.signal === undefined ? {} : { abort_signal: bounds.signal }),
    clickhouse_settings: {
      max_execution_time: bounds.maxSec ?? 30,
      ...memoryBound(store, bounds),
      max_result_rows: String(bounds.maxRows ?? 1_000_000),
      result_overflow_mode: 'throw',
    },
  })
  return answer.json<Row>()
}
