import { isPunctuation, isWord, type SqlToken, sqlTokens } from './tokens.ts'

/** A column that a statement filters or joins by. */
export interface PredicateColumn {
  readonly table: string
  readonly column: string
  readonly kind: 'equality' | 'range' | 'pattern'
  /** Compared with a value (not with another column), so that an index on it narrows the rows at once. */
  readonly withValue: boolean
}

/** What the fix text and the guards need to know of a statement. Reading is by tokens: good for advice, not a parser. */
export interface StatementDescription {
  readonly verb: string
  /** `read` SELECT without locks, `write` DML or locking reads, `control` transactions, cursors, session, `ddl` the schema. */
  readonly kind: 'read' | 'write' | 'control' | 'ddl' | 'unknown'
  /** In order of appearance, without aliases. */
  readonly tables: readonly string[]
  readonly predicates: readonly PredicateColumn[]
  readonly orderBy: readonly PredicateColumn[]
  readonly hasLimit: boolean
  readonly hasOffset: boolean
  /** LIMIT with a comparison on a key: the next page of a keyset pagination. */
  readonly isPage: boolean
  readonly isTruncated: boolean
}

const ddlVerbs = [
  'CREATE',
  'ALTER',
  'DROP',
  'TRUNCATE',
  'REINDEX',
  'VACUUM',
  'ANALYZE',
  'CLUSTER',
  'GRANT',
  'REVOKE',
  'COPY',
  'REFRESH',
  'COMMENT',
]
const controlVerbs = [
  'BEGIN',
  'START',
  'COMMIT',
  'END',
  'ROLLBACK',
  'ABORT',
  'SAVEPOINT',
  'RELEASE',
  'SET',
  'RESET',
  'SHOW',
  'DECLARE',
  'FETCH',
  'MOVE',
  'CLOSE',
  'DEALLOCATE',
  'PREPARE',
  'EXECUTE',
  'DISCARD',
  'LISTEN',
  'UNLISTEN',
  'NOTIFY',
  'LOCK',
  'CONNECT',
  'USE',
  'PING',
  'EXPLAIN',
]
const clauseEnds = [
  'GROUP',
  'ORDER',
  'LIMIT',
  'OFFSET',
  'HAVING',
  'RETURNING',
  'UNION',
  'FETCH',
  'FOR',
  'WINDOW',
]
const notAliases = [
  'WHERE',
  'ON',
  'USING',
  'SET',
  'JOIN',
  'LEFT',
  'RIGHT',
  'FULL',
  'INNER',
  'CROSS',
  'NATURAL',
  'VALUES',
  'SELECT',
  'DEFAULT',
  'AS',
  ...clauseEnds,
]

export function describeStatement(statement: string): StatementDescription {
  const tokens = sqlTokens(statement)
  const verb = tokens.find((token) => token.kind === 'word')?.text.toUpperCase() ?? ''
  const has = (...words: string[]) => tokens.some((token) => isWord(token, ...words))
  const hasLimit = has('LIMIT') || (has('FETCH') && has('FIRST', 'NEXT'))
  const hasOffset = has('OFFSET')
  const aliases = tableAliases(tokens)
  const predicates = predicateColumns(tokens, aliases)
  return {
    verb,
    kind: kindOf(verb, tokens),
    tables: [...new Set(aliases.map((entry) => entry.table))],
    predicates,
    orderBy: orderColumns(tokens, aliases),
    hasLimit,
    hasOffset,
    isPage:
      hasLimit && (hasOffset || (has('ORDER') && predicates.some((predicate) => predicate.kind === 'range'))),
    isTruncated: /\.\.\.\s*$/.test(statement),
  }
}

function kindOf(verb: string, tokens: readonly SqlToken[]): StatementDescription['kind'] {
  if (ddlVerbs.includes(verb)) return 'ddl'
  if (controlVerbs.includes(verb)) return 'control'
  if (tokens.some((token) => isWord(token, 'INSERT', 'DELETE', 'MERGE', 'REPLACE', 'CALL'))) return 'write'
  if (tokens.some((token) => isWord(token, 'UPDATE'))) return 'write'
  if (verb === 'SELECT' || verb === 'WITH' || verb === 'VALUES' || verb === 'TABLE') {
    if (tokens.some((token, i) => isWord(token, 'FOR') && isWord(tokens[i + 1], 'SHARE', 'NO', 'KEY')))
      return 'write'
    // `SELECT 1` and the like: no table, asked to see whether the connection lives.
    return tokens.some((token) => isWord(token, 'FROM')) || tokens.length > 4 ? 'read' : 'control'
  }
  return 'unknown'
}

