import type { ByteWriter } from './byte-writer.ts'
import { bytesOfHex, hexOfBytes } from './hex.ts'
import { WireError } from './wire-error.ts'
import type { WireReader } from './wire-read.ts'

/** Bytes of a trace id and of a span id. */
export const TRACE_ID_BYTES = 16
export const SPAN_ID_BYTES = 8

/** Writes a hex id as bytes; an absent id (`''`) is left out. Throws `TypeError` on anything else that is not such an id. */
export function writeId(w: ByteWriter, field: number, id: string, size: number): void {
  if (id === '') return
  const bytes = bytesOfHex(id)
  if (bytes === null || bytes.length !== size) {
    throw new TypeError(`id ${JSON.stringify(id)} is not ${size * 2} hex digits`)
  }
  w.bytesField(field, bytes)
}

/** Reads an id of `size` bytes as hex; empty bytes are an absent id. */
export function readId(r: WireReader, size: number): string {
  const start = r.at
  const bytes = r.slice()
  if (bytes.length !== 0 && bytes.length !== size) {
    throw new WireError('bad-value', start, `id of ${bytes.length} bytes, expected ${size}`)
  }
  return hexOfBytes(bytes)
}
