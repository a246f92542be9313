import { hash } from 'node:crypto'
import type { PartialSuccess, Signal } from '@hotspan/otlp'
import type { ProjectMeter } from '../access/project-meter.ts'
import { messageOf } from '../errors.ts'
import type { Forwarder } from '../forward/forwarder.ts'
import { newFrame } from '../journal/frame.ts'
import { type Journal, JournalFullError } from '../journal/journal.ts'
import { metricTableNumbers, profileTableNumbers, RowTable } from '../schema/row-layout.ts'
import { BodyBudget } from './body-budget.ts'
import { busy, IntakeFailure, type RejectReason } from './intake-failure.ts'
import { type BodyFormat, type BodyRows, rowsOfBody } from './rows-of-body.ts'
import { timeWindow } from './time-window.ts'

export interface IntakeOptions {
  readonly journal: Journal
  /** Holds projects to their limits. */
  readonly meter: ProjectMeter
  /** Sends on what was kept; null for nobody. */
  readonly forwarder?: Forwarder | null
  /** Largest body, after decompression too, bytes. Default 64 MiB, as the specification advises. */
  readonly maxBodyBytes?: number
  /** All bodies and their rows in memory together, bytes. Default 512 MiB. */
  readonly maxBytesInFlight?: number
  /** Days of telemetry kept besides today; older records are left out. Default null: all are kept. */
  readonly retentionDays?: number | null
  readonly onEvent: (event: string) => void
}

/** Counts since the start. Rows are spans, log records, data points or profiles. */
export interface IntakeStats {
  bodies: number
  receivedSpans: number
  receivedLogs: number
  receivedMetricPoints: number
  receivedProfiles: number
  /** Bodies that were seen before and acknowledged again. */
  duplicates: number
  /** Bodies that were refused, by reason. */
  rejected: Partial<Record<RejectReason, number>>
  /** Spans and log records that were left out because of their time; their senders were told. */
  rejectedSpans: number
  rejectedLogs: number
  /** Data points that no row can hold; their senders were told. */
  rejectedMetricPoints: number
  /** Profiles with an index outside of its table and the like; their senders were told. */
  rejectedProfiles: number
}

/** One body, whole and decompressed. */
export interface SentBody {
  readonly signal: Signal
  readonly encoding: BodyFormat
  readonly bytes: Buffer
  readonly project: string
  /** `bytes` came out of a compressed body, and are not counted in the budget of all bodies yet. */
  readonly isInflated?: boolean
  /** A sender's own id of the body, hex: a repeated one may be cut differently. */
  readonly chunk?: string | null
}

/**
 * What all doors (OTLP over HTTP and gRPC, Zipkin) hand their bodies to. A body is acknowledged when the journal has its rows.
 */
export class Intake {
  readonly maxBodyBytes: number
  readonly budget: BodyBudget
  readonly stats: IntakeStats = {
    bodies: 0,
    receivedSpans: 0,
    receivedLogs: 0,
    receivedMetricPoints: 0,
    receivedProfiles: 0,
    duplicates: 0,
    rejected: {},
    rejectedSpans: 0,
    rejectedLogs: 0,
    rejectedMetricPoints: 0,
    rejectedProfiles: 0,
  }
  private readonly journal: Journal
  private readonly meter: ProjectMeter
  private readonly forwarder: Forwarder | null
  private readonly retentionDays: number | null
  private readonly onEvent: (event: string) => void

  constructor(options: IntakeOptions) {
    this.journal = options.journal
    this.meter = options.meter
    this.forwarder = options.forwarder ?? null
    this.onEvent = options.onEvent
    this.retentionDays = options.retentionDays ?? null
    this.maxBodyBytes = options.maxBodyBytes ?? 64 * 1024 * 1024
    this.budget = new BodyBudget(options.maxBytesInFlight ?? 512 * 1024 * 1024)
  }

  /** Throws `IntakeFailure` 429 while nothing could be kept: asked before a body is read. */
  checkRoom(): void {
    if (this.journal.isFull) throw journalFull()
  }

  /** Keeps the body; returns what the sender is told about records that were not kept. Throws `IntakeFailure`. */
  async take(body: SentBody): Promise<PartialSuccess | null> {
    this.stats.bodies += 1
    const inflatedBytes = body.isInflated ? body.bytes.length : 0
    if (!this.budget.take(inflatedBytes)) throw busy()
    try {
      return await this.keep(body)
    } finally {
      this.budget.give(inflatedBytes)
    }
  }

