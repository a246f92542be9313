/**
 * ClickHouse query parameters, `{name:Type}`, filled in the way the server does it: the HTTP value is TSV-escaped text, the
 * placeholder becomes a typed constant. Done here and not by the library, whose parameters are not isolated between
 * connections and therefore run one query at a time.
 */
export class ParameterError extends Error {
  readonly clickhouseCode = 456
  readonly clickhouseType = 'UNKNOWN_QUERY_PARAMETER'
}

/** SQL string literal. */
export function sqlString(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&').replace(/\0/g, '\\0').replace(/\n/g, '\\n')}'`
}

/** SQL name in back quotes. */
export function sqlName(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``
}

const tsvEscapes: Record<string, string> = {
  b: '\b',
  f: '\f',
  r: '\r',
  n: '\n',
  t: '\t',
  '0': '\0',
  "'": "'",
  '\\': '\\',
}

/** Undoes TSV escaping of one field. */
export function unescapeTsv(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\(x[0-9a-fA-F]{2}|[\s\S])/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (tsvEscapes[code] ?? code),
  )
}

// Strings, quoted names and comments are passed over whole, so that a brace in them is not a placeholder. By hand and not by one expression: a
// guest chooses the text, and what does not close must not be looked at from every character anew.
const notable = /['"`{]|--|\/[*/]|#[ !]/g
const placeholder = /\{\s*([A-Za-z_]\w*)\s*:([^{}]*)\}/y
const stops: Record<string, RegExp> = { "'": /['\\]/g, '"': /["\\]/g, '`': /[`\\]/g }

/** Behind what begins at `from`: a string, a quoted name or a comment; the end of the statement when it does not close. */
function endOf(sql: string, from: number): number {
  const first = sql[from]!
  const stop = stops[first]
  if (stop === undefined) {
    const close = sql.startsWith('/*', from) ? '*/' : '\n'
    const end = sql.indexOf(close, from + 2)
    return end === -1 ? sql.length : end + close.length
  }
  stop.lastIndex = from + 1
  for (;;) {
    const found = stop.exec(sql)
    if (found === null) return sql.length
    if (found[0] === first) return found.index + 1
    stop.lastIndex = found.index + 2
  }
}

/** Throws `ParameterError` for a placeholder without a value. */
export function fillParameters(sql: string, parameters: ReadonlyMap<string, string>): string {
  if (!sql.includes('{')) return sql
  const parts: string[] = []
  let taken = 0
  notable.lastIndex = 0
  for (let found = notable.exec(sql); found !== null; found = notable.exec(sql)) {
    if (found[0] !== '{') {
      notable.lastIndex = endOf(sql, found.index)
      continue
    }
    placeholder.lastIndex = found.index
    const [all, name, type] = placeholder.exec(sql) ?? []
    if (all === undefined || name === undefined || type === undefined || type.trim() === '') continue
    parts.push(sql.slice(taken, found.index), constantOf(name, type.trim(), parameters))
    taken = found.index + all.length
    notable.lastIndex = taken
  }
  return parts.join('') + sql.slice(taken)
}

function constantOf(name: string, type: string, parameters: ReadonlyMap<string, string>): string {
  const raw = parameters.get(name)
  if (raw === undefined) throw new ParameterError(`Substitution \`${name}\` is not set`)
  if (type === 'Identifier') return sqlName(unescapeTsv(raw))
  if (raw === '\\N') return `_CAST(NULL, ${sqlString(type)})`
  // The engine casts text to an array of maps, but not to a map.
  if (/^Map\b/.test(type)) return `(_CAST(${sqlString(`[${raw}]`)}, ${sqlString(`Array(${type})`)})[1])`
  // Arrays and tuples carry quoted elements with escapes of their own; only a bare value is TSV.
  const value = /^(?:Array|Tuple|Nested)\b/.test(type) ? raw : unescapeTsv(raw)
  return `_CAST(${sqlString(value)}, ${sqlString(type)})`
}
