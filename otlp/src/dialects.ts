import { rpcCodeNames } from './rpc-code-names.ts'

/**
 * Older and foreign attribute names mapped to today's, at read time. One table gives both the TypeScript function and the SQL
 * expression of a materialised column, so that a row cannot mean one thing here and another there. A value that does not pass
 * its row's pattern is left under its old name: nothing is guessed.
 *
 * Sources: the migration guides of the HTTP, database, code and RPC conventions
 * (https://opentelemetry.io/docs/specs/semconv/non-normative/), the registry's deprecated names, and OpenInference.
 */
export interface DialectRow {
  readonly old: string
  readonly current: string
  /** Which map of the span holds it. Default `span`. */
  readonly on?: 'span' | 'resource'
  /** The row holds only for spans of this kind. */
  readonly kind?: 'client' | 'server'
  /**
   * Pattern with one group, which is the value; no match, no mapping. It must mean the same in JavaScript (with `s`) and in
   * RE2, and has no backslash and no quote, because it is also written into SQL.
   */
  readonly take?: string
  /** Values that were renamed too. */
  readonly values?: Readonly<Record<string, string>>
  /** Another old name whose value, when there is one, goes in front, with a dot between. */
  readonly prefix?: string
}

/** A count of something or a size in bytes: no sign, no fraction, no unit behind it. */
const WHOLE = '^([0-9]{1,18})$'
const STATUS = '^([1-5][0-9]{2})$'
const PORT = '^(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})$'

const databaseNames: Readonly<Record<string, string>> = {
  adabas: 'softwareag.adabas',
  cosmosdb: 'azure.cosmosdb',
  db2: 'ibm.db2',
  dynamodb: 'aws.dynamodb',
  firebird: 'firebirdsql',
  h2: 'h2database',
  hanadb: 'sap.hana',
  informix: 'ibm.informix',
  ingres: 'actian.ingres',
  mssql: 'microsoft.sql_server',
  netezza: 'ibm.netezza',
  oracle: 'oracle.db',
  redshift: 'aws.redshift',
  spanner: 'gcp.spanner',
}

/** For one current name the first row that yields a value wins. */
export const dialects: readonly DialectRow[] = [
  { old: 'http.method', current: 'http.request.method' },
  { old: 'http.status_code', current: 'http.response.status_code', take: STATUS },
  { old: 'http.url', current: 'url.full' },
  { old: 'http.scheme', current: 'url.scheme' },
  { old: 'http.target', current: 'url.path', take: '^([^?#]+)' },
  { old: 'http.target', current: 'url.query', take: '^[^?#]*[?]([^#]+)' },
  { old: 'http.request_content_length', current: 'http.request.body.size', take: WHOLE },
  { old: 'http.response_content_length', current: 'http.response.body.size', take: WHOLE },
  { old: 'http.resend_count', current: 'http.request.resend_count', take: WHOLE },
  { old: 'http.user_agent', current: 'user_agent.original' },
  { old: 'http.client_ip', current: 'client.address' },
  {
    old: 'http.flavor',
    current: 'network.protocol.version',
    take: '^([0-9](?:[.][0-9])?)$',
    values: { '2.0': '2', '3.0': '3' },
  },

  { old: 'net.peer.name', current: 'server.address', kind: 'client' },
  { old: 'net.peer.port', current: 'server.port', kind: 'client', take: PORT },
  { old: 'net.host.name', current: 'server.address', kind: 'server' },
  { old: 'net.host.port', current: 'server.port', kind: 'server', take: PORT },
  { old: 'net.sock.peer.addr', current: 'network.peer.address' },
  { old: 'net.peer.ip', current: 'network.peer.address' },
  { old: 'net.sock.peer.port', current: 'network.peer.port', take: PORT },
  { old: 'net.protocol.name', current: 'network.protocol.name' },
  { old: 'net.protocol.version', current: 'network.protocol.version' },
  {
    old: 'net.transport',
    current: 'network.transport',
    take: '^(ip_tcp|ip_udp|pipe|unix)$',
    values: { ip_tcp: 'tcp', ip_udp: 'udp' },
  },

  { old: 'db.system', current: 'db.system.name', values: databaseNames },
  { old: 'db.statement', current: 'db.query.text' },
  { old: 'db.name', current: 'db.namespace' },
  { old: 'db.redis.database_index', current: 'db.namespace', take: WHOLE },
  { old: 'db.operation', current: 'db.operation.name' },
  { old: 'db.sql.table', current: 'db.collection.name' },
  { old: 'db.mongodb.collection', current: 'db.collection.name' },
  { old: 'db.cassandra.table', current: 'db.collection.name' },

  { old: 'code.function', current: 'code.function.name', prefix: 'code.namespace' },
  { old: 'code.filepath', current: 'code.file.path' },
  { old: 'code.lineno', current: 'code.line.number', take: WHOLE },
  { old: 'code.column', current: 'code.column.number', take: WHOLE },

  { old: 'messaging.system', current: 'messaging.system.name' },
  { old: 'messaging.destination', current: 'messaging.destination.name' },
  { old: 'messaging.operation', current: 'messaging.operation.type' },
  { old: 'rpc.system', current: 'rpc.system.name' },
  {
    old: 'rpc.grpc.status_code',
    current: 'rpc.response.status_code',
    take: '^([0-9]|1[0-6])$',
    values: Object.fromEntries(rpcCodeNames.entries()),
  },

  { old: 'gen_ai.system', current: 'gen_ai.provider.name' },
  { old: 'llm.provider', current: 'gen_ai.provider.name' },
  { old: 'llm.model_name', current: 'gen_ai.request.model' },
  { old: 'gen_ai.usage.prompt_tokens', current: 'gen_ai.usage.input_tokens', take: WHOLE },
  { old: 'llm.token_count.prompt', current: 'gen_ai.usage.input_tokens', take: WHOLE },
  { old: 'gen_ai.usage.completion_tokens', current: 'gen_ai.usage.output_tokens', take: WHOLE },
  { old: 'llm.token_count.completion', current: 'gen_ai.usage.output_tokens', take: WHOLE },

  { old: 'deployment.environment', current: 'deployment.environment.name', on: 'resource' },
]

