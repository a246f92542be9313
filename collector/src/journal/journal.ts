import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { memoryLimits } from '../keeping/limits.ts'
import { DiskReserve, isDiskFull } from './disk-reserve.ts'
import type { Frame } from './frame.ts'
import { Quarantine } from './quarantine.ts'
import type { RowSink } from './row-sink.ts'
import { SeenBodies } from './seen-bodies.ts'
import { releaseFrames, Segment, segmentNumber } from './segment.ts'
import { SegmentInserter } from './segment-inserter.ts'
import { type Trouble, TroubleLog } from './trouble.ts'

export interface JournalOptions {
  readonly directory: string
  readonly sink: RowSink
  readonly onEvent: (event: string) => void
  /** A segment is closed and inserted after this time, ms, or when the insert that then runs has ended: larger groups cost less. Default 500. */
  readonly segmentMs?: number
  /** ... or at this size, bytes. Default 32 MiB. */
  readonly segmentBytes?: number
  /** Not yet inserted bytes above which bodies are refused. Default HOTSPAN_JOURNAL_MAX_MB or 512 MiB. */
  readonly maxBacklogBytes?: number
  /** Every acknowledgement waits for the disk. Default HOTSPAN_FSYNC=1. */
  readonly sync?: boolean
  /** Room kept for going on when the disk is full, bytes. Default 16 MiB. */
  readonly reserveBytes?: number
  /** What the store cannot take is kept up to so many bytes, then the oldest goes. Default 512 MiB. */
  readonly maxQuarantineBytes?: number
  /** A body that fails alone, while others go in, is tried again after this time, ms. Default 3000. */
  readonly suspectMs?: number
}

/** The engine has been away for so long that the journal is full. */
export class JournalFullError extends Error {}

interface Pending {
  readonly frame: Frame
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

// Segments behind the engine keep their rows in memory only while there are few of them.
const segmentsInMemory = 2

/**
 * The append-only journal: a body is acknowledged when its rows are in it. Closed segments go to the inserter; what a kill left behind goes there
 * at the next open.
 */
export class Journal {
  readonly seen: SeenBodies
  private readonly options: Required<JournalOptions>
  private readonly reserve: DiskReserve
  private readonly troubles: TroubleLog
  private readonly quarantine: Quarantine
  private readonly inserter: SegmentInserter
  private pending: Pending[] = []
  private readonly inFlight = new Map<string, Promise<void>>()
  private segment: Segment | null = null
  private segmentTimer: NodeJS.Timeout | null = null
  private nextNumber = 1
  private writing = false
  private rotateAsked = false
  /** The segment is due, and waits for the insert before it. */
  private isDue = false
  private ended = false
  private waiters: (() => void)[] = []

  private constructor(options: Required<JournalOptions>) {
    this.options = options
    this.seen = new SeenBodies(options.directory)
    this.reserve = new DiskReserve(options.directory, options.reserveBytes)
    this.troubles = new TroubleLog(options.onEvent)
    const { directory, sink, maxQuarantineBytes, suspectMs, onEvent } = options
    this.quarantine = new Quarantine(join(directory, 'quarantine'), maxQuarantineBytes, onEvent)
    const { quarantine, seen, troubles, reserve } = this
    const onProgress = () => {
      this.rotateWhenDue()
      this.notify()
    }
    const parts = { quarantine, seen, troubles, reserve, onProgress }
    this.inserter = new SegmentInserter({ sink, suspectMs, onEvent, ...parts })
  }

  /**
   * Opens the journal and inserts what an earlier process left in it. Returns when that is done, or after a minute of failures:
   * the inserts then go on beside new bodies.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 })
    const journal = new Journal({
      segmentMs: 500,
      segmentBytes: 32 * 1024 * 1024,
      maxBacklogBytes: memoryLimits().journalBytes,
      sync: process.env.HOTSPAN_FSYNC === '1',
      reserveBytes: 16 * 1024 * 1024,
      maxQuarantineBytes: 512 * 1024 * 1024,
      suspectMs: 3000,
      ...options,
    })
    await journal.reserve.refill()
    journal.findLeftSegments()
    await journal.flushWithin(60_000)
    return journal
  }

  /** Bytes acknowledged and not yet inserted. */
  get bytes(): number {
    return this.inserter.bytes + (this.segment?.bytes ?? 0)
  }

  /** Rows in the store since the open, by table. */
  get storedRows(): ReadonlyMap<number, number> {
    return this.inserter.storedRows
  }

  /** Rows that the engine refused for good; their frames are in `quarantine/`. */
  get quarantinedRows(): number {
    return this.quarantine.rows
  }

  get isFull(): boolean {
    return this.bytes >= this.options.maxBacklogBytes
  }

  /** Why rows do not reach the store now; null when they do. */
  get trouble(): Trouble | null {
    const trouble = this.troubles.now
    if (!this.isFull) return trouble
    const reason = trouble === null ? 'the store is slower than the senders' : trouble.reason
    return { kind: 'journal-full', reason, sinceMs: trouble?.sinceMs ?? Date.now() }
  }