interface Alias {
  readonly table: string
  readonly alias: string
}

function tableAliases(tokens: readonly SqlToken[]): Alias[] {
  const found: Alias[] = []
  const withNames = new Set<string>()
  for (let i = 0; i < tokens.length; i++) {
    const name = tokens[i]!
    if (
      isName(name) &&
      isWord(tokens[i + 1], 'AS') &&
      isPunctuation(tokens[i + 2], '(') &&
      isWord(tokens[i + 3], 'SELECT')
    )
      withNames.add(name.text)
    if (!isWord(name, 'FROM', 'JOIN', 'INTO', 'UPDATE')) continue
    let at = i
    do {
      at = readTable(tokens, at + 1, found, withNames)
      if (found.at(-1) === undefined) break
    } while (isWord(name, 'FROM') && isPunctuation(tokens[at], ','))
  }
  return found
}

/** Reads `schema.table [AS] alias` at `at`; returns the index after it. */
function readTable(
  tokens: readonly SqlToken[],
  at: number,
  found: Alias[],
  withNames: ReadonlySet<string>,
): number {
  let i = at
  while (isWord(tokens[i], 'ONLY', 'LATERAL')) i += 1
  if (!isName(tokens[i])) return i
  let table = tokens[i]!.text
  i += 1
  while (isPunctuation(tokens[i], '.') && isName(tokens[i + 1])) {
    table = `${table}.${tokens[i + 1]!.text}`
    i += 2
  }
  // A function in FROM (unnest, generate_series) is no table.
  if (isPunctuation(tokens[i], '(') && !isWord(tokens[at - 1], 'INTO')) return i
  if (isWord(tokens[i], 'AS')) i += 1
  let alias = table.slice(table.lastIndexOf('.') + 1)
  if (isName(tokens[i]) && !isWord(tokens[i], ...notAliases)) alias = tokens[i++]!.text
  if (!withNames.has(table)) found.push({ table, alias })
  return i
}

const isName = (token: SqlToken | undefined): token is SqlToken =>
  token?.kind === 'word' || token?.kind === 'name'

const comparisons: Record<string, PredicateColumn['kind']> = {
  '=': 'equality',
  '<': 'range',
  '>': 'range',
  '<=': 'range',
  '>=': 'range',
  '~': 'pattern',
  '~*': 'pattern',
}

function predicateColumns(tokens: readonly SqlToken[], aliases: readonly Alias[]): PredicateColumn[] {
  const found: PredicateColumn[] = []
  let inPredicate = false
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    if (isWord(token, 'WHERE', 'ON')) inPredicate = true
    else if (isWord(token, 'SELECT', 'FROM', 'SET', 'VALUES', ...clauseEnds)) inPredicate = false
    if (!inPredicate || !isName(token) || isPunctuation(tokens[i - 1], '.')) continue
    const column = columnAt(tokens, i)
    if (column === undefined) continue
    const kind = comparisonAt(tokens, column.next) ?? (isJoinSide(tokens, i) ? 'equality' : undefined)
    if (kind !== undefined) addColumn(found, column, kind, isComparedWithValue(tokens, column.next), aliases)
    i = column.next - 1
  }
  return found
}

/** `u.id` on the right of `a.user_id = u.id` is a predicate of u as much. */
const isJoinSide = (tokens: readonly SqlToken[], at: number) =>
  isPunctuation(tokens[at - 1], '=') && isPunctuation(tokens[at + 1], '.')

function comparisonAt(tokens: readonly SqlToken[], at: number): PredicateColumn['kind'] | undefined {
  let i = at
  while (isPunctuation(tokens[i], '::') && isName(tokens[i + 1])) i += 2
  const token = tokens[i]
  if (token?.kind === 'punctuation') return comparisons[token.text]
  if (isWord(token, 'IN')) return 'equality'
  if (isWord(token, 'BETWEEN')) return 'range'
  if (isWord(token, 'LIKE', 'ILIKE', 'SIMILAR')) return 'pattern'
  return undefined
}

