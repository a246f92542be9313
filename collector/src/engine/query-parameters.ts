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

// Strings, quoted names and comments are passed over whole, so that a brace in them is not a placeholder.
const token =
  /'(?:[^'\\]|\\[\s\S]|'')*'|`(?:[^`\\]|\\[\s\S])*`|"(?:[^"\\]|\\[\s\S])*"|--[^\n]*|\/\*[\s\S]*?\*\/|\{\s*([A-Za-z_]\w*)\s*:\s*([^{}]+?)\s*\}/g

/** Throws `ParameterError` for a placeholder without a value. */
export function fillParameters(sql: string, parameters: ReadonlyMap<string, string>): string {
  if (!sql.includes('{')) return sql
  return sql.replace(token, (all: string, name: string | undefined, type: string | undefined) => {
    if (name === undefined || type === undefined) return all
    const raw = parameters.get(name)
    if (raw === undefined) throw new ParameterError(`Substitution \`${name}\` is not set`)
    if (type === 'Identifier') return sqlName(unescapeTsv(raw))
    if (raw === '\\N') return `_CAST(NULL, ${sqlString(type)})`
    // Arrays and tuples carry quoted elements with escapes of their own; only a bare value is TSV.
    // The engine casts text to an array of maps, but not to a map.
    if (/^Map\b/.test(type)) return `(_CAST(${sqlString(`[${raw}]`)}, ${sqlString(`Array(${type})`)})[1])`
    const value = /^(?:Array|Tuple|Nested)\b/.test(type) ? raw : unescapeTsv(raw)
    return `_CAST(${sqlString(value)}, ${sqlString(type)})`
  })
}
