/** Counts since the start of the thread's agent; `made = sent + failed + dropped + queued` at any time. */
export interface QueueCounts {
  made: number
  sent: number
  failed: number
  dropped: number
  queued: number
}

/** Encoded records on their way out. */
export interface Batch {
  /** Pieces of one OTLP export request, in order. */
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
  /** Records in it. */
  readonly count: number
}

/** What a sender empties. */
export interface BatchQueue<B extends Batch = Batch> {
  /** What it holds, for the operator: `spans`. */
  readonly noun: string
  readonly hasFullBatch: boolean
  /** Records that have not been taken. */
  readonly waiting: number
  /** Takes what waits, up to the size of one request; undefined when nothing does. */
  take(): B | undefined
  /** The batch has left, one way or the other: `rejected` of its records were not stored. */
  done(batch: B, rejected: number): void
}
