import { randomUUID } from 'node:crypto'
import { unlink, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import {
  type AnswerMemory,
  answerTooLarge,
  boundedAnswer,
  guestAnswerBytes,
  guestLimits,
  largeAnswerBytes,
} from './answer-memory.ts'
import { type EngineRequest, readEngineRequest } from './http-request.ts'
import { fillParameters, ParameterError, sqlName, sqlString } from './query-parameters.ts'
import type { EngineSession, SessionPool } from './session-pool.ts'

/** Seconds a statement may run when the asker names no `max_execution_time`. */
export const defaultExecutionSeconds = 60
/** Seconds past its limit after which a statement counts as stuck and the process ends itself; the parent starts a new one. */
export const stuckGraceSeconds = 30

export interface HttpInterface {
  readonly queries: SessionPool
  readonly inserts: SessionPool
  /** For ending the statements of askers who went away. */
  readonly control: SessionPool
  readonly health: EngineSession
  /** Told of large answers, so that their memory goes back to the machine. */
  readonly memory: AnswerMemory
  readonly scratchDir: string
  readonly version: string
  /** Settings that every connection starts with, and comes back to. */
  readonly settings: Readonly<Record<string, string | number>>
  /** Called when a native call has not come back: nothing but ending the process helps. */
  stuck(): void
}

const insertStatement = /^\s*insert\s/i
/** `INSERT INTO t (...) [SETTINGS ...] FORMAT X` with the data elsewhere. */
const insertFormat = /^([\s\S]*?)(\s+settings\s+[\s\S]*?)?\s+format\s+(\w+)\s*;?\s*$/i
const settingName = /^[a-z_][a-z0-9_]*$/

/** The ClickHouse HTTP interface in front of chdb sessions: what `@clickhouse/client` needs. */
export async function answer(
  engine: HttpInterface,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0]
  if (path === '/ping') {
    await engine.health.queryAsync('SELECT 1', { format: 'TabSeparated' })
    response.end('Ok.\n')
    return
  }
  let parsed: EngineRequest
  try {
    parsed = await readEngineRequest(request)
  } catch (error) {
    fail(engine, response, error)
    return
  }
  await run(engine, parsed, response)
}

async function run(engine: HttpInterface, request: EngineRequest, response: ServerResponse): Promise<void> {
  const isInsert = insertStatement.test(request.sql)
  const pool = isInsert ? engine.inserts : engine.queries
  let scratch: string | null = null
  const session = await pool.lease()
  let watch: NodeJS.Timeout | undefined
  // Inserts go on: a sender that went away sends them again, with the same token.
  const tag = isInsert ? null : randomUUID()
  const onGone = () => {
    if (tag !== null && !response.writableEnded) void endStatement(engine, tag)
  }
  try {
    if (response.destroyed) return
    response.once('close', onGone)
    let sql = fillParameters(request.sql, request.parameters)
    if (request.data !== null) {
      scratch = join(engine.scratchDir, `${randomUUID()}.insert`)
      await writeFile(scratch, request.data, { mode: 0o600 })
      sql = fromFile(sql, scratch)
    }
    const settings = [...request.settings].filter(([name]) => settingName.test(name))
    if (request.role !== '') settings.push(...guestLimits(engine.settings))
    const limitSec = Number(request.settings.get('max_execution_time')) || defaultExecutionSeconds
    watch = setTimeout(() => engine.stuck(), (limitSec + stuckGraceSeconds) * 1000)
    // A guest's rights first: what the engine says of a database that is not there names the others to those who may see them.
    let prefix = request.role === '' ? '' : `SET ROLE ${sqlName(request.role)};`
    prefix += ` USE ${sqlName(request.database)};`
    if (tag !== null) prefix += ` SET log_comment = ${sqlString(tag)};`
    const change = changeSettings(engine, session, request.role === '' ? settings : [])
    prefix += change.statements
    if (request.role !== '')
      for (const [name, value] of settings) prefix += ` SET ${name} = ${sqlString(value)};`
    let isKnown = false
    try {
      const result = await session.queryAsync(`${prefix} ${sql}`, { format: request.format })
      applied.set(session, change.after)
      isKnown = true
      const bytes = result.bytes()
      if (bytes.length >= largeAnswerBytes) response.once('close', () => engine.memory.answered())
      if (request.role !== '' && bytes.length > guestAnswerBytes) throw answerTooLarge(bytes.length)
      // The same memory, not a copy of it.
      const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      await send(request, response, body, result.rowsRead, result.bytesRead)
    } finally {
      if (request.role !== '') await regainRights(engine, session)
      // Of a statement that failed it is not known which of the changes were made.
      if (!isKnown || (request.role !== '' && settings.length > 0))
        await resetSettings(engine, session, settings)
    }
  } catch (error) {
    fail(engine, response, request.role === '' ? error : boundedAnswer(error))
  } finally {
    clearTimeout(watch)
    response.removeListener('close', onGone)
    pool.release(session)
    if (scratch !== null) await unlink(scratch).catch(() => undefined)
  }
}

/** Settings of each connection that differ from its first ones: askers of one kind name the same, which need not be set again. */
const applied = new WeakMap<EngineSession, Map<string, string>>()

