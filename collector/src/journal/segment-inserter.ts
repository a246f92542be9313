import { readFile } from 'node:fs/promises'
import { messageOf } from '../errors.ts'
import { databaseOf } from '../schema/migrations.ts'
import { rowLayout } from '../schema/row-layout.ts'
import { type DiskReserve, isDiskFull } from './disk-reserve.ts'
import { type Frame, readFrames } from './frame.ts'
import { failureKind } from './insert-failure.ts'
import type { Quarantine } from './quarantine.ts'
import type { RowSink } from './row-sink.ts'
import type { SeenBodies } from './seen-bodies.ts'
import { releaseFrames } from './segment.ts'
import { type ClosedSegment, SegmentWork } from './segment-work.ts'
import type { TroubleLog } from './trouble.ts'

export interface InserterOptions {
  readonly sink: RowSink
  readonly quarantine: Quarantine
  readonly seen: SeenBodies
  readonly troubles: TroubleLog
  readonly reserve: DiskReserve
  readonly onEvent: (event: string) => void
  /** A body that fails alone is tried again after this time, ms. */
  readonly suspectMs: number
  /** Called when a segment is done or put back. */
  readonly onProgress: () => void
}

/** Tries of a group before it is halved, when it is not clear whether the rows or the moment is to blame. */
const triesOfGroup = 4
/** A body that failed so often, while others went in between, is set aside. */
const failuresOfSuspect = 4
/** So many bodies failing in a row, with nothing inserted between: it is rather the engine, which gets a pause. */
const failuresInARow = 2

/**
 * Inserts closed segments in order, each group of bodies with its token, and removes them. One body must not hold back the others: a group
 * that fails is halved, and a body that fails alone waits beside the others; it is set aside only once others went in while it did not, so that an
 * engine that is away, or out of memory, never costs a body.
 */
export class SegmentInserter {
  /** Rows in the store since the open, by table. */
  readonly storedRows = new Map<number, number>()
  /** Bytes of the segments that are not done. */
  bytes = 0
  private readonly options: InserterOptions
  private readonly queue: SegmentWork[] = []
  /** Segments of which only suspects are left. */
  private readonly aside: SegmentWork[] = []
  private asideTriedMs = 0
  private inserts = 0
  private inARow = 0
  private failures = 0
  private isRunning = false
  private isStopped = false
  private retry: { timer: NodeJS.Timeout; wake: () => void } | null = null

  constructor(options: InserterOptions) {
    this.options = options
  }

  /** Segments that are waited for. */
  get waiting(): number {
    return this.queue.length
  }

  add(segment: ClosedSegment): void {
    this.bytes += segment.bytes
    this.queue.push(new SegmentWork(segment))
    if (this.queue.length === 1) this.tryNow()
    void this.run()
  }

  /** Ends the pause after a failure. */
  tryNow(): void {
    this.retry?.wake()
  }

  /** What is not inserted stays in its files. */
  stop(): void {
    this.isStopped = true
    this.queue.length = 0
    this.aside.length = 0
    this.tryNow()
  }

  private async run(): Promise<void> {
    if (this.isRunning) return
    this.isRunning = true
    while (!this.isStopped && this.queue.length + this.aside.length > 0) {
      if (this.asideIsDue()) this.queue.push(...this.aside.splice(0))
      const work = this.queue[0]
      if (work === undefined) await this.pause(this.options.suspectMs)
      else await this.step(work)
    }
    this.isRunning = false
    this.options.onProgress()
  }

  private asideIsDue(): boolean {
    if (this.aside.length === 0 || Date.now() - this.asideTriedMs < this.options.suspectMs) return false
    this.asideTriedMs = Date.now()
    for (const work of this.aside) work.tried.clear()
    return true
  }

  private async step(work: SegmentWork): Promise<void> {
    const { troubles, reserve, onProgress } = this.options
    try {
      const isDone = await this.insertSegment(work)
      if (this.isStopped) return
      this.failures = 0
      this.queue.shift()
      if (isDone) {
        troubles.insertWorked()
        void reserve.refill()
        this.bytes -= work.segment.bytes
      } else {
        releaseFrames(work.frames ?? [])
        work.frames = null
        this.aside.push(work)
      }
      onProgress()
    } catch (error) {
      this.failures += 1
      troubles.insertFailed(error)
      if (isDiskFull(error)) reserve.release()
      await this.pause(Math.min(100 * 2 ** this.failures, 3000))
    }
  }

