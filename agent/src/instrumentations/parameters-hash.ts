import { hex32 } from '../core/trace.ts'

/** Most of one call that is looked at, UTF-16 units. */
const MAX_UNITS = 65_536

/** Nesting that is looked into. */
const MAX_DEPTH = 8

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && !('toJSON' in value)
}

let high = 0
let low = 0
let units = 0
let mostUnits = MAX_UNITS

function mix(value: number): void {
  high = Math.imul(high ^ value, 0x85ebca6b)
  high ^= high >>> 13
  low = Math.imul(low ^ value, 0xc2b2ae35)
  low ^= low >>> 15
}

function mixText(text: string): void {
  const length = Math.min(text.length, Math.max(0, mostUnits - units))
  units += length
  for (let i = 0; i < length; i++) mix(text.charCodeAt(i))
  mix(text.length)
}

function mixValue(value: unknown, depth: number): void {
  switch (typeof value) {
    case 'string':
      mix(1)
      mixText(value)
      return
    case 'number':
    case 'bigint':
    case 'boolean':
      // pg sends all of them as text: 5 and '5' are one parameter.
      mix(1)
      mixText(String(value))
      return
    case 'object':
      break
    default:
      mix(2)
      return
  }
  if (value === null) mix(3)
  else if (value instanceof Date) {
    mix(4)
    mixText(String(value.getTime()))
  } else if (value instanceof Uint8Array) {
    mix(5)
    const length = Math.min(value.length, Math.max(0, mostUnits - units))
    units += length
    for (let i = 0; i < length; i++) mix(value[i]!)
    mix(value.length)
  } else if (Array.isArray(value) && depth < MAX_DEPTH) {
    mix(6)
    for (const item of value) {
      if (units >= mostUnits) break
      units++
      mixValue(item, depth + 1)
    }
    mix(value.length)
  } else if (depth < MAX_DEPTH && isPlain(value)) {
    mix(8)
    for (const key in value) {
      if (units >= mostUnits) break
      mixText(key)
      mixValue((value as Record<string, unknown>)[key], depth + 1)
    }
  } else {
    mix(7)
    let text = ''
    try {
      text = JSON.stringify(value) ?? ''
    } catch {
      // Circular or hostile: all such values look alike.
    }
    mixText(text)
  }
}

/**
 * 16 hex digits that tell whether two calls had equal parameters; the parameters themselves never leave the process. Of the
 * values and, for a statement with literals, of its text; `limit` is how much of them is looked at, UTF-16 units. Two 32-bit
 * lanes of a multiply-xorshift mix: not cryptographic.
 */
export function parametersHash(
  values: readonly unknown[] | undefined,
  literalText: string | undefined,
  limit = MAX_UNITS,
): string {
  mostUnits = limit
  high = 0x9e3779b9
  low = 0x7f4a7c15
  units = 0
  if (literalText !== undefined) mixText(literalText)
  if (values !== undefined) for (const value of values) mixValue(value, 0)
  high = Math.imul(high ^ (low >>> 16), 0x27d4eb2d)
  high ^= high >>> 15
  low = Math.imul(low ^ (high >>> 13), 0x165667b1)
  low ^= low >>> 16
  return hex32(high) + hex32(low)
}
