/** Failures of our own work since the page was loaded, oldest first. */
export const failures: unknown[] = []

/** Nothing guarded runs: patches, listeners, observers, walks and timers stay where they are and do nothing. */
export let silent = false

export const setSilent = (given: boolean): void => {
  silent = given
}

/**
 * Wraps our work inside someone else's page: it never throws, and what failed three times stays off until the next load; not so
 * `onTheirs`, work on what the page gives and may get wrong. The answer is `undefined` when the work failed or is off.
 */
export const guard = <A extends unknown[], R>(
  work: (...args: A) => R,
  onTheirs?: boolean,
): ((...args: A) => R | undefined) => {
  let strikes = 0
  return (...args) => {
    if (strikes < 3 && !silent)
      try {
        return work(...args)
      } catch (error) {
        if (onTheirs) return
        strikes++
        failures.push(error)
      }
  }
}

/** For what may well throw. */
export const attempt = <R>(read: () => R): R | undefined => {
  try {
    return read()
  } catch {}
}
