import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import { reference } from './grafana-reference.ts'

/** Plugin id of Grafana's ClickHouse datasource. */
export const CLICKHOUSE_PLUGIN = 'grafana-clickhouse-datasource'

/** Version of the plugin whose query form is written. */
export const CLICKHOUSE_PLUGIN_VERSION = '4.20.0'

/** How the plugin shapes the answer: a time series, or a table. */
export type QueryFormat = 'timeseries' | 'table'

const formatNumber = { timeseries: 0, table: 1 } as const

/** Query of the ClickHouse datasource, for which the SDK has no type. */
export interface ClickHouseQuery extends Dataquery {
  readonly refId: string
  readonly datasource: { readonly type: string; readonly uid: string }
  readonly pluginVersion: string
  readonly editorType: 'sql'
  readonly queryType: QueryFormat
  readonly rawSql: string
  readonly format: 0 | 1
}

/** A query target as the SDK's panel and alert builders take it. `uid` is the datasource's, or a variable. */
export function clickHouseQuery(
  rawSql: string,
  format: QueryFormat,
  uid = reference('datasource'),
  refId = 'A',
): Builder<Dataquery> {
  const query: ClickHouseQuery = {
    refId,
    datasource: { type: CLICKHOUSE_PLUGIN, uid },
    pluginVersion: CLICKHOUSE_PLUGIN_VERSION,
    editorType: 'sql',
    queryType: format,
    rawSql,
    format: formatNumber[format],
    _implementsDataqueryVariant: () => {},
  }
  return { build: () => query }
}

export function isClickHouseQuery(query: unknown): query is ClickHouseQuery {
  return typeof query === 'object' && query !== null && 'rawSql' in query && 'format' in query
}
