/** One line for the operator. */
export type Log = (line: string) => void

const EVERY_MS = 60_000

/** Writes to standard error, at most once a minute; what was held back is counted in the next line. */
export function createLog(write: (text: string) => void = (text) => process.stderr.write(text)): Log {
  let lastMs = Number.NEGATIVE_INFINITY
  let held = 0
  return (line) => {
    const nowMs = Date.now()
    if (nowMs - lastMs < EVERY_MS) {
      held++
      return
    }
    lastMs = nowMs
    const more = held > 0 ? ` (and ${held} more messages since the last one)` : ''
    held = 0
    try {
      write(`[hotspan] ${line}${more}\n`)
    } catch {
      // Standard error is closed: nobody to tell.
    }
  }
}
