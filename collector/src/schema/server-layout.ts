import { CollectorError } from '../errors.ts'

/** How the tables lie on a ClickHouse server that HOTSPAN_CLICKHOUSE_URL names. */
export interface ServerLayout {
  /** Cluster of the server's configuration: replicated tables on every shard, Distributed ones in front. null: one server. */
  readonly cluster: string | null
  /** Days of telemetry kept, by TTL; null leaves the tables' TTL as it is. */
  readonly retentionDays: number | null
  /** Telemetry moves to the volume `cold` of the storage policy after so many days; null leaves it where it is. */
  readonly cold: { readonly afterDays: number; readonly storagePolicy: string } | null
}

/**
 * From HOTSPAN_CLICKHOUSE_CLUSTER, HOTSPAN_RETENTION_DAYS, HOTSPAN_COLD_AFTER_DAYS and HOTSPAN_STORAGE_POLICY; null without
 * HOTSPAN_CLICKHOUSE_URL. Nothing is ever dropped on a server unless the retention was named. Throws `HS_LIMIT`.
 */
export function serverLayout(env: NodeJS.ProcessEnv = process.env): ServerLayout | null {
  if (!env.HOTSPAN_CLICKHOUSE_URL) return null
  const cluster = env.HOTSPAN_CLICKHOUSE_CLUSTER ?? ''
  if (!/^[\w.-]{0,64}$/.test(cluster))
    throw wrong('HOTSPAN_CLICKHOUSE_CLUSTER', cluster, 'the name of a cluster')
  const storagePolicy = env.HOTSPAN_STORAGE_POLICY ?? ''
  if (!/^[\w-]{0,64}$/.test(storagePolicy))
    throw wrong('HOTSPAN_STORAGE_POLICY', storagePolicy, 'the name of a policy')
  const retentionDays = days(env, 'HOTSPAN_RETENTION_DAYS')
  const coldDays = days(env, 'HOTSPAN_COLD_AFTER_DAYS')
  if (coldDays !== null && storagePolicy === '') {
    throw wrong(
      'HOTSPAN_STORAGE_POLICY',
      '',
      "a storage policy with a volume named 'cold', because HOTSPAN_COLD_AFTER_DAYS is set",
    )
  }
  if (coldDays !== null && retentionDays !== null && coldDays >= retentionDays) {
    throw wrong(
      'HOTSPAN_COLD_AFTER_DAYS',
      coldDays,
      `fewer days than HOTSPAN_RETENTION_DAYS (${retentionDays})`,
    )
  }
  return {
    cluster: cluster === '' ? null : cluster,
    retentionDays,
    cold: coldDays === null ? null : { afterDays: coldDays, storagePolicy },
  }
}

function days(env: NodeJS.ProcessEnv, name: string): number | null {
  const text = env[name] ?? ''
  if (text.trim() === '' || text.trim() === '0') return null
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 36_500)
    throw wrong(name, text, 'whole days from 1, or 0 for no bound')
  return value
}

function wrong(name: string, got: unknown, expected: string): CollectorError {
  return new CollectorError('HS_LIMIT', `${name} is ${JSON.stringify(got)}; expected ${expected}`)
}
