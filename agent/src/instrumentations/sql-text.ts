/**
 * What a span says about a statement: the text without literals and comments, a summary of low cardinality
 * (`SELECT products`), and the operation. One pass over the text, no parser: it has to be right about where literals end,
 * not about grammar.
 */
export interface SqlText {
  /** Literals as `?`, placeholders kept, comments gone, white space folded. */
  readonly text: string
  /** `{operation} {target} {operation} {target} ...`, at most 255 characters. */
  readonly summary: string
  readonly operation: string
  /** The text had literals, so that its own values belong to the parameters. */
  readonly hasLiterals: boolean
}

/** Where literals and comments end differs between servers. */
export type SqlDialect = 'postgresql' | 'mysql'

/** Longer statements are cut before they are read. */
export const MAX_SQL_LENGTH = 8192
const MAX_SUMMARY_LENGTH = 255

const OPERATIONS = new Set([
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'MERGE',
  'CREATE',
  'ALTER',
  'DROP',
  'TRUNCATE',
  'BEGIN',
  'START',
  'COMMIT',
  'ROLLBACK',
  'SAVEPOINT',
  'RELEASE',
  'SET',
  'SHOW',
  'COPY',
  'EXPLAIN',
  'ANALYZE',
  'VACUUM',
  'LISTEN',
  'NOTIFY',
  'UNLISTEN',
  'DECLARE',
  'FETCH',
  'CLOSE',
  'PREPARE',
  'EXECUTE',
  'DEALLOCATE',
  'DISCARD',
  'LOCK',
  'REFRESH',
  'REINDEX',
  'GRANT',
  'REVOKE',
  'CALL',
  'VALUES',
  'TABLE',
  'REPLACE',
  'USE',
  'DESCRIBE',
  'KILL',
  'OPTIMIZE',
])

/** Words behind which a table name stands. */
const BEFORE_TARGET = new Set([
  'FROM',
  'INTO',
  'UPDATE',
  'JOIN',
  'TABLE',
  'USING',
  'COPY',
  'TRUNCATE',
  'CALL',
  'VIEW',
])
const NOT_A_TARGET = new Set([
  'ONLY',
  'IF',
  'EXISTS',
  'NOT',
  'LATERAL',
  'CONCURRENTLY',
  'MATERIALIZED',
  'TABLE',
  'VIEW',
])
const IN_SUMMARY = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE'])

const isWordStart = (unit: number): boolean =>
  (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || unit === 95 || unit > 127
const isDigit = (unit: number): boolean => unit >= 48 && unit <= 57
const isWord = (unit: number): boolean => isWordStart(unit) || isDigit(unit) || unit === 36
const isSpace = (unit: number): boolean => unit === 32 || (unit >= 9 && unit <= 13)

/**
 * Scrubs and summarises a statement. In MySQL a backslash escapes, double quotes hold text (also where `ANSI_QUOTES` makes them
 * names: those are scrubbed then), backticks hold names, `#` begins a comment, and `$` is a letter.
 */
export function describeSql(sql: string, dialect: SqlDialect = 'postgresql'): SqlText {
  const isMysql = dialect === 'mysql'
  const whole = sql.length > MAX_SQL_LENGTH ? sql.slice(0, MAX_SQL_LENGTH) : sql
  let text = ''
  let hasLiterals = false
  let space = false
  const words: string[] = []
  let at = 0
  const put = (part: string): void => {
    if (space && text !== '') text += ' '
    space = false
    text += part
  }
  const literal = (end: number): void => {
    hasLiterals = true
    put('?')
    at = end
  }
  while (at < whole.length) {
    const unit = whole.charCodeAt(at)
    const next = whole.charCodeAt(at + 1)
    if (isSpace(unit)) {
      space = true
      at++
    } else if ((unit === 45 && next === 45) || (isMysql && unit === 35)) {
      at = endOfLine(whole, at)
      space = true
    } else if (unit === 47 && next === 42) {
      at = endOfComment(whole, at, !isMysql)
      space = true
    } else if (unit === 39) {
      literal(endOfString(whole, at, 39, isMysql))
    } else if (isMysql && unit === 34) {
      literal(endOfString(whole, at, 34, true))
    } else if ((unit === 69 || unit === 101) && next === 39) {
      literal(endOfString(whole, at + 1, 39, true))
    } else if (
      (unit === 66 || unit === 98 || unit === 88 || unit === 120 || unit === 78 || unit === 110) &&
      next === 39
    ) {
      literal(endOfString(whole, at + 1, 39, isMysql))
    } else if (unit === 34 || (isMysql && unit === 96)) {
      const end = endOfQuoted(whole, at, unit)
      put(whole.slice(at, end))
      words.push(whole.slice(at, end))
      at = end
    } else if (unit === 36 && !isMysql) {
      const dollar = endOfDollar(whole, at)
      if (dollar > 0) literal(dollar)
      else {
        let end = at + 1
        while (end < whole.length && isDigit(whole.charCodeAt(end))) end++
        put(whole.slice(at, end))
        at = end
      }
    } else if (isDigit(unit) || (unit === 46 && isDigit(next))) {
      let end = at + 1
      while (end < whole.length && /[0-9a-zA-Z_.]/.test(whole[end]!)) {
        const exponent = whole[end] === 'e' || whole[end] === 'E'
        end += exponent && (whole[end + 1] === '-' || whole[end + 1] === '+') ? 2 : 1
      }
      literal(end)
    } else if (isWordStart(unit)) {
      let end = at + 1
      while (end < whole.length && isWord(whole.charCodeAt(end))) end++
      const word = whole.slice(at, end)
      put(word)
      words.push(word)
      at = end
    } else {
      put(whole[at]!)
      words.push(whole[at]!)
      at++
    }
  }
  const { summary, operation } = summarise(words)
  return { text, summary, operation, hasLiterals }
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

/** PostgreSQL nests block comments, MySQL does not. */
function endOfComment(text: string, at: number, nests: boolean): number {
  if (!nests) {
    const end = text.indexOf('*/', at + 2)
    return end < 0 ? text.length : end + 2
  }
  let depth = 0
  for (let i = at; i < text.length; i++) {
    if (text[i] === '/' && text[i + 1] === '*') {
      depth++
      i++
    } else if (text[i] === '*' && text[i + 1] === '/') {
      depth--
      i++
      if (depth === 0) return i + 1
    }
  }
  return text.length
}

function endOfString(text: string, at: number, quote: number, backslashes: boolean): number {
  for (let i = at + 1; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (backslashes && unit === 92) i++
    else if (unit === quote) {
      if (text.charCodeAt(i + 1) !== quote) return i + 1
      i++
    }
  }
  return text.length
}

function endOfQuoted(text: string, at: number, quote: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text.charCodeAt(i) === quote) {
      if (text.charCodeAt(i + 1) !== quote) return i + 1
      i++
    }
  }
  return text.length
}

