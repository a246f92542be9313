import { Agent } from 'node:http'
import { connect } from 'node:net'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'

class SocketAgent extends Agent {
  private readonly path: string

  constructor(path: string) {
    super({ keepAlive: true, maxSockets: 64 })
    this.path = path
  }

  override createConnection(): ReturnType<Agent['createConnection']> {
    return connect(this.path)
  }
}

const common = {
  application: 'hotspan',
  request_timeout: 180_000,
  // Errors reach the caller as exceptions; a second copy on the console would only be noise.
  log: { level: ClickHouseLogLevel.OFF },
} as const

/** A client of the embedded engine, through its unix socket. */
export function socketClient(socketPath: string, database: string): ClickHouseClient {
  return createClient({
    ...common,
    url: 'http://engine.localhost',
    http_agent: new SocketAgent(socketPath),
    set_basic_auth_header: false,
    keep_alive: { enabled: true },
    use_multipart_params_auto: true,
    database,
  })
}

/** A client of a ClickHouse server, from HOTSPAN_CLICKHOUSE_URL (user, password and settings may stand in the URL). */
export function urlClient(url: string, database: string): ClickHouseClient {
  return createClient({
    ...common,
    url,
    database,
    use_multipart_params_auto: true,
    clickhouse_settings: { async_insert: 0 },
  })
}
