import { engineMemoryBytes } from '../engine/engine-config.ts'
import { messageOf } from '../errors.ts'
import type { Job } from '../jobs.ts'
import type { Store } from '../store.ts'
import { settledSec } from './bucket-counts.ts'
import { sealBucket } from './seal-bucket.ts'
import { type UnsealedBucket, unsealedBuckets } from './unsealed-buckets.ts'

const everyMs = 10_000
/** A run ends after so long, so that a backlog takes a quarter of one core at most. */
const runMs = 3000
/** No span came for so long. */
const quietMs = 60_000
const longestWaitSec = 86_400

export interface SealerOptions {
  readonly onEvent?: (event: string) => void
  /** Default a minute. */
  readonly quietMs?: number
  /** Default 3 s. */
  readonly runMs?: number
  readonly now?: () => number
}

/** What a bucket looked like, and since when; kept until it is sealed. */
interface Watched {
  readonly rows: number
  readonly around: number
  readonly sinceMs: number
  failures: number
  notBeforeMs: number
}

/**
 * Seals the five-minute buckets of an embedded store in which nothing changes any more, one at a time. A bucket that changes after that is sealed again,
 * each time after twice the wait; one that cannot be sealed is left alone for as long.
 */
export class Sealer {
  private readonly onEvent: (event: string) => void
  private readonly quietMs: number
  private readonly runMs: number
  private readonly now: () => number
  private watched = new Map<string, Watched>()
  private sealed = 0
  private toldFailure = false

  constructor(options: SealerOptions = {}) {
    this.onEvent = options.onEvent ?? (() => undefined)
    this.quietMs = options.quietMs ?? quietMs
    this.runMs = options.runMs ?? runMs
    this.now = options.now ?? Date.now
  }

  /** Since the start. */
  get sealedBuckets(): number {
    return this.sealed
  }

  /** A job of the collector. */
  get job(): Job {
    return { name: 'sealing', everyMs, run: (store) => this.run(store) }
  }

  async run(store: Store): Promise<void> {
    // Spans of a server come from several senders and shards; what would seal there is not decided.
    if (store.mode === 'server') return
    const startedMs = this.now()
    const buckets = await unsealedBuckets(store, startedMs / 1000 - settledSec)
    this.watch(buckets, startedMs)
    for (const bucket of buckets) {
      if (this.now() - startedMs >= this.runMs) return
      const watched = this.watched.get(keyOf(bucket))!
      if (!this.isDue(bucket, watched)) continue
      try {
        if (await sealBucket(store.client, bucket, engineMemoryBytes())) {
          this.sealed += 1
          this.toldFailure = false
          this.watched.delete(keyOf(bucket))
          continue
        }
      } catch (error) {
        if (!this.toldFailure)
          this.onEvent(
            `the spans from ${new Date(bucket.startSec * 1000).toISOString()} on could not be summed up, and are read one by one: ${messageOf(error)}`,
          )
        this.toldFailure = true
      }
      watched.failures += 1
      watched.notBeforeMs = this.now() + waitSec(watched.failures) * 1000
    }
  }

  private watch(buckets: readonly UnsealedBucket[], nowMs: number): void {
    const next = new Map<string, Watched>()
    for (const bucket of buckets) {
      const key = keyOf(bucket)
      const before = this.watched.get(key)
      const isSame = before?.rows === bucket.rows && before.around === bucket.around
      const { rows, around } = bucket
      next.set(key, isSame ? before! : { rows, around, sinceMs: nowMs, failures: 0, notBeforeMs: 0 })
    }
    this.watched = next
  }

  private isDue(bucket: UnsealedBucket, { sinceMs, notBeforeMs }: Watched): boolean {
    const nowMs = this.now()
    if (nowMs - sinceMs < this.quietMs || nowMs < notBeforeMs) return false
    return (
      bucket.sealings === 0 ||
      nowMs / 1000 - bucket.sealedAtSec >= waitSec(bucket.sealings) * (this.quietMs / quietMs)
    )
  }
}

const keyOf = (bucket: UnsealedBucket): string => `${bucket.database} ${bucket.startSec}`

/** One minute, two, four, ... a day. */
const waitSec = (times: number): number => Math.min(60 * 2 ** (times - 1), longestWaitSec)
