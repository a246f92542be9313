import type { ClickHouseClient } from '@clickhouse/client'
import { sqlName } from '../engine/query-parameters.ts'
import { localName } from './cluster-statements.ts'
import type { ServerLayout } from './server-layout.ts'

const timeColumns: Readonly<Record<string, string>> = {
  otel_traces: 'Timestamp',
  otel_traces_trace_id_ts: 'Start',
  otel_logs: 'Timestamp',
  otel_metrics_gauge: 'TimeUnix',
  otel_metrics_sum: 'TimeUnix',
  otel_metrics_histogram: 'TimeUnix',
  otel_metrics_exponential_histogram: 'TimeUnix',
  otel_metrics_summary: 'TimeUnix',
  hotspan_profiles: 'Timestamp',
  hotspan_profile_functions: 'Timestamp',
}

/**
 * Brings TTL and storage policy of the telemetry tables to what the layout asks for. A table that has them is left alone: to change
 * them costs a look at every part.
 */
export async function keepOnServer(
  client: ClickHouseClient,
  database: string,
  layout: ServerLayout,
): Promise<void> {
  const { cluster, retentionDays, cold } = layout
  if (retentionDays === null && cold === null) return
  const answer = await client.query({
    query: 'SELECT name, engine_full AS engine FROM system.tables WHERE database = {database:String}',
    query_params: { database },
    format: 'JSONEachRow',
  })
  const engines = new Map(
    (await answer.json<{ name: string; engine: string }>()).map((row) => [row.name, row.engine]),
  )
  for (const [table, column] of Object.entries(timeColumns)) {
    const name = cluster === null ? table : localName(table)
    const engine = engines.get(name) ?? ''
    const at = (days: number) => `toDateTime(${column}) + toIntervalDay(${days})`
    const target = `${sqlName(database)}.${sqlName(name)}${cluster === null ? '' : ` ON CLUSTER ${sqlName(cluster)}`}`
    if (cold !== null && !engine.includes(`storage_policy = '${cold.storagePolicy}'`))
      await client.command({
        query: `ALTER TABLE ${target} MODIFY SETTING storage_policy = '${cold.storagePolicy}'`,
      })
    const parts = [
      ...(cold === null ? [] : [`${at(cold.afterDays)} TO VOLUME 'cold'`]),
      ...(retentionDays === null ? [] : [at(retentionDays)]),
    ]
    if (parts.every((part) => engine.includes(part))) continue
    await client.command({
      query: `ALTER TABLE ${target} MODIFY TTL ${parts.join(', ')} SETTINGS materialize_ttl_after_modify = 0`,
    })
  }
}
