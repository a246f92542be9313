import { type DatabaseTarget, databaseTarget } from './database-span.ts'

/** Where a connection or a pool connects to; a pool's own config holds that of its connections. */
export interface MysqlConfig {
  database?: string
  host?: string
  port?: number | string
  socketPath?: string
  connectionConfig?: MysqlConfig
}

const NO_CONFIG: MysqlConfig = {}

interface KnownTarget {
  readonly database: string | undefined
  readonly target: DatabaseTarget
}

const targets = new WeakMap<MysqlConfig, KnownTarget>()

/** Server and database, kept per config object; `changeUser` writes another database into it. */
export function mysqlTarget(config: MysqlConfig | undefined): DatabaseTarget {
  const own = config?.connectionConfig ?? config ?? NO_CONFIG
  const known = targets.get(own)
  if (known !== undefined && known.database === own.database) return known.target
  const host = own.socketPath || own.host
  const target = databaseTarget('mysql', own.database, host, own.socketPath ? undefined : own.port)
  targets.set(own, { database: own.database, target })
  return target
}
