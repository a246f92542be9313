import type { DecodeBudget } from './decode-limits.ts'
import type { WireReader } from './wire-read.ts'

/** A repeated number: packed into one field, or one field each. */
export function readRepeated(r: WireReader, budget: DecodeBudget, tag: number, read: () => void): void {
  if ((tag & 7) !== 2) {
    budget.takeValue(r.at)
    read()
    return
  }
  const outer = r.enter()
  while (r.more()) {
    budget.takeValue(r.at)
    read()
  }
  r.leave(outer)
}
