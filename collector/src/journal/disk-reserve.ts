import { statSync, unlinkSync } from 'node:fs'
import { open, rename, statfs } from 'node:fs/promises'
import { join } from 'node:path'

const chunkBytes = 1024 * 1024
// Room that must be left beside the reserve, or it would be the reserve that fills the disk.
const spareFactor = 4
const refillAfterMs = 10_000

/** Whether an error says that the disk, or our share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return (
    code === 'ENOSPC' ||
    code === 'EDQUOT' ||
    // NOT_ENOUGH_SPACE of the engine; a failed write of it carries the system's words.
    code === '243' ||
    /No space left on device|Disk quota exceeded/.test(error instanceof Error ? error.message : '')
  )
}

/**
 * A file of zeros that is given up when the disk is full: the journal goes on accepting for as long as that room lasts, and the
 * engine gets a chance to move the rows on. It is made again when there is space.
 */
export class DiskReserve {
  private readonly directory: string
  private readonly path: string
  private readonly bytes: number
  private triedMs = 0

  constructor(directory: string, bytes: number) {
    this.directory = directory
    this.path = join(directory, 'reserve')
    this.bytes = bytes
  }

  /** Gives the room back to the disk; false when there was none. */
  release(): boolean {
    try {
      unlinkSync(this.path)
      this.triedMs = Date.now()
      return true
    } catch {
      return false
    }
  }

  /** Makes the file when it is not there and the disk has room, at most every ten seconds. Never throws. */
  async refill(): Promise<void> {
    const nowMs = Date.now()
    if (nowMs - this.triedMs < refillAfterMs || this.isWhole()) return
    this.triedMs = nowMs
    const partial = `${this.path}.tmp`
    try {
      const disk = await statfs(this.directory)
      if (disk.bavail * disk.bsize < this.bytes * spareFactor) return
      const file = await open(partial, 'w', 0o600)
      try {
        const zeros = Buffer.alloc(chunkBytes)
        for (let at = 0; at < this.bytes; at += chunkBytes)
          await file.write(zeros, 0, Math.min(chunkBytes, this.bytes - at))
      } finally {
        await file.close()
      }
      await rename(partial, this.path)
    } catch {
      try {
        unlinkSync(partial)
      } catch {
        // Not there.
      }
    }
  }

  isWhole(): boolean {
    if (this.bytes === 0) return true
    try {
      return statSync(this.path).size === this.bytes
    } catch {
      return false
    }
  }
}