  /** False when suspects are left. */
  private async insertSegment(work: SegmentWork): Promise<boolean> {
    const frames = work.frames ?? (await this.read(work))
    work.frames = frames
    const groups = new Map<string, Frame[]>()
    for (const frame of frames) {
      const name = `${frame.project}:${frame.layout}:${frame.table}`
      const group = groups.get(name)
      if (group === undefined) groups.set(name, [frame])
      else group.push(frame)
    }
    for (const [name, group] of groups)
      await this.insertGroup(work, `${work.segment.id}:${name}`, group, false)
    if (work.suspects.size > 0 || this.isStopped) return false
    // Written down before the segment goes: a sender that missed our answer may come back after a restart.
    this.options.seen.persist(frames)
    await work.remove()
    releaseFrames(frames)
    return true
  }

  private async read(work: SegmentWork): Promise<readonly Frame[]> {
    const { id, path } = work.segment
    const { seen, quarantine, onEvent } = this.options
    const { frames, damagedBytes, tornBytes } = readFrames(await readFile(path))
    await work.readSplits()
    if (work.wasRead) return frames
    for (const frame of frames) seen.add(frame.key, frame.receivedMs)
    if (damagedBytes > 0) {
      const kept = await quarantine.keepCopy(path)
      onEvent(
        `journal segment ${id} has ${damagedBytes} damaged bytes, which were acknowledged; its whole bodies are inserted, a copy is in ${kept}`,
      )
    }
    if (tornBytes > 0) {
      onEvent(
        `journal segment ${id} ends in ${tornBytes} bytes of a body that was being written when the process ended; it was not acknowledged`,
      )
    }
    work.wasRead = true
    return frames
  }

  private async insertGroup(
    work: SegmentWork,
    token: string,
    group: readonly Frame[],
    isHalf: boolean,
  ): Promise<void> {
    if (work.done.has(token) || work.tried.has(token) || this.isStopped) return
    if (group.length > 1 && work.isSplit(token)) return await this.insertHalves(work, token, group)
    const first = group[0]!
    const layout = rowLayout(first.layout, first.table)
    if (layout === null) {
      return await this.setAside(work, token, group, 'its row layout is of a later version')
    }
    const rows = group.reduce((sum, frame) => sum + frame.rows, 0)
    try {
      await this.options.sink.insert({
        database: databaseOf(first.project),
        layout,
        rows,
        chunks: group.map(({ payload }) => payload),
        token,
      })
    } catch (error) {
      return await this.failed(work, token, group, isHalf, error)
    }
    this.inserts += 1
    this.inARow = 0
    work.done.add(token)
    work.suspects.delete(token)
    this.storedRows.set(first.table, (this.storedRows.get(first.table) ?? 0) + rows)
  }

  private async insertHalves(work: SegmentWork, token: string, group: readonly Frame[]): Promise<void> {
    const middle = group.length >> 1
    await this.insertGroup(work, `${token}:0`, group.slice(0, middle), true)
    await this.insertGroup(work, `${token}:1`, group.slice(middle), true)
  }

  /** Throws `error` when it is the moment's, as far as can be told. */
  private async failed(
    work: SegmentWork,
    token: string,
    group: readonly Frame[],
    isHalf: boolean,
    error: unknown,
  ): Promise<void> {
    const kind = failureKind(error)
    if (kind === 'moment') throw error
    if (group.length > 1) {
      const tries = (work.tries.get(token) ?? 0) + 1
      work.tries.set(token, tries)
      if (kind === 'suspect' && !isHalf && tries < triesOfGroup) throw error
      await work.addSplit(token)
      return await this.insertHalves(work, token, group)
    }
    if (kind === 'rows') return await this.setAside(work, token, group, messageOf(error))
    const suspect = work.suspects.get(token)
    if (suspect === undefined) {
      work.suspects.set(token, { failures: 1, insertsThen: this.inserts })
      this.options.onEvent(`a body of ${group[0]!.rows} rows waits, others go before it: ${messageOf(error)}`)
    } else if (this.inserts > suspect.insertsThen) {
      suspect.failures += 1
      suspect.insertsThen = this.inserts
    }
    if ((suspect?.failures ?? 0) >= failuresOfSuspect)
      return await this.setAside(work, token, group, messageOf(error))
    work.tried.add(token)
    this.inARow += 1
    if (this.inARow >= failuresInARow) throw error
  }

  private async setAside(
    work: SegmentWork,
    token: string,
    group: readonly Frame[],
    reason: string,
  ): Promise<void> {
    await this.options.quarantine.keepFrames(token, group, reason)
    work.done.add(token)
    work.suspects.delete(token)
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
}
