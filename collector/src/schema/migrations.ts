import type { ClickHouseClient } from '@clickhouse/client'
import { sqlName } from '../engine/query-parameters.ts'
import { CollectorError } from '../errors.ts'
import { forCluster } from './cluster-statements.ts'
import { codecChanges } from './codec-changes.ts'
import { metricTables } from './metric-tables.ts'
import { profileTables } from './profile-tables.ts'
import { recordTables } from './record-tables.ts'
import { sealedBuckets } from './sealed-buckets.ts'
import { type ServerLayout, serverLayout } from './server-layout.ts'
import { keepOnServer } from './server-retention.ts'
import { sourceMapTables } from './source-map-tables.ts'
import { statementDictionary } from './statement-dictionary.ts'
import { replicated, singleMachine, type TableEngines } from './table-engines.ts'
import { telemetryTables } from './telemetry-tables.ts'

export interface Migration {
  readonly version: number
  readonly name: string
  /** Statements that may run again: a crash in the middle starts the migration over. */
  statements(engines: TableEngines): string[]
}

/** Numbered, in order, never changed once released: a change is a new number. */
export const migrations: readonly Migration[] = [
  { version: 1, name: 'telemetry', statements: telemetryTables },
  { version: 2, name: 'runs and findings', statements: recordTables },
  { version: 3, name: 'metrics', statements: metricTables },
  { version: 4, name: 'source maps', statements: sourceMapTables },
  { version: 5, name: 'codecs of spans', statements: codecChanges },
  { version: 6, name: 'dictionary of statements', statements: statementDictionary },
  { version: 7, name: 'profiles', statements: profileTables },
  { version: 8, name: 'sealed buckets', statements: sealedBuckets },
]

export function databaseOf(project: string): string {
  if (!/^[a-z0-9_]{1,48}$/.test(project)) {
    throw new CollectorError(
      'HS_PROJECT_NAME',
      `project is ${JSON.stringify(project)}; expected 1 to 48 of a-z, 0-9 and _ (it names the database hotspan_<project>)`,
    )
  }
  return `hotspan_${project}`
}

/**
 * Makes the database and brings its tables to the newest version. `client` is preset to no database. Safe to run several times at
 * once, also from several machines: every statement does nothing where its work is done.
 */
export async function migrate(
  client: ClickHouseClient,
  database: string,
  upTo: number = migrations.at(-1)!.version,
  layout: ServerLayout | null = serverLayout(),
): Promise<void> {
  const db = sqlName(database)
  const cluster = layout?.cluster ?? null
  const on = cluster === null ? '' : ` ON CLUSTER ${sqlName(cluster)}`
  await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${db}${on}` })
  await client.command({
    query: `CREATE TABLE IF NOT EXISTS ${db}.hotspan_migrations${on} (version UInt32, name String, applied_at DateTime64(3)) ENGINE = ${cluster === null ? 'MergeTree' : everywhere} ORDER BY version`,
  })
  const answer = await client.query({
    query: `SELECT max(version) AS version FROM ${db}.hotspan_migrations`,
    format: 'JSONEachRow',
  })
  const current = Number((await answer.json<{ version: number }>())[0]?.version ?? 0)
  const newest = migrations.at(-1)!.version
  if (current > newest) {
    throw new CollectorError(
      'HS_STORE_NEWER',
      `the tables of ${database} have version ${current}, this Hotspan knows up to ${newest}. Update Hotspan; the data is left as it is.`,
    )
  }
  for (const migration of migrations) {
    if (migration.version <= current || migration.version > upTo) continue
    for (const statement of migration.statements(cluster === null ? singleMachine : replicated)) {
      const forms = cluster === null ? [qualify(statement, db)] : forCluster(statement, cluster, db)
      for (const query of forms) await client.command({ query })
    }
    await client.command({
      query: `INSERT INTO ${db}.hotspan_migrations SELECT {version:UInt32}, {name:String}, now64(3)`,
      query_params: { version: migration.version, name: migration.name },
    })
  }
  if (layout !== null) await keepOnServer(client, database, layout)
}

/** The list of applied migrations is small, and the same on every node of every shard. */
const everywhere = `ReplicatedMergeTree('/clickhouse/tables/{database}/hotspan_migrations', '{shard}-{replica}')`

/** Our table names, with the database in front, so that one client serves every project. */
function qualify(statement: string, database: string): string {
  return statement.replace(/\b(EXISTS|TO|FROM|TABLE) (otel_\w+|hotspan_\w+)/g, `$1 ${database}.$2`)
}
