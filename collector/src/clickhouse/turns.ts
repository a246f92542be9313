import { StatementRefused } from './sql-tokens.ts'

/** Lets a number of things happen at once, the others in the order in which they came. */
export class Turns {
  private free: number
  private readonly maxWaiting: number
  private readonly waiting = new Set<() => void>()

  constructor(atOnce: number, maxWaiting: number) {
    this.free = atOnce
    this.maxWaiting = maxWaiting
  }

  /**
   * Resolves with the function that ends the turn, or with null when `gone` was aborted before the turn came. Throws `StatementRefused`
   * when too many wait.
   */
  async take(gone: AbortSignal): Promise<(() => void) | null> {
    if (gone.aborted) return null
    if (this.free > 0) this.free -= 1
    else if (this.waiting.size >= this.maxWaiting) {
      throw new StatementRefused('too many simultaneous queries', 202, 'TOO_MANY_SIMULTANEOUS_QUERIES')
    } else if (!(await this.wait(gone))) return null
    let ended = false
    return () => {
      if (ended) return
      ended = true
      const next = this.waiting.values().next().value
      if (next === undefined) this.free += 1
      else next()
    }
  }

  /** False when `gone` came first; whoever left the queue is not given a turn any more. */
  private wait(gone: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const leave = (hasTurn: boolean) => {
        this.waiting.delete(start)
        gone.removeEventListener('abort', leaveWithout)
        resolve(hasTurn)
      }
      const start = () => leave(true)
      const leaveWithout = () => leave(false)
      this.waiting.add(start)
      gone.addEventListener('abort', leaveWithout)
    })
  }
}
