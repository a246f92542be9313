import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { closedSystemTables } from './system-tables.ts'

/**
 * The engine has one user. Its rights come from roles, so that a connection can lay down all of them but those of one project
 * (`SET ROLE`): what a guest then asks is judged by the engine's own access control, whatever the statement looks like.
 */

/** May read the tables of a project, nothing else. */
export const readerRole = (database: string): string => `reader_of_${database}`

/** May also insert into them. */
export const writerRole = (database: string): string => `writer_of_${database}`

/** Of a new store, so that the first question does not need a second start. */
const firstDatabase = 'hotspan_default'

/** Databases of projects in a store that is not open: the engine reads its roles only when it starts. */
export function projectDatabases(storeDir: string): string[] {
  let files: string[] = []
  try {
    files = readdirSync(join(storeDir, 'metadata'))
  } catch {
    // A new store.
  }
  const databases = files
    .filter((name) => /^hotspan_[a-z0-9_]+\.sql$/.test(name))
    .map((name) => name.slice(0, -4))
  return [...new Set([firstDatabase, ...databases])]
}

export function engineUsersXml(databases: readonly string[]): string {
  const roles: [string, string][] = [['operator', 'GRANT ALL ON *.* WITH GRANT OPTION']]
  for (const database of databases) {
    roles.push([readerRole(database), `GRANT SELECT ON ${database}.*`])
    roles.push([writerRole(database), `GRANT SELECT, INSERT ON ${database}.*`])
  }
  const definitions = roles.map(
    ([role, grant]) => `    <${role}><grants><query>${grant}</query></grants></${role}>`,
  )
  const grants = roles.map(([role]) => `<query>GRANT ${role}</query>`)
  // The engine grants everybody all of `system`: what guests have no business with has no rows for them.
  const hidden = [...closedSystemTables].map(
    (table) => `<${table}><filter>has(currentRoles(), 'operator')</filter></${table}>`,
  )
  return `<clickhouse>
  <profiles><default></default></profiles>
  <quotas><default></default></quotas>
  <roles>
${definitions.join('\n')}
  </roles>
  <users>
    <default>
      <password></password>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>${grants.join('')}</grants>
      <databases><system>${hidden.join('')}</system></databases>
    </default>
  </users>
</clickhouse>
`
}
