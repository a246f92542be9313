import type { AnyValue, KeyValue } from '@hotspan/otlp'
import { maxAttributes, maxKeyBytes, type RowWriter } from './row-writer.ts'

/**
 * Attribute values as text, as the Collector's exporter writes them: numbers in their shortest form, bytes as base64, lists and
 * maps as JSON.
 */
export function attributeText(value: AnyValue): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'boolean':
      return value ? 'true' : 'false'
    case 'bigint':
    case 'number':
      return String(value)
    default:
      if (value === null) return ''
      if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
      return JSON.stringify(jsonOf(value))
  }
}

function jsonOf(value: AnyValue): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if ('kvlist' in value) return Object.fromEntries(value.kvlist.map(({ key, value }) => [key, jsonOf(value)]))
  return value.map(jsonOf)
}

/**
 * Map(String, String), keys sorted by their UTF-8 bytes: maps whose keys lie in another order would not be equal in a GROUP BY.
 * Of a key that comes twice the last value holds. A key without a value has the empty text.
 */
export function writeAttributes(w: RowWriter, attributes: readonly KeyValue[]): void {
  const map = new Map<string, AnyValue>()
  for (const { key, value } of attributes) map.set(key, value)
  // Three bytes are the most of a code unit: a short name needs no counting.
  const keys = [...map.keys()]
    .filter((key) => key.length * 3 <= maxKeyBytes || Buffer.byteLength(key) <= maxKeyBytes)
    .sort(compareUtf8)
    .slice(0, maxAttributes)
  w.droppedAttributes += map.size - keys.length
  w.varint(keys.length)
  for (const key of keys) {
    w.string(key)
    w.limitedString(attributeText(map.get(key) ?? null))
  }
}

/** Order of the UTF-8 bytes, which is the order of code points, not that of JavaScript's code units. */
function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    let x = a.charCodeAt(i)
    let y = b.charCodeAt(i)
    if (x === y) continue
    if (x >= 0xd800 && y >= 0xd800) {
      // Surrogates stand for code points above the rest of the plane.
      if (x >= 0xe000) x -= 0x800
      else x += 0x2000
      if (y >= 0xe000) y -= 0x800
      else y += 0x2000
    }
    return x - y
  }
  return a.length - b.length
}

/** Text of `service.name`, '' when there is none. */
export function serviceNameOf(attributes: readonly KeyValue[]): string {
  let name = ''
  for (const { key, value } of attributes) if (key === 'service.name') name = attributeText(value)
  return name
}
