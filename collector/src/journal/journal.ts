import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { copyFile, readFile, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../errors.ts'
import { memoryLimits } from '../keeping/limits.ts'
import { databaseOf } from '../schema/migrations.ts'
import { rowLayout } from '../schema/row-layout.ts'
import { DiskReserve, isDiskFull } from './disk-reserve.ts'
import { type Frame, frameHead, readFrames } from './frame.ts'
import { isPermanent, type RowSink } from './row-sink.ts'
import { SeenBodies } from './seen-bodies.ts'
import { releaseFrames, Segment, segmentNumber } from './segment.ts'
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
}

/** The engine has been away for so long that the journal is full. */
export class JournalFullError extends Error {}

interface Closed {
  readonly id: string
  readonly path: string
  readonly bytes: number
  /** null: read again from the file when its turn comes. */
  readonly frames: readonly Frame[] | null
}

interface Pending {
  readonly frame: Frame
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

// Segments behind the engine keep their rows in memory only while there are few of them.
const segmentsInMemory = 2

/**
 * The append-only journal: a body is acknowledged when its rows are in it. Closed segments are inserted in order, each group
 * with the segment's id as deduplication token, and removed; what a kill left behind is inserted at the next open.
 */
export class Journal {
  readonly seen: SeenBodies
  /** Rows in the store since the open, by table. */
  readonly storedRows = new Map<number, number>()
  /** Rows that the engine refused for good; their frames are in `quarantine/`. */
  quarantinedRows = 0
  private readonly options: Required<JournalOptions>
  private readonly reserve: DiskReserve
  private readonly troubles: TroubleLog
  private readonly closed: Closed[] = []
  private pending: Pending[] = []
  private readonly inFlight = new Map<string, Promise<void>>()
  private segment: Segment | null = null
  private segmentTimer: NodeJS.Timeout | null = null
  private nextNumber = 1
  private backlogBytes = 0
  private writing = false
  private inserting = false
  private rotateAsked = false
  /** The segment is due, and waits for the insert before it. */
  private isDue = false
  private ended = false
  private retry: { timer: NodeJS.Timeout; wake: () => void } | null = null
  private waiters: (() => void)[] = []

  private constructor(options: Required<JournalOptions>) {
    this.options = options
    this.seen = new SeenBodies(options.directory)
    this.reserve = new DiskReserve(options.directory, options.reserveBytes)
    this.troubles = new TroubleLog(options.onEvent)
  }

  /**
   * Opens the journal and inserts what an earlier process left in it. Returns when that is done, or after a minute of failures:
   * the inserts then go on beside new bodies.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    mkdirSync(join(options.directory, 'quarantine'), { recursive: true, mode: 0o700 })
    const journal = new Journal({
      segmentMs: 500,
      segmentBytes: 32 * 1024 * 1024,
      maxBacklogBytes: memoryLimits().journalBytes,
      sync: process.env.HOTSPAN_FSYNC === '1',
      reserveBytes: 16 * 1024 * 1024,
      ...options,
    })
    await journal.reserve.refill()
    journal.findLeftSegments()
    await journal.flushWithin(60_000)
    return journal
  }

  /** Bytes acknowledged and not yet inserted. */
  get bytes(): number {
    return this.backlogBytes
  }

  get isFull(): boolean {
    return this.backlogBytes >= this.options.maxBacklogBytes
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

  /** Returns when everything acknowledged so far is in the store. */
  async flush(): Promise<void> {
    this.rotateAsked = true
    void this.writeLoop()
    this.retry?.wake()
    while (this.pending.length > 0 || this.writing || this.segment !== null || this.closed.length > 0) {
      await new Promise<void>((resolve) => this.waiters.push(resolve))
    }
  }

  /** Stops taking frames and inserts what is there, for at most `graceMs`; the rest stays in the journal for the next open. */
  async close(graceMs = 10_000): Promise<void> {
    this.ended = true
    await this.flushWithin(graceMs)
    this.closed.length = 0
    this.retry?.wake()
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
      this.backlogBytes += bytes
      this.closed.push({ id: name.slice(0, -4), path, bytes, frames: null })
    }
    if (names.length > 0) void this.insertLoop()
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
        if (this.rotateAsked || (this.segment?.bytes ?? 0) >= this.options.segmentBytes) await this.rotate()
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
    const before = this.segment.bytes
    await this.segment.write(frames, this.options.sync)
    this.backlogBytes += this.segment.bytes - before
  }

