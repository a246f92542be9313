import { type AnyValue, attr, type KeyValue } from '@hotspan/otlp'

/** More attributes of one record are left out and counted. */
const MAX_ATTRIBUTES = 128
const MAX_DEPTH = 8
/** UTF-16 units of one text. */
const MAX_TEXT = 16_384

/** Any value of the app as OTLP has it; functions, symbols and cycles become nothing. */
export function anyValue(value: unknown, depth = 0): AnyValue {
  switch (typeof value) {
    case 'string':
      return value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value
    case 'boolean':
      return value
    case 'number':
      return Number.isSafeInteger(value) ? BigInt(value) : value
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? value : String(value)
    case 'object':
      return value === null || depth >= MAX_DEPTH ? null : objectValue(value, depth)
    default:
      return null
  }
}

function objectValue(value: object, depth: number): AnyValue {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Error) return anyValue(errorFields(value), depth)
  if (value instanceof Uint8Array) return value.slice(0, MAX_TEXT)
  if (Array.isArray(value)) return value.slice(0, MAX_ATTRIBUTES).map((item) => anyValue(item, depth + 1))
  return {
    kvlist: Object.entries(value)
      .slice(0, MAX_ATTRIBUTES)
      .map(([key, item]) => ({ key, value: anyValue(item, depth + 1) })),
  }
}

const errorFields = (error: Error): Record<string, unknown> => ({
  type: error.name,
  message: error.message,
  stack: error.stack,
})

/** Attributes of a record and how many did not fit. An error under one of `errorKeys` becomes `exception.*`. */
export function logAttributes(
  fields: Record<string, unknown>,
  leaveOut: ReadonlySet<string>,
  errorKeys: ReadonlySet<string>,
): { attributes: KeyValue[]; dropped: number } {
  const attributes: KeyValue[] = []
  let dropped = 0
  const add = (key: string, value: AnyValue): void => {
    if (value === null) return
    if (attributes.length < MAX_ATTRIBUTES) attributes.push({ key, value })
    else dropped++
  }
  for (const [key, value] of Object.entries(fields)) {
    if (leaveOut.has(key)) continue
    if (errorKeys.has(key) && typeof value === 'object' && value !== null) {
      const { type, name, message, stack } = value as Record<string, unknown>
      add(attr.exceptionType, anyValue(type ?? name))
      add(attr.exceptionMessage, anyValue(message))
      add(attr.exceptionStacktrace, anyValue(stack))
    } else add(key, anyValue(value))
  }
  return { attributes, dropped }
}
