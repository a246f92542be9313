import { isKeyValueList } from './any-value-protobuf.ts'
import { base64OfBytes } from './base64.ts'
import type { AnyValue, KeyValue, Resource, Scope } from './span.ts'

/** Lone surrogates become U+FFFD, as in the protobuf form (`toWellFormed` needs a newer library than our oldest browsers). */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}

/** JSON form of one attribute value: 64-bit integers as decimal strings, bytes as base64, NaN and infinities by name. */
export function anyValueToJson(value: AnyValue): Record<string, unknown> {
  if (typeof value === 'string') return { stringValue: wellFormed(value) }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'bigint') return { intValue: String(value) }
  if (typeof value === 'number') return { doubleValue: doubleToJson(value) }
  if (value === null) return {}
  if (value instanceof Uint8Array) return { bytesValue: base64OfBytes(value) }
  if (isKeyValueList(value)) return { kvlistValue: { values: keyValuesToJson(value.kvlist) } }
  return { arrayValue: { values: value.map(anyValueToJson) } }
}

/** JSON has neither NaN nor infinities nor -0: they are names. */
export function doubleToJson(value: number): number | string {
  if (Object.is(value, -0)) return '-0'
  return Number.isFinite(value) ? value : String(value)
}

export function keyValuesToJson(list: readonly KeyValue[]): Record<string, unknown>[] {
  return list.map(({ key, value }) => ({ key: wellFormed(key), value: anyValueToJson(value) }))
}

/** Adds the count of dropped attributes when there is one: zero is the default and left out. */
export function resourceToJson(resource: Resource): Record<string, unknown> {
  return withoutDefaults({
    attributes: keyValuesToJson(resource.attributes),
    droppedAttributesCount: resource.droppedAttributesCount,
  })
}

export function scopeToJson(scope: Scope): Record<string, unknown> {
  return withoutDefaults({
    name: scope.name,
    version: scope.version,
    attributes: keyValuesToJson(scope.attributes),
    droppedAttributesCount: scope.droppedAttributesCount,
  })
}

/** The object without fields that hold their proto3 default: '', 0 and []. */
export function withoutDefaults(fields: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) {
    if (value === '' || value === 0 || (Array.isArray(value) && value.length === 0)) continue
    out[key] = typeof value === 'string' ? wellFormed(value) : value
  }
  return out
}

/** Epoch nanoseconds as OTLP/JSON wants them; 0 is absent. */
export function nanosToJson(value: bigint): string {
  return value === 0n ? '' : String(value)
}
