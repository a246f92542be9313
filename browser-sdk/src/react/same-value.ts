/** Beyond these a comparison is given up, which counts as different: a doubt is never called waste. */
const MAX_DEPTH = 3
const MAX_NODES = 200

let nodes = 0

// No closures and no lists of keys: one commit of a long list compares thousands of values.
const same = (a: unknown, b: unknown, depth: number, elements: boolean): boolean => {
  if (Object.is(a, b)) return true
  if (typeof a !== typeof b) return false
  if (typeof a === 'function') return true
  if (typeof a !== 'object' || !a || !b) return false
  if (depth < 0) nodes = 0
  if (--nodes < 0) return false
  const x = a as Record<string, unknown>
  const y = b as Record<string, unknown>
  if (x.$$typeof)
    return elements && x.type === y.type && x.key === y.key && same(x.props, y.props, MAX_DEPTH, true)
  const kind = x.constructor
  if (kind !== y.constructor || (kind !== Object && kind !== Array)) return false
  let surplus = 0
  for (const key in x) {
    if (!same(x[key], y[key], depth - 1, elements)) return false
    surplus++
  }
  for (const _ in y) surplus--
  return !surplus
}

/**
 * Equal by value: plain objects and arrays to depth 3, 200 nodes. Functions are equal, for only their identity can be seen.
 * React elements are different, or with `elements` compared by type, key and props.
 */
export const sameValue = (before: unknown, after: unknown, elements = false): boolean => {
  nodes = MAX_NODES
  return same(before, after, MAX_DEPTH, elements)
}

/** Of a difference that was just found: nothing differed as far as was looked. */
export const gaveUp = (): boolean => nodes < 0
