/**
 * Buffers that bodies are read into, one after the other. A fresh buffer for every body would cost pages that the kernel hands over
 * zeroed, and collections, which memory outside the heap sets off (`npm run bench -- receive`).
 */

const smallest = 64 * 1024
const largestKept = 4 * 1024 * 1024
const maxKeptBytes = 16 * 1024 * 1024

/** By size, a power of two. */
const kept = new Map<number, Buffer[]>()
let keptBytes = 0

/** A buffer of at least so many bytes, with anything in it. */
export function leaseBuffer(bytes: number): Buffer {
  let size = smallest
  while (size < bytes) size *= 2
  const found = kept.get(size)?.pop()
  if (found === undefined) return Buffer.allocUnsafeSlow(size)
  keptBytes -= size
  return found
}

/** Nobody may read it any more. */
export function returnBuffer(buffer: Buffer): void {
  const size = buffer.length
  if (size > largestKept || keptBytes + size > maxKeptBytes) return
  keptBytes += size
  const list = kept.get(size)
  if (list === undefined) kept.set(size, [buffer])
  else list.push(buffer)
}

/**
 * Gives memory that only the caller knows of back at once, `bytes` is empty then. Left to the collector of garbage, bodies outside the heap set it
 * off over and over: a fifth of the CPU of a gzip body (`npm run bench -- receive`).
 */
export function freeNow(bytes: Buffer): void {
  const memory = bytes.buffer as ArrayBuffer & { transfer(bytes: number): ArrayBuffer }
  // Small ones may stand in Node's pool, beside others.
  if (memory.byteLength > Buffer.poolSize) memory.transfer(0)
}
