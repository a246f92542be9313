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

const hex13 = (value: number): string => Math.round(value).toString(16).padStart(13, '0')

export interface Session {
  readonly id: string
  readonly sampled: boolean
  /** OpenTelemetry consistent probability sampling: rejection threshold and randomness. */
  readonly traceState: string
}

let current: Session | undefined
let startMs = 0
let usedMs = 0

/** The session, shared by the tabs of an origin; kept in memory where storage is refused. */
export const session = (): Session => {
  const atMs = Date.now()
  // Storage costs a millisecond at first touch and little later: read at the start and once a minute.
  if (current && atMs - usedMs < REFRESH_MS && atMs - startMs < MAX_MS) return current
  let id = current?.id
  try {
    // Throwing is the way to memory: nothing is read and nothing is stored without consent.
    if (consent !== 'granted') throw 0
    ;[id, startMs, usedMs] = JSON.parse(localStorage[KEY]) as [string, number, number]
  } catch {}
  if (!id || !(atMs - usedMs < IDLE_MS && atMs - startMs < MAX_MS)) {
    id = randomHex(16)
    startMs = atMs
  }
  usedMs = atMs
  // Writing can wait, a page that starts cannot.
  whenIdle(() => {
    if (consent === 'granted') localStorage[KEY] = JSON.stringify([current!.id, startMs, usedMs])
  })
  const { sampleRatio = 1 } = options
  // 52 bits are what a double holds exactly; the threshold has 56. 'g' is above all hex digits.
  const threshold = sampleRatio > 0 ? hex13(Math.max(0, 1 - sampleRatio) * 2 ** 52) : 'g'
  const randomness = id.slice(-14)
  current = {
    id,
    sampled: randomness >= threshold,
    traceState: `ot=th:${threshold.replace(/0+$/, '') || 0};rv:${randomness}`,
  }
  return current
}
