/** Failures of our own work since the page was loaded, oldest first. */
export const failures: unknown[] = []

/**
 * Wraps our work inside someone else's page: it never throws, and what failed three times stays off until the next load.
 * The answer is `undefined` when the work failed or is off.
 */
export const guard = <A extends unknown[], R>(work: (...args: A) => R): ((...args: A) => R | undefined) => {
  let strikes = 0
  return (...args) => {
    if (strikes < 3)
      try {
        return work(...args)
      } catch (error) {
        strikes++
        failures.push(error)
      }
  }
}
