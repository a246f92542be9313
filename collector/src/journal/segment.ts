import { randomBytes } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '../data-directory/durable-file.ts'
import { type Frame, frameHead } from './frame.ts'
import { writeAll } from './write-all.ts'

const segmentName = /^(\d{12})-[0-9a-f]{16}\.hsj$/

/** Sequence number in a segment's file name, -1 for another file. */
export function segmentNumber(fileName: string): number {
  const match = segmentName.exec(fileName)
  return match === null ? -1 : Number(match[1])
}

/** An open journal segment. The id, also the deduplication token of its inserts, is its file name without the ending. */
export class Segment {
  readonly id: string
  readonly path: string
  readonly frames: Frame[] = []
  bytes = 0
  /** The file holds more than what was acknowledged, and could not be cut back: nothing may be written behind that. */
  isBroken = false
  private readonly file: FileHandle

  private constructor(id: string, path: string, file: FileHandle) {
    this.id = id
    this.path = path
    this.file = file
  }

  static async create(directory: string, number: number, sync: boolean): Promise<Segment> {
    const id = `${String(number).padStart(12, '0')}-${randomBytes(8).toString('hex')}`
    const path = join(directory, `${id}.hsj`)
    const file = await open(path, 'ax', 0o600)
    if (sync) syncDirectory(directory)
    return new Segment(id, path, file)
  }

  /** Returns when the frames are in the file (`sync`: on the disk). On failure the file is cut back to what it held. */
  async write(frames: readonly Frame[], sync: boolean): Promise<void> {
    if (this.isBroken) throw new Error('the segment is closed: its file could not be cut back')
    try {
      const written = await writeAll(
        this.file,
        frames.flatMap((frame) => [frameHead(frame), frame.payload]),
      )
      if (sync) await this.file.datasync()
      this.bytes += written
      this.frames.push(...frames)
    } catch (error) {
      await this.file.truncate(this.bytes).catch(() => {
        this.isBroken = true
      })
      throw error
    }
  }

  close(): Promise<void> {
    return this.file.close()
  }
}

/** The rows are in the store, or will be read from the file. */
export function releaseFrames(frames: readonly Frame[]): void {
  for (const frame of frames) frame.release?.()
}
