import { type SqlToken, StatementRefused } from './sql-tokens.ts'

/** Settings that change how an answer looks or how long it may take, and nothing else. */
const freeSettings =
  /^(?:output_format_(?!.*schema)\w+|date_time_output_format|max_result_rows|max_rows_to_read|max_bytes_to_read|result_overflow_mode|read_overflow_mode|max_block_size|max_threads|extremes|join_use_nulls|session_timezone|use_uncompressed_cache|optimize_read_in_order|prefer_column_name_to_alias|group_by_overflow_mode|max_rows_to_group_by)$/
/** Sent by clients on their own; they have no meaning here. */
const ignoredSettings =
  /^(?:async_insert|wait_for_async_insert|log_comment|insert_quorum|distributed_foreground_insert|insert_deduplicate|insert_deduplication_token|readonly|cancel_http_readonly_queries_on_client_close|http_headers_progress_interval_ms|allow_experimental_\w+|max_query_size|enable_\w+)$/
const maxExecutionSec = 60
/** More than that would be threads without cores. */
const maxThreads = 16

/** The settings of a request that reach the engine. Throws `StatementRefused` for one that a guest may not change. */
export function guardSettings(settings: ReadonlyMap<string, string>): Map<string, string> {
  const kept = new Map<string, string>()
  for (const [name, value] of settings) {
    if (!ignoredSettings.test(name)) kept.set(name, boundedSetting(name, value))
  }
  return kept
}

/** The value that the engine gets. Clients ask for minutes by habit: the bound holds instead. */
function boundedSetting(name: string, value: string): string {
  if (name === 'max_threads' && Number(value) > maxThreads) return String(maxThreads)
  if (freeSettings.test(name)) return value
  if (name === 'max_execution_time') {
    const seconds = Number(value)
    if (value.trim() !== '' && seconds >= 0) {
      return seconds > 0 && seconds < maxExecutionSec ? value : String(maxExecutionSec)
    }
    throw refusedSetting(
      `max_execution_time is ${value.slice(0, 20)}; expected seconds, of which ${maxExecutionSec} are granted at most`,
    )
  }
  throw refusedSetting(`the setting ${name.slice(0, 60)} cannot be changed here`)
}

const refusedSetting = (message: string) => new StatementRefused(message, 452, 'SETTING_CONSTRAINT_VIOLATION')

/**
 * `name = value, ...` from `at` on, each judged; gives what the engine gets instead and where it ends. `ignoring`: those without a meaning pass.
 * Every value is one token (a sign in front of a number is its own), so that nothing behind one is passed over.
 */
export function guardSettingsClause(
  tokens: readonly SqlToken[],
  at: number,
  ignoring: boolean,
): { kept: SqlToken[]; end: number } {
  const kept: SqlToken[] = []
  for (let end = at; ; end += 1) {
    const [name, equals, value] = tokens.slice(end, end + 3)
    const plain = value?.kind === 'number' || value?.kind === 'word' || value?.kind === 'string'
    if ((name?.kind !== 'word' && name?.kind !== 'name') || equals?.text !== '=' || !plain) {
      throw refusedSetting('SETTINGS are name = value, and a value is a number, a word or a string')
    }
    if (value.text.includes('\\'))
      throw refusedSetting(`the value of ${name.value.slice(0, 60)} has an escape in it`)
    if (!ignoring || !ignoredSettings.test(name.value)) {
      const given = value.kind === 'string' ? value.text.slice(1, -1) : value.text
      const bounded = boundedSetting(name.value, given)
      const text = bounded === given ? value.text : bounded
      kept.push(name, equals, { ...value, text, value: text })
    } else kept.push(name, equals, value)
    end += 3
    const next = tokens[end]
    if (next?.text === ',') {
      kept.push(next)
      continue
    }
    if (
      next === undefined ||
      next.text === ')' ||
      (next.kind === 'word' && /^(?:format|union|intersect|except)$/.test(next.value))
    ) {
      return { kept, end }
    }
    throw refusedSetting(`${next.text.slice(0, 40)} is not possible behind a setting`)
  }
}
