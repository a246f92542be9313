import { writeFixed32 } from '@hotspan/otlp/wire'
import type { ClockAnchor } from '../core/clock.ts'
import { MAX_VALUE_LENGTH, runtime } from '../core/runtime.ts'

/** A span never grows beyond this: attributes, events and links that do not fit are dropped and counted. */
export const MAX_SPAN_BYTES = 1024 * 1024

/** Objects and arrays deeper than this are left empty. */
export const MAX_DEPTH = 8

const TWO_32 = 4294967296

/** Upper bound of an encoded `AnyValue`, without its own tag. Infinite when it can never fit. */
export function mostBytes(value: unknown, depth: number): number {
  if (typeof value === 'string') return Math.min(value.length, runtime.limits.valueLength) * 3 + 16
  if (typeof value !== 'object' || value === null || depth >= MAX_DEPTH) return 24
  if (value instanceof Uint8Array) return Math.min(value.length, MAX_VALUE_LENGTH) + 16
  let sum = 24
  if (Array.isArray(value)) {
    for (const item of value) {
      sum += mostBytes(item, depth + 1) + 8
      if (sum > MAX_SPAN_BYTES) break
    }
  } else {
    for (const [key, item] of Object.entries(value)) {
      sum += key.length * 3 + mostBytes(item, depth + 1) + 24
      if (sum > MAX_SPAN_BYTES) break
    }
  }
  return sum
}

/** The first `limit` UTF-16 units, one less when that would split a pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  const last = text.charCodeAt(limit - 1)
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? limit - 1 : limit)
}

/** Ids are big-endian. */
export function writeWord(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
  return at + 4
}

export function writeHex(bytes: Uint8Array, at: number, hex: string): number {
  for (let i = 0; i < hex.length; i += 2) bytes[at++] = Number.parseInt(hex.slice(i, i + 2), 16)
  return at
}

let secondOf = -1
let secondHigh = 0
let secondLow = 0

/** Epoch nanoseconds in 64 bits without a BigInt: the second's product is remembered, spans come in time order. */
export function writeTime(bytes: Uint8Array, at: number, anchor: ClockAnchor, ms: number): number {
  const total = anchor.ns + Math.round(ms * 1e6)
  const carry = Math.floor(total / 1e9)
  const ns = total - carry * 1e9
  const sec = anchor.sec + carry
  if (sec !== secondOf) {
    secondOf = sec
    if (sec < 0) {
      secondHigh = 0
      secondLow = 0
    } else {
      const upper = Math.floor(sec / 65536) * 1e9
      const lower = (sec % 65536) * 1e9 + (upper % 65536) * 65536
      secondLow = lower % TWO_32
      secondHigh = Math.floor(upper / 65536) + Math.floor(lower / TWO_32)
    }
  }
  const low = secondLow + ns
  const b = writeFixed32(bytes, at, low)
  return writeFixed32(bytes, b, secondHigh + (low >= TWO_32 ? 1 : 0))
}
