/** A statement that a guest may not run. `code` and `type` are ClickHouse's. */
export class StatementRefused extends Error {
  readonly code: number
  readonly type: string

  constructor(message: string, code = 497, type = 'ACCESS_DENIED') {
    super(message)
    this.code = code
    this.type = type
  }
}

/** `word`: bare name or keyword; `name`: a quoted name; `sign`: one character. */
export interface SqlToken {
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'sign'
  /** As it stands in the statement that is sent on; names are quoted anew from `value`. */
  readonly text: string
  /** Lower case for words; unquoted for names; as it stands for all others. */
  readonly value: string
}

const maxStatementChars = 8 * 1024 * 1024
/** A token is an object: what a guest sends must not take the memory that senders of telemetry need. */
const maxTokens = 200_000
const tooLong = new StatementRefused(
  `the statement is too long; ${maxStatementChars} characters and ${maxTokens} words and signs are the bound. A long list is one parameter, {list:Array(String)}`,
  62,
  'SYNTAX_ERROR',
)

const space = /[ \t\r\n\f\v]+|--[^\n]*|\/\/[^\n]*|#[ !][^\n]*/y
const word = /[A-Za-z_][A-Za-z0-9_]*/y
const number = /0x[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?(?:[pP][+-]?\d+)?|\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?/y

/**
 * Takes a statement apart, so that what the engine gets can be put together from the parts alone: comments are gone, and
 * nothing between the parts can mean something else to the engine's own reader. Throws `StatementRefused` for what is not
 * understood: here-documents, other quotation marks, unclosed quotes, escapes in quoted names.
 */
export function sqlTokens(sql: string): SqlToken[] {
  if (sql.length > maxStatementChars) throw tooLong
  if (sql.includes('\0')) throw new StatementRefused('a statement cannot hold a zero byte')
  const tokens: SqlToken[] = []
  let at = 0
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    const found = pattern.exec(sql)?.[0]
    if (found === undefined) return null
    at += found.length
    return found
  }
  while (at < sql.length) {
    if (tokens.length >= maxTokens) throw tooLong
    if (match(space) !== null) continue
    if (sql.startsWith('/*', at)) {
      const end = sql.indexOf('*/', at + 2)
      if (end === -1) throw new StatementRefused('the comment /* is not closed', 62, 'SYNTAX_ERROR')
      at = end + 2
      continue
    }
    let text = match(word)
    if (text !== null) {
      tokens.push({ kind: 'word', text, value: text.toLowerCase() })
      continue
    }
    text = match(number)
    if (text !== null) {
      // The engine reads `1file` as one name.
      if (/\w/.test(sql[at] ?? '')) throw new StatementRefused(`${text.slice(0, 20)}${sql[at]} is no number`)
      tokens.push({ kind: 'number', text, value: text })
      continue
    }
    const sign = sql[at]!
    if (sign === "'" || sign === '"' || sign === '`') {
      const end = endOfQuoted(sql, at)
      text = sql.slice(at, end)
      tokens.push(sign === "'" ? { kind: 'string', text, value: text } : quotedName(text))
      at = end
      continue
    }
    if (!/[-+*/%=<>!(),.;:?[\]|@^~&]/.test(sign)) {
      throw new StatementRefused(`the character ${JSON.stringify(sign)} is not possible here outside quotes`)
    }
    tokens.push({ kind: 'sign', text: sign, value: sign })
    at += 1
  }
  return tokens
}

const stops = { "'": /['\\]/g, '"': /["\\]/g, '`': /[`\\]/g }

/** Behind the closing quote. A backslash takes the next character with it, a doubled quote stands for itself. */
function endOfQuoted(sql: string, from: number): number {
  const quote = sql[from] as keyof typeof stops
  const stop = stops[quote]
  stop.lastIndex = from + 1
  for (;;) {
    const found = stop.exec(sql)
    if (found === null) throw new StatementRefused(`the character ${quote} opens what is not closed`)
    if (found[0] === '\\' || sql[found.index + 1] === quote) stop.lastIndex = found.index + 2
    else return found.index + 1
  }
}

/** The engine reads escapes in names (`\x69` is an i). Nobody needs them, and what is judged must be what is read. */
function quotedName(text: string): SqlToken {
  if (text.includes('\\')) {
    throw new StatementRefused(`${text.slice(0, 60)}: a quoted name cannot hold a backslash`)
  }
  const quote = text[0]!
  const value = text.slice(1, -1).replaceAll(quote + quote, quote)
  return { kind: 'name', text: `\`${value.replaceAll('`', '``')}\``, value }
}

// Signs that mean one thing together: a space between them would be another statement.
const joined = new Set(['<=', '>=', '!=', '<>', '==', '->', '||', '::', '=>', '@@'])

/** The statement again, from its parts. */
export function sqlOf(tokens: readonly SqlToken[]): string {
  let sql = ''
  let before: SqlToken | null = null
  for (const token of tokens) {
    const together =
      before !== null &&
      before.kind === 'sign' &&
      token.kind === 'sign' &&
      joined.has(before.text + token.text)
    // Behind a number a dot would be its own.
    const dotted = (token.text === '.' && before?.kind !== 'number') || before?.text === '.'
    sql += `${before === null || together || dotted ? '' : ' '}${token.text}`
    before = token
  }
  return sql
}