/**
 * Statements that give a connection exactly the settings `after`, besides those it starts with. Until they have run, what was set before
 * and what would be set both count as set.
 */
function changeSettings(
  engine: HttpInterface,
  session: EngineSession,
  wanted: readonly (readonly [string, string])[],
): { statements: string; after: Map<string, string> } {
  const before = applied.get(session) ?? new Map<string, string>()
  const after = new Map(wanted)
  applied.set(session, new Map([...before, ...after]))
  let statements = ''
  for (const name of before.keys()) if (!after.has(name)) statements += ` ${resetSetting(engine, name)};`
  for (const [name, value] of after)
    if (before.get(name) !== value) statements += ` SET ${name} = ${sqlString(value)};`
  return { statements, after }
}

function resetSetting(engine: HttpInterface, name: string): string {
  const own = engine.settings[name]
  return `SET ${name} = ${own === undefined ? 'DEFAULT' : sqlString(String(own))}`
}

/** A connection that stays a guest would fail everybody after; one that cannot come back is not to be trusted. */
async function regainRights(engine: HttpInterface, session: EngineSession): Promise<void> {
  await session.queryAsync('SET ROLE DEFAULT', { format: 'TabSeparated' }).catch(() => engine.stuck())
}

/** One round for all; one by one when a setting that does not exist is among them, which failed the statement before. */
async function resetSettings(
  engine: HttpInterface,
  session: EngineSession,
  settings: readonly (readonly [string, string])[],
): Promise<void> {
  const names = new Set([...settings.map(([name]) => name), ...(applied.get(session)?.keys() ?? [])])
  applied.delete(session)
  if (names.size === 0) return
  const resets = [...names].map((name) => resetSetting(engine, name))
  const run = (sql: string) => session.queryAsync(sql, { format: 'TabSeparated' })
  try {
    await run(resets.join('; '))
  } catch {
    for (const reset of resets) await run(reset).catch(() => undefined)
  }
}

/** The library cannot interrupt a call, but the engine can end a statement by what it is marked with. */
async function endStatement(engine: HttpInterface, tag: string): Promise<void> {
  const session = await engine.control.lease()
  try {
    const query = `KILL QUERY WHERE Settings['log_comment'] = ${sqlString(tag)} ASYNC`
    await session.queryAsync(query, { format: 'TabSeparated' })
  } catch {
    // It ended by itself.
  } finally {
    engine.control.release(session)
  }
}

/** Inline data is cut at the first blank line by the library, so every payload goes through a file. */
function fromFile(sql: string, path: string): string {
  const match = insertFormat.exec(sql)
  if (match === null) throw new ParameterError('an insert with a body must end in FORMAT name')
  return `${match[1]} FROM INFILE ${sqlString(path)}${match[2] ?? ''} FORMAT ${match[3]}`
}

const compressed = promisify(gzip)

async function send(
  request: EngineRequest,
  response: ServerResponse,
  body: Buffer,
  rowsRead: number,
  bytesRead: number,
): Promise<void> {
  if (response.destroyed) return
  // Not in this thread, which also says that the engine lives.
  const bytes = request.compress && body.length > 1400 ? await compressed(body, { level: 1 }) : body
  if (response.destroyed) return
  const headers: Record<string, string> = {
    'x-clickhouse-query-id': request.queryId,
    'x-clickhouse-format': request.format,
    'x-clickhouse-timezone': 'UTC',
    'x-clickhouse-server-display-name': 'hotspan',
    'x-clickhouse-summary': JSON.stringify({
      read_rows: String(rowsRead),
      read_bytes: String(bytesRead),
      written_rows: '0',
      written_bytes: '0',
      total_rows_to_read: '0',
      result_rows: '0',
      result_bytes: String(body.length),
      elapsed_ns: '0',
    }),
    'content-type': request.format.startsWith('JSON')
      ? 'application/json; charset=UTF-8'
      : 'text/tab-separated-values; charset=UTF-8',
    'content-length': String(bytes.length),
  }
  if (bytes !== body) headers['content-encoding'] = 'gzip'
  response.writeHead(200, headers)
  response.end(bytes)
}

function fail(engine: HttpInterface, response: ServerResponse, error: unknown): void {
  if (response.destroyed) return
  const raw = error instanceof Error ? error.message : String(error)
  let text = raw
  let code = Number(/^Code: (\d+)/.exec(raw)?.[1] ?? 1001)
  if (error instanceof ParameterError) {
    code = error.clickhouseCode
    text = `Code: ${code}. DB::Exception: ${raw}. (${error.clickhouseType})`
  } else if (!raw.startsWith('Code: ')) {
    text = `Code: ${code}. DB::Exception: ${raw}. (STD_EXCEPTION)`
  }
  const missing = code === 60 || code === 81 || code === 46
  response.writeHead(missing ? 404 : code === 62 || code === 456 ? 400 : 500, {
    'x-clickhouse-exception-code': String(code),
    'content-type': 'text/plain; charset=UTF-8',
  })
  response.end(`${text} (version ${engine.version} (official build))\n`)
}
