/** Deeper documents are cut: `?`. */
const MAX_DEPTH = 8
/** Keys of one document that are named, and characters of the whole text. */
const MAX_KEYS = 64
const MAX_TEXT = 4096

/** What the driver or the server adds to every command, which says nothing about it. */
const IGNORED = new Set([
  'lsid',
  '$clusterTime',
  '$db',
  '$readPreference',
  'txnNumber',
  'autocommit',
  'startTransaction',
])

/**
 * A command with `?` for every value: field names and operators say what it does. An array of values is one `?`, so that
 * `$in` with 3 and with 300 ids is one text. Of a batch the first document speaks for all, as in the stock package.
 */
export function describeMongoCommand(command: object): string {
  const { documents, cursors } = command as { documents?: unknown; cursors?: unknown }
  const shown = partsOf(documents)?.[0] ?? cursors ?? command
  const text = shapeOf(shown, 0, MAX_TEXT)
  return text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text
}

/** Documents, updates or deletes of a batch: an array, or the driver's own sequence of them. */
export function partsOf(value: unknown): readonly unknown[] | undefined {
  const parts = Array.isArray(value) ? value : (value as { documents?: unknown } | undefined)?.documents
  return Array.isArray(parts) ? parts : undefined
}

function shapeOf(value: unknown, depth: number, room: number): string {
  if (typeof value !== 'object' || value === null || depth >= MAX_DEPTH || room <= 0) return '"?"'
  const parts = depth === 1 ? partsOf(value) : undefined
  if (parts !== undefined) return arrayShape(parts, depth, room)
  if (Array.isArray(value)) return arrayShape(value, depth, room)
  // ObjectId, Date, Decimal128, Buffer and the like are values, not documents.
  if (value instanceof Map) return documentShape([...value.entries()], depth, room)
  const prototype = Object.getPrototypeOf(value) as unknown
  if (prototype !== null && prototype !== Object.prototype) {
    if (value instanceof Date || ArrayBuffer.isView(value) || '_bsontype' in value || 'toJSON' in value)
      return '"?"'
  }
  return documentShape(Object.entries(value), depth, room)
}

function documentShape(
  entries: readonly (readonly [unknown, unknown])[],
  depth: number,
  room: number,
): string {
  let text = '{'
  let named = 0
  for (const [key, value] of entries) {
    if (typeof key !== 'string' || (depth === 0 && IGNORED.has(key)) || value === undefined) continue
    if (named >= MAX_KEYS || text.length >= room) break
    text += `${named > 0 ? ',' : ''}${JSON.stringify(key)}:${shapeOf(value, depth + 1, room - text.length)}`
    named++
  }
  return `${text}}`
}

/** Values count as one; documents stand with their shapes, equal neighbours once. */
function arrayShape(values: readonly unknown[], depth: number, room: number): string {
  let text = '['
  let last = ''
  for (const value of values) {
    if (text.length >= room) break
    const shape = shapeOf(value, depth + 1, room - text.length)
    if (shape === last) continue
    text += last === '' ? shape : `,${shape}`
    last = shape
  }
  return `${text}]`
}
