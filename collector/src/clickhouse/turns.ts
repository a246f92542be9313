import { StatementRefused } from './sql-tokens.ts'

/** Lets a number of things happen at once, the others in the order in which they came. */
export class Turns {
  private free: number
  private readonly maxWaiting: number
  private readonly waiting: (() => void)[] = []

  constructor(atOnce: number, maxWaiting: number) {
    this.free = atOnce
    this.maxWaiting = maxWaiting
  }

  /** Resolves with the function that ends the turn. Throws `StatementRefused` when too many wait. */
  async take(): Promise<() => void> {
    if (this.free > 0) this.free -= 1
    else if (this.waiting.length >= this.maxWaiting) {
      throw new StatementRefused('too many simultaneous queries', 202, 'TOO_MANY_SIMULTANEOUS_QUERIES')
    } else await new Promise<void>((resolve) => this.waiting.push(resolve))
    let ended = false
    return () => {
      if (ended) return
      ended = true
      const next = this.waiting.shift()
      if (next === undefined) this.free += 1
      else next()
    }
  }
}
