import { messageOf } from '../errors.ts'
import { isDiskFull } from './disk-reserve.ts'

/** Why acknowledged rows do not reach the store at this moment. */
export interface Trouble {
  readonly kind: 'disk-full' | 'store-away' | 'journal-full'
  readonly reason: string
  readonly sinceMs: number
}

// One failed insert is a restart of the engine; several in a row are trouble.
const failuresUntilTrouble = 5

/** Remembers what fails until it works again: writing the journal and inserting from it are told apart. */
export class TroubleLog {
  private write: Trouble | null = null
  private insert: Trouble | null = null
  private insertFailures = 0
  private readonly onEvent: (event: string) => void

  constructor(onEvent: (event: string) => void) {
    this.onEvent = onEvent
  }

  get now(): Trouble | null {
    return this.write ?? this.insert
  }

  writeFailed(error: unknown): void {
    if (!isDiskFull(error)) return
    if (this.write === null) {
      this.onEvent(
        'the disk is full: free some space; bodies are taken as long as the reserve lasts, then senders are told to come again',
      )
    }
    this.write ??= { kind: 'disk-full', reason: messageOf(error), sinceMs: Date.now() }
  }

  writeWorked(): void {
    if (this.write === null) return
    this.write = null
    this.onEvent('the journal can be written again')
  }

  insertFailed(error: unknown): void {
    this.insertFailures += 1
    const full = isDiskFull(error)
    if (!full && this.insertFailures < failuresUntilTrouble) return
    const kind = full ? 'disk-full' : 'store-away'
    if (this.insert?.kind !== kind) {
      this.onEvent(
        full
          ? `the disk is full, the journal keeps what the store cannot take: ${messageOf(error)}`
          : `inserts fail, the journal keeps them: ${messageOf(error)}`,
      )
    }
    this.insert = { kind, reason: messageOf(error), sinceMs: this.insert?.sinceMs ?? Date.now() }
  }

  insertWorked(): void {
    this.insertFailures = 0
    if (this.insert === null) return
    this.insert = null
    this.onEvent('inserts work again')
  }
}