/** After the comparison come a literal, a list of them, `ANY(?)` or `(SELECT`: anything but another column. */
function isComparedWithValue(tokens: readonly SqlToken[], at: number): boolean {
  const after = tokens.slice(at, at + 8)
  const value = after.findIndex((token) => token.kind === 'literal')
  const column = after.findIndex((token, i) => isName(token) && isPunctuation(after[i + 1], '.'))
  return value !== -1 && (column === -1 || value < column)
}

interface ColumnAt {
  readonly qualifier: string
  readonly column: string
  readonly next: number
}

function columnAt(tokens: readonly SqlToken[], at: number): ColumnAt | undefined {
  if (
    isWord(
      tokens[at],
      'AND',
      'OR',
      'NOT',
      'NULL',
      'IS',
      'IN',
      'EXISTS',
      'ANY',
      'ALL',
      'TRUE',
      'FALSE',
      'CASE',
      'WHEN',
      'THEN',
      'ELSE',
      'END',
      'WHERE',
      'ON',
      'BETWEEN',
      'LIKE',
      'ILIKE',
      'AS',
      'ASC',
      'DESC',
      'NULLS',
      'BY',
    )
  )
    return undefined
  if (isPunctuation(tokens[at + 1], '(')) return undefined
  if (isPunctuation(tokens[at + 1], '.') && isName(tokens[at + 2]))
    return { qualifier: tokens[at]!.text, column: tokens[at + 2]!.text, next: at + 3 }
  return { qualifier: '', column: tokens[at]!.text, next: at + 1 }
}

function addColumn(
  found: PredicateColumn[],
  { qualifier, column }: ColumnAt,
  kind: PredicateColumn['kind'],
  withValue: boolean,
  aliases: readonly Alias[],
): void {
  const owner =
    qualifier === ''
      ? aliases.length === 1
        ? aliases[0]
        : undefined
      : aliases.find((a) => a.alias === qualifier)
  const table = owner?.table ?? (qualifier === '' && aliases[0] !== undefined ? aliases[0].table : '')
  if (table === '' || found.some((known) => known.table === table && known.column === column)) return
  found.push({ table, column, kind, withValue })
}

function orderColumns(tokens: readonly SqlToken[], aliases: readonly Alias[]): PredicateColumn[] {
  const found: PredicateColumn[] = []
  const at = tokens.findLastIndex((token, i) => isWord(token, 'ORDER') && isWord(tokens[i + 1], 'BY'))
  if (at === -1) return found
  for (let i = at + 2; i < tokens.length && !isWord(tokens[i], ...clauseEnds); i++) {
    if (!isName(tokens[i])) continue
    const column = columnAt(tokens, i)
    if (column === undefined) continue
    addColumn(found, column, 'range', false, aliases)
    i = column.next - 1
  }
  return found
}

/**
 * Columns of the index that would serve the statement's predicates: equality columns first, then one range or order column. Null when it
 * filters by no column of a known table, only by patterns, or only by a column called `id` (the key that is indexed already).
 */
export function indexColumns(description: StatementDescription): { table: string; columns: string[] } | null {
  const usable = description.predicates.filter((predicate) => predicate.kind !== 'pattern')
  const leading =
    usable.find((p) => p.withValue && p.kind === 'equality' && p.column !== 'id') ??
    usable.find((p) => p.withValue && p.kind === 'range') ??
    usable.find((p) => p.kind === 'equality' && p.column !== 'id')
  if (leading === undefined) return null
  const { table } = leading
  const mine = usable.filter((p) => p.table === table && (p.withValue || p === leading))
  const columns = mine.filter((p) => p.kind === 'equality').map((p) => p.column)
  const range = mine.find((p) => p.kind === 'range')
  const order = description.hasLimit ? description.orderBy.find((p) => p.table === table) : undefined
  const tail = range ?? order
  if (tail !== undefined && !columns.includes(tail.column)) columns.push(tail.column)
  return { table, columns }
}
