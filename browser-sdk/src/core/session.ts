import { randomHex } from './ids.ts'
import { options } from './options.ts'

/** Ends after 30 minutes without use, and after 4 hours at most. */
const IDLE_MS = 1_800_000
const MAX_MS = 14_400_000
const KEY = 'hotspan.session'

export interface Session {
  readonly id: string
  readonly sampled: boolean
  /** OpenTelemetry consistent probability sampling: rejection threshold and randomness. */
  readonly traceState: string
}

let current: Session | undefined
let startMs = 0
let usedMs = 0

const decide = (id: string): Session => {
  const ratio = options.sampleRatio ?? 1
  // 52 bits are what a double holds exactly; the threshold has 56.
  const threshold =
    ratio > 0
      ? Math.round((1 - Math.min(1, ratio)) * 2 ** 52)
          .toString(16)
          .padStart(13, '0') + '0'
      : 'g'
  const randomness = id.slice(-14)
  return {
    id,
    sampled: randomness >= threshold,
    traceState: `ot=th:${threshold.replace(/0+$/, '') || 0};rv:${randomness}`,
  }
}

/** The session, shared by the tabs of an origin; kept in memory where storage is refused. */
export const session = (): Session => {
  const atMs = Date.now()
  const alive = () => atMs - usedMs < IDLE_MS && atMs - startMs < MAX_MS
  // Storage costs a millisecond at first touch and little later: read at the start and once a minute.
  if (current && alive() && atMs - usedMs < 60_000) return current
  let id = current?.id
  try {
    const [storedId, started, used] = (localStorage.getItem(KEY) ?? '').split(' ')
    if (/^[\da-f]{32}$/.test(storedId!)) {
      id = storedId
      startMs = Number(started)
      usedMs = Number(used)
    }
  } catch {}
  if (!id || !alive()) {
    id = randomHex(16)
    startMs = atMs
  }
  usedMs = atMs
  try {
    localStorage.setItem(KEY, `${id} ${startMs} ${usedMs}`)
  } catch {}
  if (current?.id !== id) current = decide(id)
  return current!
}
