export interface OpenRequest {
  /** On the clock of `performance.now()`. */
  readonly deadlineMs: number
  /** Called once, when the deadline has passed or the set was cleared. */
  expire(reason: 'timeout' | 'aborted'): void
}

/**
 * The requests without an answer yet, with one timer for all: every request has the same time limit, so the oldest is always the
 * first to expire, and insertion order is deadline order.
 */
export class OpenRequests {
  readonly #open = new Set<OpenRequest>()
  #timer: NodeJS.Timeout | undefined
  #whenEmpty: (() => void) | undefined

  get size(): number {
    return this.#open.size
  }

  add(request: OpenRequest): void {
    this.#open.add(request)
    if (this.#timer === undefined) this.#arm()
  }

  remove(request: OpenRequest): void {
    this.#open.delete(request)
    if (this.#open.size === 0) this.#empty()
  }

  /** Resolves once nothing is open; the time limit bounds the wait. */
  drained(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenEmpty = resolve
    })
  }

  abortAll(): void {
    const open = [...this.#open]
    this.#open.clear()
    this.#empty()
    for (const request of open) request.expire('aborted')
  }

  #empty(): void {
    this.#whenEmpty?.()
    this.#whenEmpty = undefined
  }

  #arm(): void {
    const oldest = this.#open.values().next().value
    // Node's timers may fire a fraction of a millisecond early; a time-out must never be shorter than its limit.
    if (oldest)
      this.#timer = setTimeout(
        () => this.#expireOld(),
        Math.max(1, Math.ceil(oldest.deadlineMs - performance.now())),
      )
    else this.#timer = undefined
  }

  #expireOld(): void {
    const now = performance.now()
    for (const request of this.#open) {
      if (request.deadlineMs > now) break
      this.#open.delete(request)
      request.expire('timeout')
    }
    this.#timer = undefined
    if (this.#open.size === 0) this.#empty()
    else this.#arm()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
