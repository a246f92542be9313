import { setTimeout as sleep } from 'node:timers/promises'
import { CollectorError } from '../errors.ts'
import type { SentBody } from '../receiver/intake.ts'
import type { Exporter, ForwardTarget } from './exporter.ts'
import { grpcExporter } from './grpc-exporter.ts'
import { httpExporter } from './http-exporter.ts'

export interface ForwarderOptions {
  readonly target: ForwardTarget
  readonly onEvent: (event: string) => void
  /** Bodies that wait, bytes; the oldest are dropped, and counted, to keep it. Default 64 MiB. */
  readonly maxQueueBytes?: number
  /** Time in which a body is tried again, ms. Default 5 minutes. */
  readonly giveUpAfterMs?: number
  /** Of one request, ms. Default 30,000. */
  readonly timeoutMs?: number
}

/** Counts of bodies since the start. */
export interface ForwardStats {
  forwarded: number
  /** Dropped because too many waited. */
  droppedFull: number
  /** Dropped because the receiver refused them for good. */
  droppedRefused: number
  /** Dropped after the time in which they were tried again, or at the end. */
  droppedLate: number
  retries: number
  waitingBytes: number
}

interface Waiting {
  readonly body: SentBody
  readonly sinceMs: number
}

const atOnce = 4
const firstPauseMs = 1000
const longestPauseMs = 30_000

/**
 * Sends on what the store has taken, to one OTLP receiver. The store comes first: nothing
 * here makes a sender wait, what the receiver does not take in time is dropped and counted.
 */
export class Forwarder {
  readonly stats: ForwardStats = {
    forwarded: 0,
    droppedFull: 0,
    droppedRefused: 0,
    droppedLate: 0,
    retries: 0,
    waitingBytes: 0,
  }
  private readonly options: Required<ForwarderOptions>
  private readonly exporter: Exporter
  private readonly queue: Waiting[] = []
  private readonly ending = new AbortController()
  private running = 0
  private idle: (() => void)[] = []
  private closing = false
  private lastComplaintMs = -Infinity

  constructor(options: ForwarderOptions) {
    this.options = {
      maxQueueBytes: 64 * 1024 * 1024,
      giveUpAfterMs: 5 * 60_000,
      timeoutMs: 30_000,
      ...options,
    }
    const { url } = options.target
    const protocol = URL.canParse(url) ? new URL(url).protocol : ''
    if (!/^(?:http|grpc)s?:$/.test(protocol)) {
      throw new CollectorError(
        'HS_FORWARD',
        `forwarding to ${JSON.stringify(url)} is not possible; expected http://, https://, grpc:// or grpcs:// and a host`,
      )
    }
    this.exporter = protocol.startsWith('http') ? httpExporter(options.target) : grpcExporter(options.target)
  }

  /** Never throws, never waits. */
  add(body: SentBody): void {
    if (this.closing) return
    const { maxQueueBytes } = this.options
    this.queue.push({ body, sinceMs: Date.now() })
    this.stats.waitingBytes += body.bytes.length
    while (this.stats.waitingBytes > maxQueueBytes && this.queue.length > 0) {
      this.drop(this.queue.shift()!, 'droppedFull', 'too many bodies wait')
    }
    this.start()
  }

  /** Sends what waits, for at most `graceMs`; the rest is dropped. */
  async close(graceMs = 5000): Promise<void> {
    this.closing = true
    const late = setTimeout(() => this.ending.abort(), graceMs)
    while (this.running > 0) await new Promise<void>((resolve) => this.idle.push(resolve))
    clearTimeout(late)
    for (const waiting of this.queue.splice(0)) this.drop(waiting, 'droppedLate', 'the collector ended')
    this.exporter.close()
  }

  private start(): void {
    while (this.running < atOnce && this.queue.length > 0) {
      this.running += 1
      void this.work()
    }
  }

  private async work(): Promise<void> {
    while (!this.ending.signal.aborted) {
      const waiting = this.queue.shift()
      if (waiting === undefined) break
      await this.deliver(waiting)
    }
    this.running -= 1
    if (this.running > 0) return
    for (const wake of this.idle.splice(0)) wake()
  }

  private async deliver(waiting: Waiting): Promise<void> {
    const { giveUpAfterMs, timeoutMs } = this.options
    let pauseMs = firstPauseMs
    for (;;) {
      const limit = AbortSignal.any([AbortSignal.timeout(timeoutMs), this.ending.signal])
      const outcome = await this.exporter.send(waiting.body, limit)
      if (outcome === 'taken') {
        this.stats.forwarded += 1
        this.stats.waitingBytes -= waiting.body.bytes.length
        return
      }
      if (!outcome.again) return this.drop(waiting, 'droppedRefused', outcome.reason)
      // Spread, so that many collectors do not come back together.
      const waitMs = Math.max(outcome.afterMs, pauseMs * (0.5 + Math.random() / 2))
      if (this.ending.signal.aborted || Date.now() + waitMs - waiting.sinceMs > giveUpAfterMs) {
        return this.drop(waiting, 'droppedLate', outcome.reason)
      }
      this.stats.retries += 1
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      await sleep(waitMs, null, { signal: this.ending.signal }).catch(() => undefined)
    }
  }

  private drop(
    { body }: Waiting,
    count: 'droppedFull' | 'droppedRefused' | 'droppedLate',
    reason: string,
  ): void {
    this.stats[count] += 1
    this.stats.waitingBytes -= body.bytes.length
    const nowMs = Date.now()
    if (nowMs - this.lastComplaintMs < 60_000) return
    this.lastComplaintMs = nowMs
    this.options.onEvent(
      `forwarding to ${new URL(this.options.target.url).host} drops bodies (they are stored here): ${reason}`,
    )
  }
}
