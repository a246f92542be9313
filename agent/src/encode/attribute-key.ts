import { utf8Size, writeUtf8, writeVarint } from '@hotspan/otlp/wire'
import { BoundedCache } from './bounded-cache.ts'

/** `KeyValue.key` of one attribute, as bytes: tag, length, text. */
export type EncodedKey = Uint8Array

export function encodeKey(key: string): EncodedKey {
  const size = utf8Size(key)
  const bytes = new Uint8Array(size + 6)
  bytes[0] = 0x0a
  const at = writeVarint(bytes, 1, size)
  return bytes.subarray(0, writeUtf8(bytes, at, key))
}

const known = new BoundedCache<EncodedKey>()

/** Encoded form of a key that the app chose; keys longer than 256 are not remembered. */
export function keyBytes(key: string): EncodedKey {
  return known.get(key) ?? (key.length > 256 ? encodeKey(key) : known.set(key, encodeKey(key)))
}
