import { SUPPRESSED_CONTEXT } from '../core/linked-context.ts'
import { active } from '../core/runtime.ts'
import type { Log } from '../log.ts'
import type { Batch, BatchQueue } from './batch.ts'
import { createPoster, type Endpoint, type PostResult } from './post.ts'
import { backoffMs, isRetryable, retryAfterMs } from './retry.ts'

/** A batch that could not be delivered for this long has failed. */
const GIVE_UP_MS = 60_000

export interface Sender {
  /** Something waits; `full` when it should leave now. */
  wake(full: boolean): void
  /** Resolves when everything that waited has left or failed, or at the deadline. */
  flush(deadlineMs: number): Promise<void>
  close(): void
}

/**
 * Sends what the queue holds: a batch after `delayMs` or as soon as one is full, one request at a time. Everything runs in the
 * suppressed context, with timers and sockets that never keep the process alive.
 */
export function createSender<B extends Batch>(
  queue: () => BatchQueue<B>,
  endpoint: Endpoint,
  delayMs: number,
  log: Log,
): Sender {
  const poster = createPoster(endpoint)
  let timer: NodeJS.Timeout | null = null
  let running: Promise<void> | null = null
  let closed = false
  let flushing = 0
  /** Ends a wait between attempts early. */
  let hurry: (() => void) | null = null
  let giveUpAt = Number.POSITIVE_INFINITY

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const wait = setTimeout(done, ms)
      wait.unref()
      hurry = done
      function done(): void {
        clearTimeout(wait)
        hurry = null
        resolve()
      }
    })

  async function deliver(batch: B): Promise<void> {
    const startedMs = Date.now()
    for (let attempt = 1; ; attempt++) {
      const result = await poster.post(batch)
      if (result.kind === 'accepted') {
        if (result.rejected > 0)
          log(`the endpoint rejected ${result.rejected} ${queue().noun}: ${result.message}`)
        queue().done(batch, result.rejected)
        return
      }
      const nowMs = Date.now()
      const over = closed || nowMs >= giveUpAt || nowMs - startedMs > GIVE_UP_MS
      if (over || (result.kind === 'refused' && !isRetryable(result.status))) {
        log(
          `${batch.count} ${queue().noun} are lost: ${reasonOf(result)} from ${endpoint.url.origin}${endpoint.url.pathname}`,
        )
        queue().done(batch, batch.count)
        return
      }
      const asked = result.kind === 'refused' ? retryAfterMs(result.retryAfter, nowMs) : undefined
      await pause(asked ?? backoffMs(attempt))
    }
  }

  /** Sends what waits; what comes in meanwhile waits for a full batch or for its time, unless a flush wants it all. */
  async function drain(): Promise<void> {
    do {
      const batch = queue().take()
      if (batch === undefined) return
      await deliver(batch)
    } while (flushing > 0 || queue().hasFullBatch)
  }

  const run = (): Promise<void> => {
    if (timer !== null) {
      clearTimeout(timer)
      timer = null
    }
    if (running !== null) return running
    running = active.run(SUPPRESSED_CONTEXT, drain).finally(() => {
      running = null
      if (queue().waiting > 0) wake(false)
    })
    return running
  }

  function wake(full: boolean): void {
    if (closed || running !== null) return
    if (full) {
      active.run(SUPPRESSED_CONTEXT, () => {
        // Not inside the span's end(): the app's request comes first.
        running = new Promise<void>((resolve) => setImmediate(resolve)).then(drain).finally(() => {
          running = null
          if (queue().waiting > 0) wake(false)
        })
      })
      if (timer !== null) {
        clearTimeout(timer)
        timer = null
      }
    } else if (timer === null) {
      active.run(SUPPRESSED_CONTEXT, () => {
        timer = setTimeout(run, delayMs)
        timer.unref()
      })
    }
  }

  return {
    wake,
    async flush(deadlineMs) {
      giveUpAt = Date.now() + deadlineMs
      let stop: () => void = () => {}
      const deadline = new Promise<void>((resolve) => {
        const end = setTimeout(resolve, deadlineMs)
        stop = () => {
          clearTimeout(end)
          resolve()
        }
      })
      hurry?.()
      const work = async (): Promise<void> => {
        if (running !== null) await running
        if (queue().waiting > 0) await run()
      }
      flushing++
      await Promise.race([work(), deadline])
      flushing--
      stop()
      giveUpAt = Number.POSITIVE_INFINITY
    },
    close() {
      closed = true
      if (timer !== null) clearTimeout(timer)
      hurry?.()
      poster.close()
    },
  }
}

const reasonOf = (result: Exclude<PostResult, { kind: 'accepted' }>): string =>
  result.kind === 'refused' ? `status ${result.status}` : result.reason
