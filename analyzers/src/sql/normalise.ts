import { isPunctuation, isWord, type SqlToken, sqlTokens } from './tokens.ts'

const keywords = new Set(
  `SELECT FROM WHERE AND OR NOT IN IS NULL LIKE ILIKE BETWEEN EXISTS ANY ALL SOME AS ON USING JOIN LEFT RIGHT FULL INNER OUTER
  CROSS LATERAL NATURAL GROUP BY HAVING ORDER ASC DESC LIMIT OFFSET FETCH FOR UPDATE SHARE UNION EXCEPT INTERSECT DISTINCT INSERT
  INTO VALUES SET DELETE RETURNING WITH RECURSIVE CASE WHEN THEN ELSE END CREATE ALTER DROP TABLE INDEX TRUNCATE BEGIN COMMIT
  ROLLBACK SAVEPOINT RELEASE DECLARE CURSOR CLOSE MOVE CONFLICT DO NOTHING`.split(/\s+/),
)

/**
 * Statement with everything removed that differs between two calls of the same code: literals and placeholders are `?`, IN and
 * VALUES lists have one entry, comments and layout are gone, keywords are upper case. Idempotent.
 */
export function normaliseStatement(statement: string): string {
  return render(collapseLists(sqlTokens(statement).filter((token) => !isPunctuation(token, ';'))))
}

/** `IN (?, ?, ?)` to `IN (?)`, `VALUES (?, ?), (?, ?)` to `VALUES (?)`, `-?` to `?`. */
function collapseLists(tokens: readonly SqlToken[]): SqlToken[] {
  const out: SqlToken[] = []
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    if (token.kind === 'literal') while (isPunctuation(out.at(-1), '-') && isSignAfter(out.at(-2))) out.pop()
    out.push(token)
    if (isWord(token, 'IN')) i = collapseOne(tokens, i, out)
    else if (isWord(token, 'ARRAY') && isPunctuation(tokens[i + 1], '[')) i = collapseOne(tokens, i, out)
    else if (isWord(token, 'VALUES')) {
      i = collapseOne(tokens, i, out)
      while (isPunctuation(tokens[i + 1], ',') && isPunctuation(tokens[i + 2], '('))
        i = collapseOne(tokens, i + 1, null)
    }
  }
  return out
}

/** Whether a minus that comes after `before` is a sign; after a value it subtracts. */
const isSignAfter = (before: SqlToken | undefined) =>
  before === undefined ||
  (before.kind === 'punctuation' && before.text !== ')' && before.text !== ']') ||
  (before.kind === 'word' && keywords.has(before.text.toUpperCase()))

/** Writes the parenthesised list after `at` as `(?)` when it holds values only; returns the index of its last token. */
function collapseOne(tokens: readonly SqlToken[], at: number, out: SqlToken[] | null): number {
  const open = tokens[at + 1]
  if (!isPunctuation(open, '(') && !isPunctuation(open, '[')) return at
  let depth = 0
  let hasSubquery = false
  for (let i = at + 1; i < tokens.length; i++) {
    const token = tokens[i]!
    if (isPunctuation(token, '(') || isPunctuation(token, '[')) depth += 1
    if (isPunctuation(token, ')') || isPunctuation(token, ']')) depth -= 1
    if (isWord(token, 'SELECT')) hasSubquery = true
    if (depth > 0) continue
    if (hasSubquery) return at
    out?.push(open!, { kind: 'literal', text: '?' }, token)
    return i
  }
  // Truncated inside the list: the rest is values.
  out?.push(open!, { kind: 'literal', text: '?' })
  return tokens.length - 1
}

const glueBefore = new Set([',', ')', ']', '.', '::', '['])
const glueAfter = new Set(['(', '[', '.', '::'])

function render(tokens: readonly SqlToken[]): string {
  let text = ''
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    const before = tokens[i - 1]
    const isKeyword = token.kind === 'word' && keywords.has(token.text.toUpperCase())
    const shown = isKeyword
      ? token.text.toUpperCase()
      : token.kind === 'name'
        ? quoteIfNeeded(token.text)
        : token.text
    const call =
      isPunctuation(token, '(') && before?.kind === 'word' && !keywords.has(before.text.toUpperCase())
    const glued =
      before === undefined ||
      call ||
      (token.kind === 'punctuation' && glueBefore.has(token.text)) ||
      (before.kind === 'punctuation' && glueAfter.has(before.text))
    text += glued ? shown : ` ${shown}`
  }
  return text
}

/** Quoted names that need no quotes and plain ones are the same name; the others keep their quotes. */
const quoteIfNeeded = (name: string) =>
  /^[a-z_][a-z0-9_$]*$/.test(name) && !keywords.has(name.toUpperCase())
    ? name
    : `"${name.replaceAll('"', '""')}"`
