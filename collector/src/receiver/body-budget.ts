/**
 * Bytes of all bodies, as they came and inflated, and of their rows that are in memory at once, over all connections. Past it senders are
 * told to come again. What one body inflates to is counted once it is known.
 */
export class BodyBudget {
  private usedBytes = 0
  private readonly maxBytes: number

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  take(bytes: number): boolean {
    if (this.usedBytes + bytes > this.maxBytes) return false
    this.usedBytes += bytes
    return true
  }

  give(bytes: number): void {
    this.usedBytes -= bytes
  }
}
