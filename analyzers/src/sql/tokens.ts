/** One piece of a statement. `text` of words keeps its spelling, of quoted names loses the quotes, of literals is `?`. */
export interface SqlToken {
  readonly kind: 'word' | 'name' | 'literal' | 'punctuation'
  readonly text: string
}

/** Statements are cut here: beyond it nothing that matters to grouping follows. */
export const maxStatementChars = 65_536

// Comments, quoted things and placeholders of PostgreSQL, MySQL, SQLite and SQL Server; the order decides between look-alikes.
const tokenPattern = new RegExp(
  [
    /(?<space>\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|#(?![>-])[^\n]*)/,
    /(?<literal>\$(?<tag>[A-Za-z_]*)\$[\s\S]*?(?:\$\k<tag>\$|$)|[EeNnBbXx]?'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|\$\d+|:[A-Za-z_]\w*|@\w+|\?(?![|&])|%s|(?:0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))/,
    /(?<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[A-Za-z_][\w ]*\])/,
    /(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/,
    /(?<punctuation>::|<>|!=|<=|>=|\|\||->>|->|#>>|#>|@>|<@|\?\||\?&|!~\*|!~|~\*|[\s\S])/,
  ]
    .map((part) => part.source)
    .join('|'),
  'g',
)

/** Splits a statement; comments and blanks disappear, literals and placeholders become `?`. Never throws. */
export function sqlTokens(statement: string): SqlToken[] {
  const tokens: SqlToken[] = []
  for (const match of statement.slice(0, maxStatementChars).matchAll(tokenPattern)) {
    const groups = match.groups!
    if (groups.space !== undefined) continue
    if (groups.literal !== undefined) tokens.push({ kind: 'literal', text: '?' })
    else if (groups.name !== undefined) tokens.push({ kind: 'name', text: unquote(groups.name) })
    else if (groups.word !== undefined) tokens.push({ kind: 'word', text: groups.word })
    else tokens.push({ kind: 'punctuation', text: groups.punctuation! })
  }
  return tokens
}

function unquote(name: string): string {
  const inner = name.slice(1, -1)
  return name[0] === '[' ? inner : inner.replaceAll(name[0]! + name[0]!, name[0]!)
}

export function isWord(token: SqlToken | undefined, ...words: readonly string[]): boolean {
  return token?.kind === 'word' && words.includes(token.text.toUpperCase())
}

export function isPunctuation(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === 'punctuation' && token.text === text
}
