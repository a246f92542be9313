import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { tokenOf } from '../access/credentials.ts'
import type { Gate, Sender } from '../access/gate.ts'
import type { TlsFiles } from '../access/tls.ts'
import { readerRole, writerRole } from '../engine/engine-users.ts'
import { type EngineRequest, engineRequestOf, roleHeader } from '../engine/http-request.ts'
import { fillParameters, ParameterError } from '../engine/query-parameters.ts'
import { messageOf } from '../errors.ts'
import { namesThisMachine } from '../listening.ts'
import { BodyBudget } from '../receiver/body-budget.ts'
import { decompress } from '../receiver/decompress.ts'
import { IntakeFailure } from '../receiver/intake-failure.ts'
import { readBody } from '../receiver/read-body.ts'
import { databaseOf } from '../schema/migrations.ts'
import { guardSettings } from './guest-settings.ts'
import { helloBlock, helloStatement } from './native-hello.ts'
import { StatementRefused } from './sql-tokens.ts'
import { type GuardedStatement, guardStatement } from './statement-guard.ts'
import { Turns } from './turns.ts'

/** The engine behind the door. */
export interface EngineBehind {
  readonly socketPath: string
  readonly version: string
  /** Makes the database, and starts the engine again so that it knows the roles of a new project. */
  learnProject(project: string): Promise<void>
}

export interface ClickHouseDoorOptions {
  readonly engine: EngineBehind
  readonly gate: Gate
  /** Bound to loopback: other host names are refused (DNS rebinding). */
  readonly loopback: boolean
  /** Inserts into the telemetry tables are possible, with a write token. */
  readonly inserts: boolean
  readonly tls: TlsFiles | null
  readonly onEvent: (event: string) => void
}

const maxBodyBytes = 64 * 1024 * 1024
const maxBytesInFlight = 256 * 1024 * 1024
/** Statements of guests at once; the engine has twice as many connections, so that they cannot keep the collector's own waiting. */
const maxAtOnce = 4
const maxWaiting = 100
/** ClickHouse's code for a role that is not there. */
const unknownRole = '511'

/**
 * The ClickHouse HTTP interface for people's tools: Grafana's data source, notebooks, `@clickhouse/client`, and with inserts
 * the stock Collector's ClickHouse exporter. What a guest may see is decided by the engine's roles.
 */
export function createClickHouseDoor(options: ClickHouseDoorOptions): Server {
  const budget = new BodyBudget(maxBytesInFlight)
  const turns = new Turns(maxAtOnce, maxWaiting)
  const answer = (asking: IncomingMessage, response: ServerResponse): void => {
    handle(options, budget, turns, asking, response).catch((error: unknown) =>
      fail(options, asking, response, error),
    )
  }
  const limits = { keepAliveTimeout: 65_000, requestTimeout: 60_000 }
  return options.tls === null
    ? createServer(limits, answer)
    : createTlsServer({ ...limits, ...options.tls }, answer)
}

async function handle(
  options: ClickHouseDoorOptions,
  budget: BodyBudget,
  turns: Turns,
  asking: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(asking.url ?? '/', 'http://door')
  if (options.loopback && !namesThisMachine(asking.headers.host)) {
    throw new StatementRefused('this host name is not one of this machine')
  }
  if (asking.headers.origin !== undefined) throw new StatementRefused('pages may not ask here')
  const isPing =
    url.pathname === '/ping' || (url.pathname === '/' && asking.method === 'GET' && url.search === '')
  if (isPing) {
    response.end('Ok.\n')
    return
  }
  if (url.pathname !== '/')
    throw new StatementRefused(`nothing at ${url.pathname.slice(0, 80)}`, 48, 'NOT_IMPLEMENTED')
  const token = tokenOf(asking.headers) ?? (url.searchParams.get('password') || null)
  const sender = options.gate.identify(token)
  if (url.searchParams.get('decompress') === '1' || url.searchParams.get('compress') === '1') {
    throw new StatementRefused(
      'blocks compressed by the client are not read here; set compress=none',
      48,
      'NOT_IMPLEMENTED',
    )
  }
  const { body, release } = await readBody(
    asking,
    Number(asking.headers['content-length']),
    maxBodyBytes,
    budget,
  )
  try {
    const coding = (asking.headers['content-encoding'] ?? '').trim().toLowerCase()
    const bytes = body.length === 0 ? null : await decompress(body, coding, maxBodyBytes)
    const parsed = await engineRequestOf(asking, bytes)
    await run(options, turns, parsed, sender, asking, response)
  } finally {
    release()
  }
}

async function run(
  options: ClickHouseDoorOptions,
  turns: Turns,
  parsed: EngineRequest,
  sender: Sender,
  asking: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const database = databaseOf(sender.project)
  if (parsed.database !== 'default' && parsed.database !== '' && parsed.database !== database) {
    throw new StatementRefused(`database ${parsed.database.slice(0, 60)} is not yours; ${database} is`)
  }
  if (!/^\w+$/.test(parsed.format))
    throw new StatementRefused('default_format is the name of a format', 73, 'UNKNOWN_FORMAT')
  if (helloStatement.test(parsed.sql) && parsed.format === 'Native') {
    response.setHeader('X-ClickHouse-Format', 'Native')
    response.end(helloBlock(options.engine.version))
    return
  }
  const statement = guardStatement(fillParameters(parsed.sql, parsed.parameters), database)
  checkRights(options, statement, sender)
  if (statement.kind === 'exists') {
    response.end()
    return
  }
  const settings = guardSettings(parsed.settings)
  const role = statement.kind === 'insert' ? writerRole(database) : readerRole(database)
  const gone = new AbortController()
  const onClose = () => gone.abort()
  response.once('close', onClose)
  if (response.destroyed) gone.abort()
  const leave = await turns.take(gone.signal)
  response.removeListener('close', onClose)
  if (leave === null) return
  try {
    const question = { statement, settings, role, database, parsed }
    let found = await ask(options.engine.socketPath, question, asking, response)
    if (found?.headers['x-clickhouse-exception-code'] === unknownRole) {
      found.resume()
      await options.engine.learnProject(sender.project)
      if (response.destroyed) return
      found = await ask(options.engine.socketPath, question, asking, response)
    }
    if (found === null || response.destroyed) return
    response.writeHead(found.statusCode ?? 500, ownHeaders(found))
    await pipeline(found, response).catch(() => response.destroy())
  } finally {
    leave()
  }
}

