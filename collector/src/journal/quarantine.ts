import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { copyFile, unlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Frame, frameHead } from './frame.ts'

/** Folder of the journal's directory for what the store cannot take. Bounded: the oldest files go first, which is told. */
export class Quarantine {
  /** Rows that the engine refused for good, since the start. */
  rows = 0
  private readonly directory: string
  private readonly maxBytes: number
  private readonly onEvent: (event: string) => void

  constructor(directory: string, maxBytes: number, onEvent: (event: string) => void) {
    this.directory = directory
    this.maxBytes = maxBytes
    this.onEvent = onEvent
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  }

  /** Keeps bodies that the engine refuses. The same `name` again replaces what was kept under it. */
  async keepFrames(name: string, frames: readonly Frame[], reason: string): Promise<void> {
    const path = join(this.directory, `${name.replaceAll(':', '-')}.hsj`)
    const bytes = Buffer.concat(frames.flatMap((frame) => [frameHead(frame), frame.payload]))
    await writeFile(path, bytes, { mode: 0o600 })
    const rows = frames.reduce((sum, frame) => sum + frame.rows, 0)
    this.rows += rows
    this.onEvent(`${rows} rows were refused by the engine and are kept in ${path}: ${reason}`)
    await this.dropOldest(path)
  }

  /** Keeps a copy of a damaged segment; returns its path. */
  async keepCopy(path: string): Promise<string> {
    const kept = join(this.directory, basename(path).replace(/\.hsj$/, '.damaged.hsj'))
    await copyFile(path, kept)
    await this.dropOldest(kept)
    return kept
  }

  /** Never the one that has just come, however large it is. */
  private async dropOldest(newest: string): Promise<void> {
    const files = readdirSync(this.directory)
      .map((name) => join(this.directory, name))
      .map((path) => ({ path, ...sizeAndTime(path) }))
      .sort((a, b) => a.writtenMs - b.writtenMs)
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    for (const file of files) {
      if (bytes <= this.maxBytes) return
      if (file.path === newest) continue
      await unlink(file.path)
      bytes -= file.bytes
      this.onEvent(
        `${file.path} (${file.bytes} bytes) was removed: what is set aside passes ${this.maxBytes} bytes, and the oldest goes first`,
      )
    }
  }
}

function sizeAndTime(path: string): { bytes: number; writtenMs: number } {
  const { size: bytes, mtimeMs: writtenMs } = statSync(path)
  return { bytes, writtenMs }
}
