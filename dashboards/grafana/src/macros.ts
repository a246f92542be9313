/**
 * The macros and variables of Grafana's ClickHouse datasource (4.x), expanded as Grafana would, so that a dashboard's queries
 * run without a Grafana. Order: `$__conditionalAll`, then variables, then the time macros, which the plugin's server part does.
 */
export interface MacroScope {
  /** Epoch ms of the dashboard's time range. */
  readonly fromMs: number
  readonly toMs: number
  /** Width of one point, seconds; below 1 counts as 1, as in the plugin. */
  readonly intervalSec: number
  /** Value of every variable; `allOf` is a variable set to "All" with these options. */
  readonly variables: Readonly<Record<string, VariableValue>>
}

export type VariableValue = string | readonly string[] | { readonly allOf: readonly string[] }

/** A query that Grafana could not expand either: an unknown macro or variable, or a wrong number of arguments. */
export class MacroError extends Error {
  readonly code = 'HS_DASHBOARD_MACRO'

  constructor(message: string) {
    super(message)
    this.name = 'MacroError'
  }
}

/** SQL without macros and variables. Throws `MacroError`. */
export function expandMacros(sql: string, scope: MacroScope): string {
  const conditioned = replaceCalls(sql, 'conditionalAll', (args) => conditionalAll(args, scope))
  return expandTimeMacros(expandVariables(conditioned, scope), scope)
}

/** Names of the variables in a query or a panel's text, Grafana's own (`__...`) left out. */
export function variablesIn(text: string): Set<string> {
  const names = new Set<string>()
  for (const [, braced, plain] of text.matchAll(variablePattern)) {
    const name = braced ?? plain!
    if (!name.startsWith('__')) names.add(name)
  }
  return names
}

/** `${name}`, `${name:format}`, `$name`. */
const variablePattern = /\$\{(\w+)(?:\.[\w.]+)?(?::\w+)?\}|\$([a-zA-Z]\w*)/g

function conditionalAll(args: readonly string[], scope: MacroScope): string {
  const [condition, variable] = args
  if (condition === undefined || variable === undefined || args.length !== 2) {
    throw new MacroError(`$__conditionalAll takes a condition and a variable, got ${args.length} arguments`)
  }
  const name = /^\$\{?(\w+)(?::\w+)?\}?$/.exec(variable.trim())?.[1]
  if (name === undefined) throw new MacroError(`$__conditionalAll: ${variable.trim()} is not a variable`)
  const value = variableValue(name, scope)
  const everything = value === '' || (typeof value === 'object' && 'allOf' in value)
  return everything ? '1=1' : condition.trim()
}

function variableValue(name: string, scope: MacroScope): VariableValue {
  const value = scope.variables[name]
  if (value === undefined) {
    const known = Object.keys(scope.variables).join(', ')
    throw new MacroError(`variable $${name} is not defined; there are ${known === '' ? 'none' : known}`)
  }
  return value
}

function expandVariables(sql: string, scope: MacroScope): string {
  return sql.replace(
    /\$\{(\w+)(?::(\w+))?\}|\$([a-zA-Z]\w*)/g,
    (_, braced: string | undefined, format: string | undefined, plain: string | undefined) => {
      const name = braced ?? plain!
      return formatValue(variableValue(name, scope), format ?? 'glob', name)
    },
  )
}

function formatValue(value: VariableValue, format: string, name: string): string {
  const list = typeof value === 'string' ? [value] : 'allOf' in value ? value.allOf : value
  switch (format) {
    case 'glob':
      return list.length === 1 ? list[0]! : `{${list.join(',')}}`
    case 'raw':
    case 'csv':
      return list.join(',')
    case 'pipe':
      return list.join('|')
    case 'singlequote':
      return list.map((item) => `'${item.replaceAll("'", "\\'")}'`).join(',')
    case 'doublequote':
      return list.map((item) => `"${item.replaceAll('"', '\\"')}"`).join(',')
    case 'sqlstring':
      return list.map((item) => `'${item.replaceAll("'", "''")}'`).join(',')
    default:
      throw new MacroError(
        `format ${format} of variable $${name} is not one of glob, raw, csv, pipe, singlequote, doublequote, sqlstring`,
      )
  }
}

