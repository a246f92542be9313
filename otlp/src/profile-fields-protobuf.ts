import type { DecodeBudget } from './decode-limits.ts'
import { expectedProfilesLayout } from './profile.ts'
import { readRepeated } from './repeated-protobuf.ts'
import { WireError } from './wire-error.ts'
import type { WireReader } from './wire-read.ts'

/** Passes over a field after the `known` ones, which are numbered from 1; one of these has a form that is not ours. */
export function skipUnknown(r: WireReader, tag: number, known: number): void {
  if (tag >>> 3 <= known) {
    throw new WireError('bad-value', r.at, `not the layout expected of profiles, ${expectedProfilesLayout},`)
  }
  r.skip(tag)
}

export function readUint64(r: WireReader): bigint {
  return BigInt.asUintN(64, r.int64BigInt())
}

export function readIndices(r: WireReader, budget: DecodeBudget, tag: number, into: number[]): void {
  readRepeated(r, budget, tag, () => into.push(r.int32()))
}
