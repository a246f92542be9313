import type { AnyValue, KeyValue } from '@hotspan/otlp'
import { WireError, type WireReader } from '@hotspan/otlp/wire'

/** What the values of one body may be; past it `readNestedValue` throws `WireError`. */
export interface ValueBudget {
  valuesLeft: number
  readonly maxDepth: number
}

/**
 * One array, key-value list or bytes field of an AnyValue as an object: rare enough that objects are fine here.
 * The reader stands on the field's tag.
 */
export function readNestedValue(r: WireReader, budget: ValueBudget, depth: number): AnyValue {
  const tag = r.tag()
  if (tag === 58) return r.slice()
  const outer = r.enter()
  const items: AnyValue[] = []
  const kvlist: KeyValue[] = []
  while (r.more()) {
    const inner = r.tag()
    if (inner !== 10) {
      r.skip(inner)
      continue
    }
    if (--budget.valuesLeft < 0) throw new WireError('too-many', r.at, 'more attribute values than allowed')
    const end = r.enter()
    if (tag === 42) items.push(readValue(r, budget, depth + 1))
    else kvlist.push(readEntry(r, budget, depth + 1))
    r.leave(end)
  }
  r.leave(outer)
  return tag === 42 ? items : { kvlist }
}

function readEntry(r: WireReader, budget: ValueBudget, depth: number): KeyValue {
  let key = ''
  let value: AnyValue = null
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) key = r.string()
    else if (tag === 18) {
      const outer = r.enter()
      value = readValue(r, budget, depth)
      r.leave(outer)
    } else r.skip(tag)
  }
  return { key, value }
}

function readValue(r: WireReader, budget: ValueBudget, depth: number): AnyValue {
  if (depth > budget.maxDepth)
    throw new WireError('too-deep', r.at, `attribute nested deeper than ${budget.maxDepth}`)
  let value: AnyValue = null
  while (r.more()) {
    const at = r.at
    const tag = r.tag()
    if (tag === 10) value = r.string()
    else if (tag === 16) value = r.bool()
    else if (tag === 24) value = r.int64BigInt()
    else if (tag === 33) value = r.double()
    else if (tag === 42 || tag === 50 || tag === 58) {
      r.at = at
      value = readNestedValue(r, budget, depth)
    } else r.skip(tag)
  }
  return value
}
