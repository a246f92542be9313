import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { encodeTraces } from '@hotspan/otlp'
import { CollectorError, messageOf } from '../errors.ts'
import { decodeZipkinJson } from '../formats/zipkin-json.ts'
import type { SentBody } from '../receiver/intake.ts'

export interface ForwardTarget {
  /** Base URL of an OTLP/HTTP receiver; `/v1/traces` and its siblings are appended. */
  readonly url: string
  /** Sent with every request, for example an authorization. */
  readonly headers?: Readonly<Record<string, string>>
}

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

const compress = promisify(gzip)
const atOnce = 4
const firstPauseMs = 1000
const longestPauseMs = 30_000
const retryable = new Set([429, 502, 503, 504])

/**
 * Sends on what the store has taken, to one OTLP/HTTP receiver, in the encoding in which it came. The store comes first: nothing
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
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new CollectorError(
        'HS_FORWARD',
        `forwarding to ${JSON.stringify(url)} is not possible; expected http:// or https:// and a host, as in OTEL_EXPORTER_OTLP_ENDPOINT`,
      )
    }
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
  }

  private start(): void {
    while (this.running < atOnce && this.running < this.queue.length) {
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
    const { giveUpAfterMs } = this.options
    let pauseMs = firstPauseMs
    for (;;) {
      const outcome = await this.send(waiting.body)
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

  private async send(
    body: SentBody,
  ): Promise<'taken' | { readonly again: boolean; readonly reason: string; readonly afterMs: number }> {
    const { target, timeoutMs } = this.options
    const json = body.encoding === 'json'
    try {
      const bytes = body.encoding === 'zipkin' ? encodeTraces(decodeZipkinJson(body.bytes)) : body.bytes
      const answer = await fetch(`${target.url.replace(/\/+$/, '')}/v1/${body.signal}`, {
        method: 'POST',
        headers: {
          'content-type': json ? 'application/json' : 'application/x-protobuf',
          'content-encoding': 'gzip',
          ...target.headers,
        },
        body: await compress(bytes, { level: 1 }),
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), this.ending.signal]),
      })
      await answer.arrayBuffer()
      if (answer.ok) return 'taken'
      const afterMs = retryAfterMs(answer.headers.get('retry-after'))
      return { again: retryable.has(answer.status), reason: `HTTP ${answer.status}`, afterMs }
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      return { again: true, reason: messageOf(cause), afterMs: 0 }
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

/** `Retry-After` in seconds or as a date, ms from now; 0 when there is none. */
function retryAfterMs(value: string | null): number {
  if (value === null) return 0
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(value)
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now())
}
