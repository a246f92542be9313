import { encodeLogs, type KeyValue, type LogRecord } from '@hotspan/otlp'
import { fault } from '../faults.ts'
import type { Batch, BatchQueue, QueueCounts } from '../send/batch.ts'

/** What a record says, read when its batch leaves: the app's call pays for the note only. */
export type LogContent = Pick<
  LogRecord,
  'timeUnixNano' | 'severityNumber' | 'severityText' | 'body' | 'attributes' | 'droppedAttributesCount'
>

export interface PendingLog {
  /** Library that wrote it. */
  readonly scope: string
  readonly observedMs: number
  readonly traceId: string
  readonly spanId: string
  readonly flags: number
  /** Upper estimate of what it holds in memory. */
  readonly bytes: number
  readonly read: () => LogContent
}

export interface LogQueueLimits {
  readonly maxBytes: number
  readonly maxRecords: number
  readonly batchRecords: number
}

/** Log records on their way out, bounded by count and bytes; what does not fit is dropped and counted. */
export class LogQueue implements BatchQueue {
  readonly noun = 'log records'
  readonly counts: QueueCounts = { made: 0, sent: 0, failed: 0, dropped: 0, queued: 0 }
  private pending: PendingLog[] = []
  private pendingBytes = 0
  private resource: readonly KeyValue[]
  private readonly limits: LogQueueLimits
  private readonly wake: (full: boolean) => void

  constructor(resource: readonly KeyValue[], limits: LogQueueLimits, wake: (full: boolean) => void) {
    this.resource = resource
    this.limits = limits
    this.wake = wake
  }

  setResource(resource: readonly KeyValue[]): void {
    this.resource = resource
  }

  add(log: PendingLog): void {
    const { counts, limits } = this
    counts.made++
    if (counts.queued >= limits.maxRecords || this.pendingBytes + log.bytes > limits.maxBytes) {
      counts.dropped++
      return
    }
    counts.queued++
    this.pending.push(log)
    this.pendingBytes += log.bytes
    if (this.pending.length === 1) this.wake(false)
    else if (this.pending.length >= limits.batchRecords) this.wake(true)
  }

  get hasFullBatch(): boolean {
    return this.pending.length >= this.limits.batchRecords
  }

  get waiting(): number {
    return this.pending.length
  }

  take(): Batch | undefined {
    if (this.pending.length === 0) return undefined
    const logs = this.pending.slice(0, this.limits.batchRecords)
    this.pending = this.pending.slice(this.limits.batchRecords)
    const byScope = new Map<string, LogRecord[]>()
    for (const log of logs) {
      this.pendingBytes -= log.bytes
      const records = byScope.get(log.scope) ?? []
      byScope.set(log.scope, records)
      try {
        records.push({
          ...log.read(),
          observedTimeUnixNano: epochNs(log.observedMs),
          flags: log.flags,
          traceId: log.traceId,
          spanId: log.spanId,
          eventName: '',
        })
      } catch (error) {
        // A line that a formatter of the app's made unreadable.
        this.counts.queued--
        this.counts.dropped++
        fault('logs', error)
      }
    }
    const count = [...byScope.values()].reduce((sum, records) => sum + records.length, 0)
    if (count === 0) return this.take()
    const body = encodeLogs({
      resourceLogs: [
        {
          resource: { attributes: [...this.resource], droppedAttributesCount: 0 },
          schemaUrl: '',
          scopeLogs: [...byScope].map(([name, logRecords]) => ({
            scope: { name, version: '', attributes: [], droppedAttributesCount: 0 },
            schemaUrl: '',
            logRecords,
          })),
        },
      ],
    })
    return { pieces: [body], bytes: body.length, count }
  }

  done(batch: Batch, rejected: number): void {
    const lost = Math.min(batch.count, Math.max(0, rejected))
    this.counts.queued -= batch.count
    this.counts.sent += batch.count - lost
    this.counts.failed += lost
  }
}

/** Whole milliseconds, or with a fraction, as epoch nanoseconds. */
export const epochNs = (ms: number): bigint =>
  BigInt(Math.floor(ms)) * 1_000_000n + BigInt(Math.round((ms % 1) * 1e6))
