import { setPacker } from './transport.ts'

/** Deflate (RFC 1951) sees 32 KiB back; lengths stop one short of 258, which has a code of its own. */
const WINDOW = 32_768
const MAX_LENGTH = 257

/**
 * gzip (RFC 1952) in one go, with fixed codes: what leaves with the page cannot wait for a CompressionStream. Spans become a
 * tenth; 2 ms for 48 kB, 5 when the code is cold.
 */
export const gzip = (input: Uint8Array): Uint8Array<ArrayBuffer> => {
  const { length } = input
  const out = new Uint8Array(length * 1.2 + 64)
  const crcs = new Int32Array(256).map((_, byte) => {
    for (let bit = 8; bit--; ) byte = (byte >>> 1) ^ (byte & 1 && 0xedb88320)
    return byte
  })
  // Positions by a hash of three bytes, counted from one.
  const heads = new Int32Array(WINDOW)
  let at = 10
  let held = 3
  let heldBits = 3
  const put = (value: number, bits: number) => {
    held |= value << heldBits
    for (heldBits += bits; heldBits > 7; heldBits -= 8) {
      out[at++] = held
      held >>>= 8
    }
  }
  // Codes go in from their highest bit, numbers from their lowest.
  const putCode = (code: number, bits: number) => {
    let reversed = 0
    for (let bit = bits; bit--; code >>= 1) reversed = (reversed << 1) | (code & 1)
    put(reversed, bits)
  }
  const symbol = (code: number) => {
    if (code < 144) putCode(code + 48, 8)
    else if (code < 256) putCode(code + 256, 9)
    else if (code < 280) putCode(code - 256, 7)
    else putCode(code - 88, 8)
  }
  /** Lengths and distances: a code by size, the rest in extra bits. */
  const extraBits = (value: number, shift: number) => Math.max(0, 31 - shift - Math.clz32(value))
  out.set([31, 139, 8])
  let crc = -1
  for (let from = 0; from < length; ) {
    let run = 0
    let slot = ((input[from]! << 10) ^ (input[from + 1]! << 5) ^ input[from + 2]!) & 32_767
    const before = heads[slot]! - 1
    const distance = from - before - 1
    if (before >= 0 && distance < WINDOW)
      while (run < MAX_LENGTH && from + run < length && input[before + run] === input[from + run]) run++
    if (run > 3) {
      let extra = extraBits(run - 3, 2)
      symbol(257 + (extra << 2) + ((run - 3) >> extra))
      put((run - 3) & ((1 << extra) - 1), extra)
      extra = extraBits(distance, 1)
      putCode((extra << 1) + (distance >> extra), 5)
      put(distance & ((1 << extra) - 1), extra)
    } else {
      run = 1
      symbol(input[from]!)
    }
    for (; run--; from++) {
      heads[slot] = from + 1
      crc = (crc >>> 8) ^ crcs[(crc ^ input[from]!) & 255]!
      slot = ((slot << 5) ^ input[from + 3]!) & 32_767
    }
  }
  symbol(256)
  put(0, 7)
  out.set(new Uint8Array(Int32Array.of(~crc, length).buffer), at)
  return out.slice(0, at + 8)
}

/** Ten times the room in the 64 KiB that a page may leave behind on its way out; bodies from 20 kB on are compressed at any time. */
export const compression = (): void => setPacker(gzip)
