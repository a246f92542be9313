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