  private async keep(body: SentBody): Promise<PartialSuccess | null> {
    const { signal, project } = body
    const receivedMs = Date.now()
    // The walk of spans takes the fingerprint of the body by the way.
    const isHot = signal === 'traces' && body.encoding === 'protobuf' && !isNamed(body.chunk)
    const early = isHot ? null : keyOf(body, null)
    if (early !== null && this.journal.seen.has(early, receivedMs)) {
      this.stats.duplicates += 1
      return null
    }
    const { tables, partial, fingerprint }: BodyRows = rowsOfBody(
      signal,
      body.encoding,
      body.bytes,
      receivedMs,
      timeWindow(this.retentionDays, receivedMs),
    )
    const key = early ?? keyOf(body, fingerprint ?? null)
    const releaseRows = () => {
      for (const { rows } of tables) rows.release?.()
    }
    if (early === null && this.journal.seen.has(key, receivedMs)) {
      releaseRows()
      this.stats.duplicates += 1
      return null
    }
    // Of a profile its functions are a part.
    const records = tables.reduce(
      (sum, { table, rows }) => sum + (table === RowTable.ProfileFunctions ? 0 : rows.rows),
      0,
    )
    const rowBytes = tables.reduce((sum, { rows }) => sum + rows.payload.length, 0)
    if (!this.budget.take(rowBytes)) {
      releaseRows()
      throw busy()
    }
    try {
      try {
        // Only now is the body known to be new: one that comes again is acknowledged whatever its project has used.
        this.meter.take(project, body.bytes.length, records)
      } catch (error) {
        releaseRows()
        throw error
      }
      // All are waited for, also when one fails: their bytes stay counted as long as they are there.
      const outcomes = await Promise.allSettled(
        tables.map(({ table, rows: { rows, payload, release } }) =>
          this.journal.append(
            newFrame({ project, table, rows, receivedMs, key: keyInTable(key, table), payload, release }),
          ),
        ),
      )
      let written = 0
      for (const [index, outcome] of outcomes.entries()) {
        const { table, rows } = tables[index]!
        // What was written is the journal's until it is in the store.
        if (outcome.status !== 'fulfilled' || outcome.value !== 'written') rows.release?.()
        else if (table !== RowTable.ProfileFunctions) written += rows.rows
      }
      this.meter.giveBack(project, records - written)
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
      if (tables.length > 0 && written === 0) this.stats.duplicates += 1
      // It waits there longer than the buffer it was read into is its own.
      else this.forwarder?.add({ ...body, bytes: Buffer.from(body.bytes) })
      const { received, rejected } = countersOf[signal]
      this.stats[received] += written
      this.stats[rejected] += partial?.rejected ?? 0
      return partial
    } finally {
      this.budget.give(rowBytes)
    }
  }

  /** The failure that the sender is told, counted; an unexpected one is reported. */
  refuse(error: unknown): IntakeFailure {
    const failure = error instanceof IntakeFailure ? error : this.unexpected(error)
    this.stats.rejected[failure.reason] = (this.stats.rejected[failure.reason] ?? 0) + 1
    return failure
  }

  private unexpected(error: unknown): IntakeFailure {
    if (error instanceof JournalFullError) return journalFull()
    const code = (error as NodeJS.ErrnoException).code
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) {
      return new IntakeFailure(503, 'journal-failed', `the journal could not be written (${code})`, {
        retryAfterSec: 5,
      })
    }
    this.onEvent(`receiver: ${error instanceof Error ? error.stack : messageOf(error)}`)
    return new IntakeFailure(500, 'internal', 'the collector failed on this body')
  }
}

function journalFull(): IntakeFailure {
  return new IntakeFailure(
    429,
    'journal-full',
    'the store has been away for too long and the journal is full',
    { retryAfterSec: 10 },
  )
}

function isNamed(chunk: string | null | undefined): chunk is string {
  return typeof chunk === 'string' && /^[0-9a-f]{8,64}$/i.test(chunk)
}

const salts = new Map<string, Buffer>()

function saltOf(project: string): Buffer {
  let salt = salts.get(project)
  if (salt === undefined) {
    salt = hash('sha256', project, 'buffer')
    salts.set(project, salt)
  }
  return salt
}

const countersOf = {
  traces: { received: 'receivedSpans', rejected: 'rejectedSpans' },
  logs: { received: 'receivedLogs', rejected: 'rejectedLogs' },
  metrics: { received: 'receivedMetricPoints', rejected: 'rejectedMetricPoints' },
  profiles: { received: 'receivedProfiles', rejected: 'rejectedProfiles' },
} as const

const signalNumbers: Readonly<Record<Signal, number>> = { traces: 0, logs: 1, metrics: 2, profiles: 3 }

/**
 * 16 bytes as latin1 text: what tells that a body was seen before. Of all of its bytes, or of the sender's own id. `fingerprint` is 128 bits
 * of the bytes when somebody has them already.
 */
function keyOf({ signal, bytes, chunk, project }: SentBody, fingerprint: string | null): string {
  const named = isNamed(chunk)
  const digest = named
    ? hash('sha256', `${project}:${signal}:${chunk.toLowerCase()}`, 'buffer')
    : fingerprint === null
      ? hash('sha256', bytes, 'buffer')
      : Buffer.from(fingerprint, 'latin1')
  if (!named) {
    // The same body from two projects is two bodies.
    const salt = saltOf(project)
    for (let i = 0; i < 16; i++) digest[i] = digest[i]! ^ salt[i]!
    // The first byte tells signals apart: an empty-looking body may be valid for two of them.
    digest[0] = (digest[0]! & 0xfc) | signalNumbers[signal]
  }
  // Table 0, which no frame of a body for several tables has: see `keyInTable`.
  if (signal === 'metrics' || signal === 'profiles') digest[1] = digest[1]! & 0xf0
  return digest.toString('latin1', 0, 16)
}

/** Metrics and profiles fill several tables, each with a frame: a body of which only some were written is completed when it comes again. */
function keyInTable(key: string, table: RowTable): string {
  if (!metricTableNumbers.includes(table) && !profileTableNumbers.includes(table)) return key
  const inTable = Buffer.from(key, 'latin1')
  inTable[1] = inTable[1]! | table
  return inTable.toString('latin1')
}
