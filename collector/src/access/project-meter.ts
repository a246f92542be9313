import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../data-directory/durable-file.ts'
import { IntakeFailure } from '../receiver/intake-failure.ts'
import type { ProjectLimits } from './token-file.ts'

interface DayUse {
  bytes: number
  records: number
}

interface UsageFile {
  readonly schemaVersion: 1
  /** UTC day, `2026-11-21`. */
  readonly day: string
  readonly projects: Readonly<Record<string, DayUse>>
}

const burstSec = 10
const dayMs = 86_400_000

/** Holds projects to their limits. The use of the day outlives a restart: it is written down every few seconds. */
export class ProjectMeter {
  private readonly path: string
  private readonly limitsOf: (project: string) => ProjectLimits
  private readonly now: () => number
  private readonly buckets = new Map<string, { bytes: number; atMs: number }>()
  private day = ''
  private dayFromMs = 0
  private use = new Map<string, DayUse>()
  private dirty = false

  constructor(dataDir: string, limitsOf: (project: string) => ProjectLimits, now: () => number = Date.now) {
    this.path = join(dataDir, 'usage.json')
    this.limitsOf = limitsOf
    this.now = now
    this.startDay(now())
    try {
      const file = JSON.parse(readFileSync(this.path, 'utf8')) as Partial<UsageFile> | null
      if (file?.schemaVersion === 1 && file.day === this.day)
        this.use = new Map(Object.entries(file.projects ?? {}))
    } catch {
      // None yet, or not readable: the day starts at zero.
    }
  }

  /**
   * Counts a body, with its records, that is about to be kept. Throws `IntakeFailure` 429, with the time after which it may be taken, when it does not fit
   * into what is left: nothing of it is counted then.
   */
  take(project: string, bytes: number, records: number): void {
    const limits = this.limitsOf(project)
    const nowMs = this.now()
    const used = this.usedToday(project, nowMs)
    const { bytesPerDay = Infinity, recordsPerDay = Infinity, bytesPerSec } = limits
    const refuse = (has: number, of: number, what: string, more: number): IntakeFailure => {
      const ended =
        has >= of
          ? `project ${project} has used its ${of} ${what} of today (UTC)`
          : `project ${project} has used ${has} of its ${of} ${what} of today (UTC), and this body has ${more}`
      return overLimit(ended, dayMs - (nowMs % dayMs))
    }
    if (used.bytes + bytes > bytesPerDay) throw refuse(used.bytes, bytesPerDay, 'bytes', bytes)
    if (records > 0 && used.records + records > recordsPerDay)
      throw refuse(used.records, recordsPerDay, 'records', records)
    if (bytesPerSec !== undefined) this.takeFromBucket(project, bytes, bytesPerSec, nowMs)
    used.bytes += bytes
    used.records += records
    this.dirty = true
  }

  /** Takes back records that were not kept after all. */
  giveBack(project: string, records: number): void {
    const used = this.usedToday(project, this.now())
    used.records = Math.max(0, used.records - records)
    this.dirty = true
  }

  /** Use of today by project. */
  get today(): Readonly<Record<string, Readonly<DayUse>>> {
    return Object.fromEntries(this.use)
  }

  /** Writes the use down, when there is something new. */
  save(): void {
    if (!this.dirty) return
    this.dirty = false
    const file: UsageFile = { schemaVersion: 1, day: this.day, projects: this.today }
    writeFileDurably(this.path, `${JSON.stringify(file)}\n`)
  }

  /** A body may be larger than what is left; the debt is then waited for. */
  private takeFromBucket(project: string, bytes: number, bytesPerSec: number, nowMs: number): void {
    const full = bytesPerSec * burstSec
    const bucket = this.buckets.get(project) ?? { bytes: full, atMs: nowMs }
    bucket.bytes = Math.min(full, bucket.bytes + ((nowMs - bucket.atMs) / 1000) * bytesPerSec)
    bucket.atMs = nowMs
    this.buckets.set(project, bucket)
    if (bucket.bytes <= 0) {
      throw overLimit(
        `project ${project} sends more than its ${bytesPerSec} bytes per second`,
        (-bucket.bytes / bytesPerSec) * 1000,
      )
    }
    bucket.bytes -= bytes
  }

  private startDay(nowMs: number): void {
    this.day = new Date(nowMs).toISOString().slice(0, 10)
    this.dayFromMs = Math.floor(nowMs / dayMs) * dayMs
  }

  private usedToday(project: string, nowMs: number): DayUse {
    if (nowMs < this.dayFromMs || nowMs >= this.dayFromMs + dayMs) {
      this.startDay(nowMs)
      this.use = new Map()
    }
    let used = this.use.get(project)
    if (used === undefined) {
      used = { bytes: 0, records: 0 }
      this.use.set(project, used)
    }
    return used
  }
}

function overLimit(message: string, waitMs: number): IntakeFailure {
  return new IntakeFailure(429, 'rate-limit', message, {
    retryAfterSec: Math.max(1, Math.ceil(waitMs / 1000)),
  })
}