const dateTime = (ms: number): string => `toDateTime(${Math.floor(ms / 1000)})`
const dateTime64 = (ms: number): string => `fromUnixTimestamp64Milli(${Math.floor(ms)})`
const date = (ms: number): string => `toDate('${new Date(ms).toISOString().slice(0, 10)}')`
const between = (column: string, low: string, high: string): string =>
  `${column} >= ${low} AND ${column} <= ${high}`

type Macro = (scope: MacroScope, args: readonly string[]) => string

/** Macros with the number of arguments they take. */
const macros: Readonly<Record<string, readonly [arity: number, expand: Macro]>> = {
  timeFilter: [1, ({ fromMs, toMs }, [column]) => between(column!, dateTime(fromMs), dateTime(toMs))],
  timeFilter_ms: [1, ({ fromMs, toMs }, [column]) => between(column!, dateTime64(fromMs), dateTime64(toMs))],
  dateFilter: [1, ({ fromMs, toMs }, [column]) => between(column!, date(fromMs), date(toMs))],
  dateTimeFilter: [2, dateTimeFilter],
  dt: [2, dateTimeFilter],
  timeInterval: [
    1,
    (scope, [column]) => `toStartOfInterval(toDateTime(${column}), INTERVAL ${seconds(scope)} second)`,
  ],
  timeInterval_ms: [
    1,
    (scope, [column]) =>
      `toStartOfInterval(toDateTime64(${column}, 3), INTERVAL ${Math.max(1, Math.floor(scope.intervalSec * 1000))} millisecond)`,
  ],
  interval_s: [0, (scope) => String(seconds(scope))],
  fromTime: [0, ({ fromMs }) => dateTime(fromMs)],
  toTime: [0, ({ toMs }) => dateTime(toMs)],
  fromTime_ms: [0, ({ fromMs }) => dateTime64(fromMs)],
  toTime_ms: [0, ({ toMs }) => dateTime64(toMs)],
}

function seconds(scope: MacroScope): number {
  return Math.max(1, Math.floor(scope.intervalSec))
}

function dateTimeFilter({ fromMs, toMs }: MacroScope, [day, time]: readonly string[]): string {
  return `(${between(day!, date(fromMs), date(toMs))}) AND (${between(time!, dateTime(fromMs), dateTime(toMs))})`
}

function expandTimeMacros(sql: string, scope: MacroScope): string {
  let out = sql
  for (const [name, [arity, expand]] of Object.entries(macros)) {
    out = replaceCalls(out, name, (args) => {
      if (args.length !== arity) {
        throw new MacroError(`$__${name} takes ${arity} arguments, got ${args.length}`)
      }
      return expand(scope, args)
    })
  }
  const left = /\$__\w+/.exec(out)
  if (left !== null) throw new MacroError(`${left[0]} is not a macro of the ClickHouse datasource`)
  return out
}

/** Replaces every `$__name` with its arguments; parentheses and quotes inside them are balanced. */
function replaceCalls(sql: string, name: string, expand: (args: string[]) => string): string {
  const pattern = new RegExp(`\\$__${name}(?!\\w)`, 'g')
  let out = ''
  let from = 0
  for (let match = pattern.exec(sql); match !== null; match = pattern.exec(sql)) {
    const afterName = match.index + match[0].length
    const call = readArguments(sql, afterName)
    out += sql.slice(from, match.index) + expand(call.args)
    from = call.end
    pattern.lastIndex = call.end
  }
  return out + sql.slice(from)
}

function readArguments(sql: string, at: number): { args: string[]; end: number } {
  if (sql[at] !== '(') return { args: [], end: at }
  const args: string[] = []
  let depth = 0
  let quote = ''
  let start = at + 1
  for (let i = at; i < sql.length; i++) {
    const char = sql[i]!
    if (quote !== '') {
      if (char === '\\') i++
      else if (char === quote) quote = ''
    } else if (char === "'" || char === '"' || char === '`') quote = char
    else if (char === '(') depth++
    else if (char === ',' && depth === 1) {
      args.push(sql.slice(start, i).trim())
      start = i + 1
    } else if (char === ')' && --depth === 0) {
      const last = sql.slice(start, i).trim()
      if (last !== '' || args.length > 0) args.push(last)
      return { args, end: i + 1 }
    }
  }
  throw new MacroError(`no closing parenthesis after ${sql.slice(Math.max(0, at - 20), at + 20)}`)
}
