import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'

/** A body that comes again within this time is acknowledged and not stored again. */
export const seenForMs = 10 * 60_000
const maxKeys = 1_000_000
const recordBytes = 24
const fileSpanMs = 5 * 60_000

/**
 * Keys of the bodies of the last ten minutes, in memory and, for those whose journal segment is gone, in small files: a sender
 * that got no answer because we were killed sends again after our restart.
 */
export class SeenBodies {
  private readonly directory: string
  private readonly keys = new Map<string, number>()
  private file = ''
  private fileFromMs = 0
  private fileBytes = 0

  constructor(directory: string, nowMs = Date.now()) {
    this.directory = directory
    for (const name of this.files()) {
      const bytes = readFileSync(join(directory, name))
      for (let at = 0; at + recordBytes <= bytes.length; at += recordBytes) {
        const ms = bytes.readDoubleLE(at)
        if (nowMs - ms < seenForMs) this.add(bytes.toString('latin1', at + 8, at + recordBytes), ms)
      }
    }
  }

  has(key: string, nowMs: number): boolean {
    const ms = this.keys.get(key)
    return ms !== undefined && nowMs - ms < seenForMs
  }

  add(key: string, nowMs: number): void {
    this.keys.delete(key)
    this.keys.set(key, nowMs)
    // Insertion order is age order, near enough: the oldest go first.
    for (const [old, ms] of this.keys) {
      if (nowMs - ms < seenForMs && this.keys.size <= maxKeys) break
      this.keys.delete(old)
    }
  }

  forget(key: string): void {
    this.keys.delete(key)
  }

  /** Writes down keys whose journal segment is about to be removed. */
  persist(
    entries: readonly { readonly key: string; readonly receivedMs: number }[],
    nowMs = Date.now(),
  ): void {
    if (entries.length === 0) return
    if (nowMs - this.fileFromMs > fileSpanMs) {
      this.file = join(this.directory, `seen-${nowMs}.log`)
      this.fileFromMs = nowMs
      this.fileBytes = 0
      for (const name of this.files()) {
        const fromMs = Number(name.slice(5, -4))
        if (nowMs - fromMs > seenForMs + fileSpanMs) unlinkSync(join(this.directory, name))
      }
    }
    const bytes = Buffer.allocUnsafe(entries.length * recordBytes)
    entries.forEach(({ key, receivedMs }, index) => {
      bytes.writeDoubleLE(receivedMs, index * recordBytes)
      bytes.write(key, index * recordBytes + 8, 16, 'latin1')
    })
    try {
      appendFileSync(this.file, bytes, { mode: 0o600 })
      this.fileBytes += bytes.length
    } catch (error) {
      // A full disk may have taken half of a record, behind which no later one could be read.
      if (existsSync(this.file)) truncateSync(this.file, this.fileBytes)
      throw error
    }
  }

  private files(): string[] {
    return readdirSync(this.directory).filter((name) => /^seen-\d+\.log$/.test(name))
  }
}
