import { checkNames } from './guest-names.ts'
import { guardSettingsClause } from './guest-settings.ts'
import { type SqlToken, StatementRefused, sqlOf, sqlTokens } from './sql-tokens.ts'

/**
 * A statement that a guest may run: put together anew from what was understood. `describe`: it asks for the columns of a telemetry
 * table and nothing else. `exists`: it would make a database or table of ours if it were not there, and it is.
 */
export interface GuardedStatement {
  readonly kind: 'read' | 'describe' | 'insert' | 'exists'
  /** First word, lower case. */
  readonly verb: string
  readonly sql: string
}

const readVerbs = new Set(['select', 'with', 'show', 'describe', 'desc', 'explain', 'exists'])
/** Behind SHOW, and what may follow where not everything may. */
const shown = new Map<string, ReadonlySet<string> | null>([
  ['databases', null],
  ['tables', null],
  ['columns', null],
  ['fields', null],
  ['index', null],
  ['indexes', null],
  ['keys', null],
  ['functions', null],
  ['full', new Set(['tables', 'columns', 'fields'])],
])
/** `SHOW CREATE USER` and its like tell of the engine's configuration. */
const createdByGuests = /^(?:table|view|database|otel_\w+|hotspan_\w+)$/

const telemetryTables = /^otel_(?:traces|logs|metrics_(?:gauge|sum|histogram|exponential_histogram|summary))$/

/**
 * Lets one reading statement pass, or one insert into the telemetry tables whose data comes behind it. The engine's roles keep
 * a guest to its project's tables; this keeps it to one statement, away from the machine's files and from what others ask.
 * Throws `StatementRefused`.
 */
export function guardStatement(sql: string, database: string): GuardedStatement {
  const tokens = sqlTokens(sql)
  while (tokens.at(-1)?.text === ';') tokens.pop()
  const first = tokens.find((token) => token.text !== '(')
  const verb = first?.kind === 'word' ? first.value : ''
  if (tokens.some((token) => token.text === ';')) {
    throw new StatementRefused('one statement at a time', 62, 'SYNTAX_ERROR')
  }
  if (verb === 'insert') {
    return { kind: 'insert', verb, sql: sqlOf(guardedInsert(tokens, database)) }
  }
  if (verb === 'create' && namesOurs(tokens, database)) return { kind: 'exists', verb, sql: '' }
  if (!readVerbs.has(verb)) {
    throw new StatementRefused(
      `${verb === '' ? 'this' : verb.toUpperCase()} is not possible here; SELECT, SHOW, DESCRIBE, EXPLAIN and EXISTS are`,
    )
  }
  if (verb === 'show') checkShow(tokens)
  if (verb === 'explain') checkExplain(tokens)
  checkNames(tokens)
  const describes = describesTelemetry(tokens, database)
  return { kind: describes ? 'describe' : 'read', verb, sql: sqlOf(withGuardedSettings(tokens)) }
}

function checkShow(tokens: readonly SqlToken[]): void {
  const [, what, then] = tokens
  const follows = shown.get(what?.value ?? '')
  const allowed =
    what?.value === 'create'
      ? createdByGuests.test(then?.value ?? '')
      : follows === null || follows?.has(then?.value ?? '')
  if (!allowed) {
    throw new StatementRefused(
      `SHOW ${`${what?.text ?? ''} ${then?.text ?? ''}`.slice(0, 60)} is not possible here`,
    )
  }
}

/** `EXPLAIN [kind] [setting = value, ...] SELECT ...`: other statements are not explained to guests. */
function checkExplain(tokens: readonly SqlToken[]): void {
  let at = 1
  while (/^(?:ast|syntax|query|tree|plan|pipeline|estimate)$/.test(tokens[at]?.value ?? '')) at += 1
  while (tokens[at + 1]?.text === '=') {
    at += 3
    if (tokens[at]?.text === ',') at += 1
  }
  while (tokens[at]?.text === '(') at += 1
  if (tokens[at]?.value === 'select' || tokens[at]?.value === 'with') return
  throw new StatementRefused(
    `EXPLAIN ${(tokens[at]?.text ?? '').slice(0, 40)} is not possible here; EXPLAIN SELECT is`,
  )
}

