/** A map that forgets its oldest entry at its bound: for encodings of values that repeat, never for ids or paths. */
export class BoundedCache<V> {
  private readonly entries = new Map<string, V>()
  private readonly bound: number

  constructor(bound = 256) {
    this.bound = bound
  }

  get(key: string): V | undefined {
    return this.entries.get(key)
  }

  set(key: string, value: V): V {
    if (this.entries.size >= this.bound) this.entries.delete(this.entries.keys().next().value as string)
    this.entries.set(key, value)
    return value
  }

  get size(): number {
    return this.entries.size
  }
}
