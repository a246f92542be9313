/** Beyond these a comparison is given up, which counts as different: a doubt is never called waste. */
const MAX_DEPTH = 3
const MAX_NODES = 200

/**
 * Equal by value: plain objects and arrays to depth 3, 200 nodes. Functions are equal, for only their identity can be seen.
 * React elements are different, or with `elements` compared by type, key and props.
 */
export const sameValue = (before: unknown, after: unknown, elements = false): boolean => {
  let nodes = MAX_NODES
  const same = (a: unknown, b: unknown, depth: number): boolean => {
    if (Object.is(a, b)) return true
    if (typeof a !== typeof b) return false
    if (typeof a === 'function') return true
    if (typeof a !== 'object' || !a || !b || depth < 0 || --nodes < 0) return false
    const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>]
    if (x.$$typeof)
      return elements && x.type === y.type && x.key === y.key && same(x.props, y.props, MAX_DEPTH)
    const kind = x.constructor
    if (kind !== y.constructor || (kind !== Object && kind !== Array)) return false
    const keys = Object.keys(x)
    return keys.length === Object.keys(y).length && keys.every((key) => same(x[key], y[key], depth - 1))
  }
  return same(before, after, MAX_DEPTH)
}
