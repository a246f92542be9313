import type { IncomingMessage } from 'node:http'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'

/** One request of the ClickHouse HTTP interface, taken apart. */
export interface EngineRequest {
  readonly sql: string
  /** Data behind the statement of an insert whose SQL came in the URL; null when there is none. */
  readonly data: Buffer | null
  readonly parameters: ReadonlyMap<string, string>
  readonly settings: ReadonlyMap<string, string>
  readonly database: string
  readonly format: string
  readonly queryId: string
  readonly compress: boolean
  /** Role that the statement runs under; '' for all rights. */
  readonly role: string
}

/** Header in which our own doors name the role of a guest's statement. */
export const roleHeader = 'x-hotspan-role'

// Parameters of the interface that are not settings of the engine.
const interfaceParameters = new Set([
  'query',
  'database',
  'query_id',
  'session_id',
  'session_timeout',
  'session_check',
  'default_format',
  'wait_end_of_query',
  'enable_http_compression',
  'http_zlib_compression_level',
  'role',
  'user',
  'password',
  'quota_key',
  'compress',
  'decompress',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'stacktrace',
  'buffer_size',
  'client_protocol_version',
])

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const encoding = request.headers['content-encoding']
  if (encoding === 'gzip') return gunzipSync(body)
  if (encoding === 'zstd') return zstdDecompressSync(body)
  return body
}

export async function readEngineRequest(request: IncomingMessage): Promise<EngineRequest> {
  return engineRequestOf(request, request.method === 'GET' ? null : await bodyOf(request))
}

/** As `readEngineRequest`, with the body at hand: whole and decompressed, null for none. */
export async function engineRequestOf(request: IncomingMessage, body: Buffer | null): Promise<EngineRequest> {
  const url = new URL(request.url ?? '/', 'http://engine')
  const parameters = new Map<string, string>()
  const settings = new Map<string, string>()
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) parameters.set(name.slice(6), value)
    else if (!interfaceParameters.has(name)) settings.set(name, value)
  }
  const urlSql = url.searchParams.get('query') ?? ''
  let data = body
  let sql = urlSql
  const type = request.headers['content-type'] ?? ''
  if (data !== null && type.startsWith('multipart/form-data')) {
    const form = await new Response(new Uint8Array(data), { headers: { 'content-type': type } }).formData()
    for (const [name, value] of form) {
      if (typeof value !== 'string') continue
      if (name === 'query') sql = value
      else if (name.startsWith('param_')) parameters.set(name.slice(6), value)
    }
    data = null
  } else if (data !== null && urlSql === '') {
    sql = data.toString('utf8')
    data = null
  }
  return {
    sql,
    data: data !== null && data.length > 0 ? data : null,
    parameters,
    settings,
    database: url.searchParams.get('database') ?? 'default',
    format: url.searchParams.get('default_format') ?? 'TabSeparated',
    queryId: url.searchParams.get('query_id') ?? '',
    compress:
      url.searchParams.get('enable_http_compression') === '1' &&
      /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? '')),
    role: String(request.headers[roleHeader] ?? ''),
  }
}
