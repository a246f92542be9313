const failures: Record<string, number> = {}

/**
 * Wraps our work inside someone else's page: it never throws, and a feature that failed three times stays off until the
 * next load. The answer is `undefined` when the work failed or is off.
 */
export const guard =
  <A extends unknown[], R>(feature: string, work: (...args: A) => R): ((...args: A) => R | undefined) =>
  (...args) => {
    if (failures[feature]! > 2) return
    try {
      return work(...args)
    } catch {
      failures[feature] = (failures[feature] ?? 0) + 1
    }
  }

/** Failures by feature since the page was loaded; three mean that the feature is off. */
export const failuresByFeature = (): Readonly<Record<string, number>> => ({ ...failures })