const compiled = new Map<string, RegExp>()

function taken(row: DialectRow, value: string): string {
  if (row.take === undefined) return value
  let pattern = compiled.get(row.take)
  if (pattern === undefined) {
    pattern = new RegExp(row.take, 's')
    compiled.set(row.take, pattern)
  }
  return pattern.exec(value)?.[1] ?? ''
}

function mappedValue(row: DialectRow, attributes: Readonly<Record<string, string>>): string {
  const value = taken(row, attributes[row.old] ?? '')
  if (value === '') return ''
  const named = row.values !== undefined && Object.hasOwn(row.values, value) ? row.values[value]! : value
  const prefix = row.prefix === undefined ? '' : (attributes[row.prefix] ?? '')
  return prefix === '' ? named : `${prefix}.${named}`
}

export interface NormaliseOptions {
  readonly on?: 'span' | 'resource'
  /** Kind of the span, for rows that hold only for clients or servers. */
  readonly kind?: string
}

/**
 * Attributes under today's names. A current name that is there already wins; an old name that was mapped, or whose current name
 * was there, is dropped; everything else is kept as it is. Empty text counts as absent, as in the store.
 */
export function normaliseAttributes(
  attributes: Readonly<Record<string, string>>,
  options: NormaliseOptions = {},
): Record<string, string> {
  const out: Record<string, string> = { ...attributes }
  for (const row of dialects) {
    if ((row.on ?? 'span') !== (options.on ?? 'span')) continue
    if (row.kind !== undefined && row.kind !== options.kind) continue
    if (!Object.hasOwn(attributes, row.old)) continue
    const value = mappedValue(row, attributes)
    if (value === '') continue
    if ((out[row.current] ?? '') === '') out[row.current] = value
    delete out[row.old]
    if (row.prefix !== undefined) delete out[row.prefix]
  }
  return out
}

const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function sqlOfRow(row: DialectRow, map: string): string {
  const raw = `${map}[${quote(row.old)}]`
  let value = row.take === undefined ? raw : `extract(${raw}, ${quote(row.take)})`
  if (row.values !== undefined) {
    const from = Object.keys(row.values).map(quote).join(', ')
    const to = Object.values(row.values).map(quote).join(', ')
    value = `transform(${value}, [${from}], [${to}], ${value})`
  }
  if (row.prefix !== undefined) {
    const prefix = `${map}[${quote(row.prefix)}]`
    value = `if(${raw} != '' AND ${prefix} != '', concat(${prefix}, '.', ${value}), ${value})`
  }
  if (row.kind === undefined) return value
  return `if(SpanKind = ${quote(row.kind === 'client' ? 'Client' : 'Server')}, ${value}, '')`
}

/**
 * ClickHouse expression (String) of a current name over the exporter's map columns: the current name, else the first old one
 * that yields a value, else ''. The same rules as `normaliseAttributes`.
 */
export function sqlCoalesce(current: string, on: 'span' | 'resource' = 'span'): string {
  const map = on === 'span' ? 'SpanAttributes' : 'ResourceAttributes'
  const own = `${map}[${quote(current)}]`
  const rows = dialects.filter((row) => row.current === current && (row.on ?? 'span') === on)
  if (rows.length === 0) return own
  const branches = [own, ...rows.map((row) => sqlOfRow(row, map))].map((value) => `nullIf(${value}, '')`)
  return `coalesce(${branches.join(', ')}, '')`
}
