/** Edits (insert, delete, replace, swap neighbours) that turn `a` into `b`; bound by the callers' short names. */
export const editDistance = (a: string, b: string): number => {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replace = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1)
      let best = Math.min(replace, previous[column]! + 1, current[column - 1]! + 1)
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) best = Math.min(best, beforePrevious[column - 2]! + 1)
      current.push(best)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.length]!
}

/** The known name that a typing slip most likely meant: at most a third of its letters away; `undefined` when none is near. */
export const nearest = (got: string, known: readonly string[]): string | undefined => {
  const wanted = got.toLowerCase().slice(0, 64)
  let best: string | undefined
  let bestDistance = Infinity
  for (const name of known) {
    const lower = name.toLowerCase()
    const distance = editDistance(wanted, lower)
    const bound = Math.max(1, Math.floor(Math.max(wanted.length, lower.length) / 3))
    if (distance <= bound && distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}
