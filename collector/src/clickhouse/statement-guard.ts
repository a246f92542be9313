import { type SqlToken, StatementRefused, sqlOf, sqlTokens } from './sql-tokens.ts'

/**
 * A statement that a guest may run: put together anew from what was understood. `exists`: it would make a database or table of
 * ours if it were not there, and it is.
 */
export interface GuardedStatement {
  readonly kind: 'read' | 'insert' | 'exists'
  /** First word, lower case. */
  readonly verb: string
  readonly sql: string
}

const readVerbs = new Set(['select', 'with', 'show', 'describe', 'desc', 'explain', 'exists'])
const shown = new Set([
  'databases',
  'tables',
  'full',
  'columns',
  'fields',
  'create',
  'index',
  'indexes',
  'keys',
  'functions',
])

/** What describes the engine and the asker's own tables. Others tell what everybody asks: `processes`, `errors`, logs. */
const systemTables = new Set([
  'one',
  'numbers',
  'numbers_mt',
  'zeros',
  'tables',
  'columns',
  'databases',
  'parts',
  'parts_columns',
  'functions',
  'formats',
  'settings',
  'table_functions',
  'data_type_families',
  'table_engines',
  'time_zones',
  'keywords',
  'completions',
  'build_options',
])

/** Functions that read files of the machine without asking for a right, or tables by a name inside a string. */
const forbiddenWords = new Set([
  'file',
  'merge',
  'outfile',
  'infile',
  'catboostevaluate',
  'joinget',
  'joingetornull',
])

const telemetryTables = /^otel_(?:traces|logs|metrics_(?:gauge|sum|histogram|exponential_histogram|summary))$/

/** Settings that change how an answer looks or how long it may take, and nothing else. */
const freeSettings =
  /^(?:output_format_(?!.*schema)\w+|date_time_output_format|max_result_rows|max_rows_to_read|max_bytes_to_read|result_overflow_mode|read_overflow_mode|max_block_size|max_threads|extremes|join_use_nulls|session_timezone|use_uncompressed_cache|optimize_read_in_order|prefer_column_name_to_alias|group_by_overflow_mode|max_rows_to_group_by)$/
/** Sent by clients on their own; they have no meaning here. */
const ignoredSettings =
  /^(?:async_insert|wait_for_async_insert|log_comment|insert_quorum|insert_deduplicate|insert_deduplication_token|readonly|cancel_http_readonly_queries_on_client_close|http_headers_progress_interval_ms|allow_experimental_\w+|max_query_size|enable_\w+)$/
const maxExecutionSec = 60

/** The settings of a request that reach the engine. Throws `StatementRefused` for one that a guest may not change. */
export function guardSettings(settings: ReadonlyMap<string, string>): Map<string, string> {
  const kept = new Map<string, string>()
  for (const [name, value] of settings) {
    if (ignoredSettings.test(name)) continue
    checkSetting(name, value)
    kept.set(name, value)
  }
  return kept
}

function checkSetting(name: string, value: string): void {
  if (freeSettings.test(name)) return
  if (name === 'max_execution_time') {
    const seconds = Number(value)
    if (seconds > 0 && seconds <= maxExecutionSec) return
    throw refusedSetting(
      `max_execution_time is ${value.slice(0, 20)}; expected 1 to ${maxExecutionSec} seconds`,
    )
  }
  throw refusedSetting(`the setting ${name.slice(0, 60)} cannot be changed here`)
}

const refusedSetting = (message: string) => new StatementRefused(message, 452, 'SETTING_CONSTRAINT_VIOLATION')

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
    checkInsert(tokens, database)
    return { kind: 'insert', verb, sql: sqlOf(tokens) }
  }
  if (verb === 'create' && namesOurs(tokens, database)) return { kind: 'exists', verb, sql: '' }
  if (!readVerbs.has(verb)) {
    throw new StatementRefused(
      `${verb === '' ? 'this' : verb.toUpperCase()} is not possible here; SELECT, SHOW, DESCRIBE, EXPLAIN and EXISTS are`,
    )
  }
  if (verb === 'show' && !shown.has(tokens[1]?.value ?? '')) {
    throw new StatementRefused(`SHOW ${(tokens[1]?.text ?? '').slice(0, 40)} is not possible here`)
  }
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'word' || token.kind === 'name') checkName(tokens, index)
  }
  return { kind: 'read', verb, sql: sqlOf(tokens) }
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

function checkName(tokens: readonly SqlToken[], index: number): void {
  const token = tokens[index]!
  const name = token.value.toLowerCase()
  const previous = tokens[index - 1]?.text
  const next = tokens[index + 1]
  if (forbiddenWords.has(name) && (next?.text === '(' || (token.kind === 'word' && previous !== '.'))) {
    throw new StatementRefused(
      `${token.text.slice(0, 40)} is not possible here; as the name of a column it needs a table in front`,
    )
  }
  if (name === 'parallel' && next?.value === 'with') throw new StatementRefused('one statement at a time')
  if (name === 'system' && previous !== '.' && next?.text === '.') {
    const table = tokens[index + 2]?.value.toLowerCase() ?? ''
    if (!systemTables.has(table)) {
      throw new StatementRefused(`system.${table.slice(0, 60)} is not open to guests`)
    }
  }
  if (token.kind === 'word' && name === 'settings' && previous !== '.') checkSettingsClause(tokens, index + 1)
}

function checkSettingsClause(tokens: readonly SqlToken[], from: number): void {
  for (let at = from; tokens[at + 1]?.text === '='; at += 4) {
    const value = tokens[at + 2]
    checkSetting(tokens[at]!.value, (value?.text ?? '').replace(/^'|'$/g, ''))
    if (tokens[at + 3]?.text !== ',') return
  }
}

/** `INSERT INTO [TABLE] [db.]table [(columns)] [SETTINGS ...] FORMAT name`, and nothing behind it. */
function checkInsert(tokens: readonly SqlToken[], database: string): void {
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
    if (table?.text.replace(/[`"]/g, '') !== database) throw new StatementRefused('this is not your database')
    table = tokens[at + 1]
    at += 2
  }
  if (!telemetryTables.test(table?.text.replace(/[`"]/g, '') ?? '')) {
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
  while (word('settings')) {
    for (;;) {
      const name = tokens[at]
      if (name?.kind !== 'word' || tokens[at + 1]?.text !== '=') throw wrong('SETTINGS that are none')
      if (!ignoredSettings.test(name.value)) checkSetting(name.value, tokens[at + 2]?.text ?? '')
      at += 3
      if (tokens[at]?.text !== ',') break
      at += 1
    }
  }
  if (!word('format') || tokens[at]?.kind !== 'word') throw wrong('INSERT without FORMAT')
  if (tokens.length !== at + 1) throw wrong('something behind FORMAT')
}
