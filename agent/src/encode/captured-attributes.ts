import type { EncodedKey } from './attribute-key.ts'
import { SpanEncoder } from './span-encoder.ts'

/** A whole encoded text attribute of a span. */
export function textAttribute(key: EncodedKey, value: string): Uint8Array {
  return captureAttributes((encoder) => encoder.text(key, value))
}

const newEncoder = (): SpanEncoder =>
  new SpanEncoder((_full, wantedBytes) => ({ bytes: new Uint8Array(wantedBytes), at: 0 }))

/** One for all: the chunk behind it is large. Null while it is at work, for captures inside a capture. */
let idle: SpanEncoder | null = newEncoder()

/** Encoded attributes of a span as bytes of their own, to be given to `raw` later. */
export function captureAttributes(write: (encoder: SpanEncoder) => void): Uint8Array {
  const encoder = idle ?? newEncoder()
  idle = null
  try {
    return encoder.capture(write)
  } finally {
    idle = encoder
  }
}