/** End of a dollar-quoted string that begins at `at`, or 0. */
function endOfDollar(text: string, at: number): number {
  let end = at + 1
  while (end < text.length && text[end] !== '$') {
    const unit = text.charCodeAt(end)
    if (!isWord(unit) || (end === at + 1 && isDigit(unit))) return 0
    end++
  }
  if (end >= text.length) return 0
  const tag = text.slice(at, end + 1)
  const close = text.indexOf(tag, end + 1)
  return close < 0 ? text.length : close + tag.length
}

function summarise(words: readonly string[]): { summary: string; operation: string } {
  let operation = ''
  let summary = ''
  const push = (part: string): void => {
    if (summary.length + part.length + 1 > MAX_SUMMARY_LENGTH) return
    summary += summary === '' ? part : ` ${part}`
  }
  for (let i = 0; i < words.length; i++) {
    const upper = words[i]!.toUpperCase()
    if (OPERATIONS.has(upper) && (operation === '' || IN_SUMMARY.has(upper))) {
      // `FOR UPDATE`, `DO UPDATE`, `ON DELETE`: not operations of their own.
      const before = words[i - 1]?.toUpperCase()
      if (operation !== '' && (before === 'FOR' || before === 'DO' || before === 'ON' || before === 'KEY'))
        continue
      if (operation === '') operation = upper
      push(upper)
    }
    // Before the first operation stands WITH: the names of its parts are no tables.
    if (!BEFORE_TARGET.has(upper) || operation === '') continue
    // `extract(year FROM x)` and `IS DISTINCT FROM`: no table behind it.
    if (upper === 'FROM' && words[i - 1]?.toUpperCase() === 'DISTINCT') continue
    if (upper === 'USING' && operation !== 'DELETE' && operation !== 'MERGE') continue
    let from = i + 1
    while (NOT_A_TARGET.has(words[from]?.toUpperCase() ?? '')) from++
    const name = tableName(words, from)
    if (name !== '') push(name)
  }
  return { summary: summary === '' ? (operation === '' ? 'SQL' : operation) : summary, operation }
}

/** `schema.table`, quoted or not, at `from`; empty for a subquery. */
function tableName(words: readonly string[], from: number): string {
  let name = ''
  for (let i = from; i < words.length; i++) {
    const word = words[i]!
    const unit = word.charCodeAt(0)
    const isQuoted = unit === 34 || unit === 96
    if (!isQuoted && !isWordStart(unit)) break
    if (i === from && OPERATIONS.has(word.toUpperCase())) return ''
    name += isQuoted ? word.slice(1, -1).replaceAll(word[0]! + word[0]!, word[0]!) : word
    if (words[i + 1] !== '.') break
    name += '.'
    i++
  }
  return name.endsWith('.') ? name.slice(0, -1) : name
}