/** `DESC[RIBE] [TABLE] [database.]table [FORMAT name]` of a telemetry table, token by token. */
function describesTelemetry(tokens: readonly SqlToken[], database: string): boolean {
  if (!/^desc(?:ribe)?$/.test(tokens[0]?.value ?? '')) return false
  let at = 1
  if (tokens[at]?.kind === 'word' && tokens[at]?.value === 'table') at += 1
  if (tokens[at + 1]?.text === '.') {
    if (tokens[at]?.value !== database) return false
    at += 2
  }
  const table = tokens[at]
  const isName = table?.kind === 'word' || table?.kind === 'name'
  if (!isName || !telemetryTables.test(table.value)) return false
  const rest = tokens.slice(at + 1)
  if (rest.length === 0) return true
  return rest.length === 2 && rest[0]?.value === 'format' && rest[1]?.kind === 'word'
}

/** Every `SETTINGS` of a statement with what the engine gets instead. */
function withGuardedSettings(tokens: readonly SqlToken[]): SqlToken[] {
  const guarded: SqlToken[] = []
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at]!
    guarded.push(token)
    if (token.kind !== 'word' || token.value !== 'settings' || tokens[at - 1]?.text === '.') continue
    const { kept, end } = guardSettingsClause(tokens, at + 1, false)
    guarded.push(...kept)
    at = end - 1
  }
  return guarded
}

const lookupTables = /^otel_traces_trace_id_ts(?:_mv)?$/

/** `CREATE DATABASE|TABLE|MATERIALIZED VIEW IF NOT EXISTS` of what our migrations own: how the exporter starts. */
function namesOurs(tokens: readonly SqlToken[], database: string): boolean {
  const words = tokens.map(({ kind, value }) => (kind === 'word' ? value : ''))
  const kind = words[1] === 'materialized' ? `${words[1]} ${words[2]}` : words[1]
  const at = kind === 'materialized view' ? 3 : 2
  if (!['database', 'table', 'materialized view'].includes(kind ?? '')) return false
  if (words.slice(at, at + 3).join(' ') !== 'if not exists') return false
  const first = tokens[at + 3]?.value ?? ''
  if (kind === 'database') return first === database
  const qualified = tokens[at + 4]?.text === '.'
  const table = qualified ? (tokens[at + 5]?.value ?? '') : first
  return (!qualified || first === database) && (telemetryTables.test(table) || lookupTables.test(table))
}

/** `INSERT INTO [TABLE] [db.]table [(columns)] [SETTINGS ...] FORMAT name`, and nothing behind it. */
function guardedInsert(tokens: readonly SqlToken[], database: string): SqlToken[] {
  const wrong = (what: string) =>
    new StatementRefused(
      `${what}; expected INSERT INTO a telemetry table with its data in the body`,
      62,
      'SYNTAX_ERROR',
    )
  let at = 1
  const word = (value: string): boolean => {
    if (tokens[at]?.kind !== 'word' || tokens[at]?.value !== value) return false
    at += 1
    return true
  }
  if (!word('into')) throw wrong('INSERT without INTO')
  word('table')
  let table = tokens[at++]
  if (tokens[at]?.text === '.') {
    if (table?.value !== database) throw new StatementRefused('this is not your database')
    table = tokens[at + 1]
    at += 2
  }
  const isName = table?.kind === 'word' || table?.kind === 'name'
  if (table === undefined || !isName || !telemetryTables.test(table.value)) {
    throw new StatementRefused(`${(table?.text ?? 'nothing').slice(0, 60)} is no table that takes inserts`)
  }
  if (tokens[at]?.text === '(') {
    at += 1
    for (;;) {
      const column = tokens[at]
      if (column?.kind !== 'word' && column?.kind !== 'name') throw wrong('a list of columns that is none')
      at += 1
      if (tokens[at]?.text === '.') at += 2
      const sign = tokens[at++]?.text
      if (sign === ')') break
      if (sign !== ',') throw wrong('a list of columns that is none')
    }
  }
  const guarded = tokens.slice(0, at)
  while (word('settings')) {
    const { kept, end } = guardSettingsClause(tokens, at, true)
    guarded.push(tokens[at - 1]!, ...kept)
    at = end
  }
  if (!word('format') || tokens[at]?.kind !== 'word') throw wrong('INSERT without FORMAT')
  if (tokens.length !== at + 1) throw wrong('something behind FORMAT')
  return [...guarded, ...tokens.slice(at - 1)]
}