function checkRights(options: ClickHouseDoorOptions, statement: GuardedStatement, sender: Sender): void {
  if (sender.kind === 'browser') throw new StatementRefused('a browser key cannot ask')
  if (statement.kind === 'insert' || statement.kind === 'exists') {
    if (!options.inserts) {
      throw new StatementRefused(
        'this interface only reads; hotspan collector --clickhouse-inserts (clickHouseInserts) takes inserts too',
        164,
        'READONLY',
      )
    }
    if (sender.kind === 'read') throw new StatementRefused('a read token cannot insert')
    return
  }
  // Whoever inserts looks at the form of the tables first.
  if (sender.kind === 'write' && statement.kind !== 'describe') {
    throw new StatementRefused(
      'a write token cannot read; hotspan token create --kind read makes one that can',
    )
  }
}

/** Headers of the answer itself, without those of the connection to the engine. */
function ownHeaders({ headers }: IncomingMessage): OutgoingHttpHeaders {
  const { connection: _connection, 'keep-alive': _keepAlive, 'transfer-encoding': _coding, ...own } = headers
  return own
}

interface Question {
  readonly statement: GuardedStatement
  readonly settings: ReadonlyMap<string, string>
  readonly role: string
  readonly database: string
  readonly parsed: EngineRequest
}

/** The engine's answer with its body still to be read; null when the asker went away first. Rejects when the engine is away. */
function ask(
  socketPath: string,
  { statement, settings, role, database, parsed }: Question,
  asking: IncomingMessage,
  response: ServerResponse,
): Promise<IncomingMessage | null> {
  const query = new URLSearchParams([...settings])
  query.set('database', database)
  query.set('default_format', parsed.format)
  if (parsed.queryId !== '') query.set('query_id', parsed.queryId)
  if (parsed.compress) query.set('enable_http_compression', '1')
  const insert = statement.kind === 'insert'
  if (insert) query.set('query', statement.sql)
  const body = insert ? (parsed.data ?? Buffer.alloc(0)) : Buffer.from(statement.sql)
  if (insert && body.length === 0)
    throw new StatementRefused('an insert without data', 108, 'NO_DATA_TO_INSERT')
  if (response.destroyed) return Promise.resolve(null)
  return new Promise((resolve, reject) => {
    const sending = request({
      socketPath,
      method: 'POST',
      path: `/?${query}`,
      agent: false,
      headers: {
        [roleHeader]: role,
        'content-length': body.length,
        ...(parsed.compress ? { 'accept-encoding': asking.headers['accept-encoding'] ?? '' } : {}),
      },
    })
    const gone = () => {
      sending.destroy()
      resolve(null)
    }
    response.once('close', gone)
    sending.once('error', reject)
    sending.once('response', (found) => {
      response.removeListener('close', gone)
      response.once('close', () => sending.destroy())
      resolve(found)
    })
    sending.end(body)
  })
}

function fail(
  options: ClickHouseDoorOptions,
  asking: IncomingMessage,
  response: ServerResponse,
  error: unknown,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const { status, code, type } = kindOf(error)
  if (code === 1002) options.onEvent(`ClickHouse interface: ${messageOf(error)}`)
  const text = `Code: ${code}. DB::Exception: ${messageOf(error)}. (${type}) (version ${options.engine.version} (official build))\n`
  if (status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="ClickHouse server HTTP API"')
  response.writeHead(status, {
    'X-ClickHouse-Exception-Code': String(code),
    'Content-Type': 'text/plain; charset=UTF-8',
    'Content-Length': Buffer.byteLength(text),
  })
  response.end(text)
  if (!asking.readableEnded) asking.resume()
}

/** HTTP status and ClickHouse's code and name. */
function kindOf(error: unknown): { status: number; code: number; type: string } {
  if (error instanceof StatementRefused) {
    return { status: error.code === 497 ? 403 : 400, code: error.code, type: error.type }
  }
  if (error instanceof ParameterError) {
    return { status: 400, code: error.clickhouseCode, type: error.clickhouseType }
  }
  if (error instanceof IntakeFailure) {
    const denied = error.status === 401 || error.status === 403
    return {
      status: error.status,
      code: denied ? 516 : 1001,
      type: denied ? 'AUTHENTICATION_FAILED' : 'STD_EXCEPTION',
    }
  }
  const away = /^(?:ECONNREFUSED|ECONNRESET|ENOENT|EPIPE)$/.test((error as NodeJS.ErrnoException).code ?? '')
  if (away) return { status: 503, code: 210, type: 'NETWORK_ERROR' }
  return { status: 500, code: 1002, type: 'UNKNOWN_EXCEPTION' }
}