  /**
   * Resolves when the frame is in the journal; a body that is already there resolves at once with `'duplicate'`, one that is
   * being written together with it. Throws `JournalFullError`, or the file system's error: then nothing was kept.
   */
  async append(frame: Frame): Promise<'written' | 'duplicate'> {
    const underway = this.inFlight.get(frame.key)
    if (underway !== undefined) {
      await underway
      return 'duplicate'
    }
    if (this.seen.has(frame.key, frame.receivedMs)) return 'duplicate'
    if (this.ended) throw new Error('the journal is closed')
    if (this.isFull) throw new JournalFullError('the journal is full: the engine has been away for too long')
    const written = new Promise<void>((resolve, reject) => this.pending.push({ frame, resolve, reject }))
    this.inFlight.set(frame.key, written)
    void this.writeLoop()
    try {
      await written
      this.seen.add(frame.key, frame.receivedMs)
      return 'written'
    } finally {
      this.inFlight.delete(frame.key)
    }
  }

  /** Returns when everything acknowledged so far is in the store, but for bodies that it refuses while it takes others. */
  async flush(): Promise<void> {
    this.rotateAsked = true
    void this.writeLoop()
    this.inserter.tryNow()
    while (this.pending.length > 0 || this.writing || this.segment !== null || this.inserter.waiting > 0) {
      await new Promise<void>((resolve) => this.waiters.push(resolve))
    }
  }

  /** Stops taking frames and inserts what is there, for at most `graceMs`; the rest stays in the journal for the next open. */
  async close(graceMs = 10_000): Promise<void> {
    this.ended = true
    await this.flushWithin(graceMs)
    this.inserter.stop()
  }

  private async flushWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms)
    })
    await Promise.race([this.flush(), late])
    clearTimeout(timer)
  }

  private findLeftSegments(): void {
    const names = readdirSync(this.options.directory).filter((name) => segmentNumber(name) >= 0)
    for (const name of names.sort()) {
      const path = join(this.options.directory, name)
      const bytes = statSync(path).size
      this.nextNumber = Math.max(this.nextNumber, segmentNumber(name) + 1)
      this.inserter.add({ id: name.slice(0, -4), path, bytes, frames: null })
    }
  }

  /** One writer at a time; whatever arrived while it wrote goes out in one call. */
  private async writeLoop(): Promise<void> {
    if (this.writing) return
    this.writing = true
    try {
      while (this.pending.length > 0 || (this.rotateAsked && this.segment !== null)) {
        const group = this.pending
        this.pending = []
        if (group.length > 0) await this.writeGroup(group)
        const isFull = (this.segment?.bytes ?? 0) >= this.options.segmentBytes
        if (this.rotateAsked || isFull || this.segment?.isBroken) await this.rotate()
      }
      this.rotateAsked = false
    } finally {
      this.writing = false
      this.notify()
    }
  }

  private async writeGroup(group: readonly Pending[]): Promise<void> {
    try {
      await this.writeOrRelease(group.map(({ frame }) => frame))
      if (this.troubles.now !== null && this.reserve.isWhole()) this.troubles.writeWorked()
      for (const { resolve } of group) resolve()
    } catch (error) {
      this.troubles.writeFailed(error)
      for (const { reject } of group) reject(error)
    }
  }

  /** On a full disk the reserve is given up, once, and the write is tried again. */
  private async writeOrRelease(frames: readonly Frame[]): Promise<void> {
    try {
      await this.writeFrames(frames)
    } catch (error) {
      if (!isDiskFull(error) || !this.reserve.release()) throw error
      this.troubles.writeFailed(error)
      await this.writeFrames(frames)
    }
  }

  private async writeFrames(frames: readonly Frame[]): Promise<void> {
    if (this.segment === null) {
      this.segment = await Segment.create(this.options.directory, this.nextNumber++, this.options.sync)
      this.isDue = false
      this.segmentTimer = setTimeout(() => {
        this.isDue = true
        this.rotateWhenDue()
      }, this.options.segmentMs)
    }
    await this.segment.write(frames, this.options.sync)
  }

  private rotateWhenDue(): void {
    if (!this.isDue || this.inserter.waiting > 0) return
    this.rotateAsked = true
    void this.writeLoop()
  }

  private async rotate(): Promise<void> {
    this.rotateAsked = false
    const segment = this.segment
    if (segment === null) return
    if (this.segmentTimer !== null) clearTimeout(this.segmentTimer)
    // Its bytes are written; a failing close takes nothing back.
    await segment.close().catch(() => undefined)
    this.segment = null
    this.isDue = false
    const keep = this.inserter.waiting < segmentsInMemory
    if (!keep) releaseFrames(segment.frames)
    this.inserter.add({
      id: segment.id,
      path: segment.path,
      bytes: segment.bytes,
      frames: keep ? segment.frames : null,
    })
  }

  private notify(): void {
    const waiters = this.waiters
    this.waiters = []
    for (const wake of waiters) wake()
  }
}
