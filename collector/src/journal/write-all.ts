import type { FileHandle } from 'node:fs/promises'

// Linux takes 1024 buffers in one call.
const maxBuffers = 1000

/** Writes every byte of every buffer at the file's position; a short write is continued. */
export async function writeAll(file: FileHandle, buffers: readonly Uint8Array[]): Promise<number> {
  let total = 0
  let rest = buffers.filter((buffer) => buffer.length > 0)
  while (rest.length > 0) {
    const now = rest.slice(0, maxBuffers)
    let { bytesWritten } = await file.writev(now)
    total += bytesWritten
    let whole = 0
    while (whole < now.length && bytesWritten >= now[whole]!.length) bytesWritten -= now[whole++]!.length
    rest = rest.slice(whole)
    if (bytesWritten > 0) rest[0] = rest[0]!.subarray(bytesWritten)
  }
  return total
}
