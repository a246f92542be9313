import { appendFile, readFile, unlink } from 'node:fs/promises'
import type { Frame } from './frame.ts'

/** A closed segment. */
export interface ClosedSegment {
  readonly id: string
  readonly path: string
  readonly bytes: number
  /** null: read again from the file when its turn comes. */
  readonly frames: readonly Frame[] | null
}

/** A body that went wrong alone. */
export interface Suspect {
  /** Failures between which other rows went in. */
  failures: number
  /** Inserts of all segments at the last one. */
  insertsThen: number
}

/** How far a closed segment is inserted. Groups of bodies are known by their deduplication token. */
export class SegmentWork {
  readonly segment: ClosedSegment
  frames: readonly Frame[] | null
  /** What its file is made of has been told. */
  wasRead = false
  /** Groups that are in the store or set aside. */
  readonly done = new Set<string>()
  /** Failed tries of whole groups. */
  readonly tries = new Map<string, number>()
  readonly suspects = new Map<string, Suspect>()
  /** Suspects that had their try in this turn. */
  readonly tried = new Set<string>()
  private readonly split = new Set<string>()
  private readonly splitPath: string

  constructor(segment: ClosedSegment) {
    this.segment = segment
    this.frames = segment.frames
    this.splitPath = segment.path.replace(/\.hsj$/, '.split')
  }

  /** What an earlier process has split stays split: the halves are in the store under tokens of their own. */
  async readSplits(): Promise<void> {
    const text = await readFile(this.splitPath, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
    for (const token of text.split('\n').slice(0, -1)) this.split.add(token)
  }

  isSplit(token: string): boolean {
    return this.split.has(token)
  }

  async addSplit(token: string): Promise<void> {
    await appendFile(this.splitPath, `${token}\n`, { mode: 0o600 })
    this.split.add(token)
  }

  async remove(): Promise<void> {
    await unlink(this.segment.path)
    if (this.split.size > 0) await unlink(this.splitPath)
  }
}