  private rotateWhenDue(): void {
    if (!this.isDue || this.closed.length > 0) return
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
    const keep = this.closed.length < segmentsInMemory
    if (!keep) releaseFrames(segment.frames)
    this.closed.push({
      id: segment.id,
      path: segment.path,
      bytes: segment.bytes,
      frames: keep ? segment.frames : null,
    })
    void this.insertLoop()
  }

  private async insertLoop(): Promise<void> {
    if (this.inserting) return
    this.inserting = true
    let failures = 0
    try {
      while (this.closed.length > 0) {
        const segment = this.closed[0]!
        try {
          await this.insertSegment(segment)
          failures = 0
          this.troubles.insertWorked()
          void this.reserve.refill()
          this.closed.shift()
          this.backlogBytes -= segment.bytes
          this.rotateWhenDue()
          this.notify()
        } catch (error) {
          failures += 1
          this.troubles.insertFailed(error)
          if (isDiskFull(error)) this.reserve.release()
          await this.pause(Math.min(100 * 2 ** failures, 3000))
        }
      }
    } finally {
      this.inserting = false
      this.notify()
    }
  }

  private async insertSegment(segment: Closed): Promise<void> {
    let frames = segment.frames
    if (frames === null) {
      const content = readFrames(await readFile(segment.path))
      frames = content.frames
      for (const frame of frames) this.seen.add(frame.key, frame.receivedMs)
      if (content.damagedBytes > 0) {
        const kept = join(this.options.directory, 'quarantine', `${segment.id}.damaged.hsj`)
        await copyFile(segment.path, kept)
        this.options.onEvent(
          `journal segment ${segment.id} has ${content.damagedBytes} damaged bytes; its whole bodies are inserted, a copy is in ${kept}`,
        )
      }
    }
    const groups = new Map<string, Frame[]>()
    for (const frame of frames) {
      const name = `${frame.project}:${frame.layout}:${frame.table}`
      const group = groups.get(name)
      if (group === undefined) groups.set(name, [frame])
      else group.push(frame)
    }
    for (const [name, group] of groups) await this.insertGroup(`${segment.id}:${name}`, group)
    // Written down before the segment goes: a sender that missed our answer may come back after a restart.
    this.seen.persist(frames)
    await unlink(segment.path)
    releaseFrames(frames)
  }

  private async insertGroup(token: string, group: readonly Frame[]): Promise<void> {
    const first = group[0]!
    const layout = rowLayout(first.layout, first.table)
    const rows = group.reduce((sum, frame) => sum + frame.rows, 0)
    if (layout === null) {
      await this.quarantine(token, group, 'its row layout is of a later version')
      return
    }
    try {
      await this.options.sink.insert({
        database: databaseOf(first.project),
        layout,
        rows,
        chunks: group.map(({ payload }) => payload),
        token,
      })
      this.storedRows.set(first.table, (this.storedRows.get(first.table) ?? 0) + rows)
    } catch (error) {
      if (!isPermanent(error)) throw error
      // One body must not hold back the others.
      if (group.length === 1) await this.quarantine(token, group, messageOf(error))
      else for (const [index, frame] of group.entries()) await this.insertGroup(`${token}:${index}`, [frame])
    }
  }

  private async quarantine(token: string, group: readonly Frame[], reason: string): Promise<void> {
    const path = join(this.options.directory, 'quarantine', `${token.replaceAll(':', '-')}.hsj`)
    await writeFile(path, Buffer.concat(group.flatMap((frame) => [frameHead(frame), frame.payload])), {
      mode: 0o600,
    })
    const rows = group.reduce((sum, frame) => sum + frame.rows, 0)
    this.quarantinedRows += rows
    this.options.onEvent(`${rows} rows were refused by the engine and are kept in ${path}: ${reason}`)
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.retry = null
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.retry = { timer, wake }
    })
  }

  private notify(): void {
    const waiters = this.waiters
    this.waiters = []
    for (const wake of waiters) wake()
  }
}
