import { consent } from './consent.ts'
import { randomHex } from './ids.ts'
import { whenIdle } from './lifecycle.ts'
import { options } from './options.ts'

/** Ends after 30 minutes without use, and after 4 hours at most. */
const IDLE_MS = 1_800_000
const MAX_MS = 14_400_000
const REFRESH_MS = 60_000
/** Everything that we store begins so. */
export const STORED = 'hotspan.'
const KEY = 'hotspan.session'

export interface Session {
  readonly id: string
  readonly sampled: boolean
  /** OpenTelemetry consistent probability sampling: rejection threshold and randomness. */
  readonly traceState: string
}

let current: Session | undefined
let asked: boolean | undefined
let startMs = 0
let usedMs = 0

/**
 * The session, shared by the tabs of an origin; kept in memory where storage is refused. Storage holds up a page that starts for
 * milliseconds, and while every session is kept nothing hangs on which it is: until the page is idle or something is sent
 * (`entire`), a new id stands in for one that may be stored.
 */
export const session = (entire?: boolean): Session => {
  const atMs = Date.now()
  // What is no share keeps everything: a typing error loses nothing.
  const { sampleRatio: share } = options
  const sampleRatio = share! <= 1 ? share! : 1
  if (current && (asked || !entire) && atMs - usedMs < REFRESH_MS && atMs - startMs < MAX_MS) return current
  asked ||= entire || sampleRatio < 1
  let id = current?.id
  try {
    // Throwing is the way to memory: nothing is read and nothing is stored without consent.
    if (consent !== 'granted' || !asked) throw 0
    ;[id, startMs, usedMs] = JSON.parse(localStorage[KEY]) as [string, number, number]
  } catch {}
  if (!id || !(atMs - usedMs < IDLE_MS && atMs - startMs < MAX_MS)) {
    id = randomHex(16)
    startMs = atMs
  }
  usedMs = atMs
  whenIdle(() => {
    if (consent === 'granted') localStorage[KEY] = JSON.stringify([session(true).id, startMs, usedMs])
  })
  // Of 56 bits, the last three of which a double does not hold.
  const rejected = Math.round((1 - sampleRatio) * 2 ** 52) * 16
  const randomness = id.slice(-14)
  const sampled = Number.parseInt(randomness, 16) >= rejected
  current = {
    id,
    sampled,
    // A page that keeps everything has told others its randomness before it knew its session; nobody may hear two in one trace.
    traceState:
      (!rejected && current?.traceState) ||
      // A threshold says what weight the trace has; what is not kept has none.
      `ot=${sampled ? `th:${rejected.toString(16).padStart(14, '0').replace(/0+$/, '') || 0};` : ''}rv:${randomness}`,
  }
  return current
}
