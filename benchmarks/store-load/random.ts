/** Small seeded generator (mulberry32): the same payloads on every machine. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** 32 bits. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }

  /** From 0 to 1. */
  share(): number {
    return this.next() / 4294967296
  }

  below(limit: number): number {
    return Math.floor(this.share() * limit)
  }

  /** Log-normal around a median: how long things take. */
  duration(medianNs: number): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.share())) * Math.cos(2 * Math.PI * this.share())
    return Math.round(medianNs * Math.exp(0.5 * normal))
  }
}
