/**
 * Faults of our own code inside the app. A hook never throws into the app: it counts, and after ten faults its instrumentation
 * is switched off.
 */
const MOST_FAULTS = 10

export interface FaultCount {
  faults: number
  /** True once the instrumentation has been switched off by its faults. */
  off: boolean
  /** The last fault's message. */
  last: string
}

const counts = new Map<string, FaultCount>()
let report: (line: string) => void = () => {}

export const reportFaultsTo = (log: (line: string) => void): void => {
  report = log
}

/** The counter of one instrumentation; its hooks look at `off` first. */
export function faultCount(instrumentation: string): FaultCount {
  let count = counts.get(instrumentation)
  if (count === undefined) {
    count = { faults: 0, off: false, last: '' }
    counts.set(instrumentation, count)
  }
  return count
}

/** Counts a fault of `instrumentation`. */
export function fault(instrumentation: string, error: unknown): void {
  const count = faultCount(instrumentation)
  count.faults++
  count.last = error instanceof Error ? error.message : String(error)
  if (count.faults >= MOST_FAULTS && !count.off) {
    count.off = true
    report(
      `${instrumentation} is switched off after ${MOST_FAULTS} faults of our own; the last: ${count.last}`,
    )
  }
}

/** Counts by instrumentation, those without a fault left out. */
export const faultCounts = (): Record<string, FaultCount> =>
  Object.fromEntries([...counts].filter(([, count]) => count.faults > 0))
