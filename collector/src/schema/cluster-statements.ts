import { sqlName } from '../engine/query-parameters.ts'

/** By what rows of each table are spread: a trace lives whole on one shard, and so do a series, a run and a finding. */
const shardingKeys: Readonly<Record<string, string>> = {
  otel_traces: 'cityHash64(TraceId)',
  otel_traces_trace_id_ts: 'cityHash64(TraceId)',
  otel_logs: "if(TraceId = '', rand(), cityHash64(TraceId))",
  otel_metrics_gauge: 'cityHash64(ServiceName, MetricName)',
  otel_metrics_sum: 'cityHash64(ServiceName, MetricName)',
  otel_metrics_histogram: 'cityHash64(ServiceName, MetricName)',
  otel_metrics_exponential_histogram: 'cityHash64(ServiceName, MetricName)',
  otel_metrics_summary: 'cityHash64(ServiceName, MetricName)',
  hotspan_runs: 'cityHash64(id)',
  hotspan_run_samples: 'cityHash64(run_id)',
  hotspan_findings: 'cityHash64(id)',
  hotspan_profiles: 'cityHash64(ProfileId)',
  // Rows of samples that link to a span lie beside its trace.
  hotspan_profile_functions: "cityHash64(if(TraceId = '', ProfileId, TraceId))",
  hotspan_sealed_buckets: 'cityHash64(Bucket)',
  hotspan_source_maps: 'cityHash64(build_ids, file)',
}

/** Name of the table that holds the rows of one shard. */
export const localName = (table: string): string => `${table}_local`

/**
 * A statement of a migration for a cluster, `database` already quoted: the table becomes `..._local` on every node, and a Distributed table takes its name,
 * so that exporters, panels and queries stay as they are. A view fills the local table of its own shard. Throws on a statement
 * that it does not know: a migration is tested before it is released.
 */
export function forCluster(statement: string, cluster: string, database: string): string[] {
  const on = ` ON CLUSTER ${sqlName(cluster)}`
  const table = /^CREATE TABLE IF NOT EXISTS (\w+) ([\s\S]+)$/.exec(statement)
  if (table !== null) {
    const [, name = '', rest = ''] = table
    const key = shardingKeys[name]
    if (key === undefined) throw new Error(`table ${name} has no sharding key`)
    const local = localName(name)
    const front = `Distributed(${sqlName(cluster)}, ${database}, ${sqlName(local)}, ${key})`
    return [
      `CREATE TABLE IF NOT EXISTS ${database}.${local}${on} ${rest}`,
      `CREATE TABLE IF NOT EXISTS ${database}.${name}${on} AS ${database}.${local} ENGINE = ${front}`,
    ]
  }
  const view =
    /^CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+) TO (\w+) AS\s+([\s\S]+) FROM (\w+)([\s\S]*)$/.exec(
      statement,
    )
  if (view !== null) {
    const [, name, to = '', select, from = '', rest] = view
    return [
      `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.${name}${on} TO ${database}.${localName(to)} AS ${select} FROM ${database}.${localName(from)}${rest}`,
    ]
  }
  const alter = /^ALTER TABLE (\w+) (MODIFY COLUMN [\s\S]+)$/.exec(statement)
  if (alter !== null) {
    const [, name = '', change = ''] = alter
    const local = `ALTER TABLE ${database}.${localName(name)}${on} ${change}`
    // Codecs are the local table's matter; types are both's.
    if (/^MODIFY COLUMN \w+ CODEC\(/.test(change)) return [local]
    return [local, `ALTER TABLE ${database}.${name}${on} ${change}`]
  }
  const projection = /^ALTER TABLE (\w+) ((?:ADD|MATERIALIZE) PROJECTION [\s\S]+)$/.exec(statement)
  if (projection !== null) {
    const [, name = '', change] = projection
    return [`ALTER TABLE ${database}.${localName(name)}${on} ${change}`]
  }
  throw new Error(`no cluster form of: ${statement.slice(0, 80)}`)
}
