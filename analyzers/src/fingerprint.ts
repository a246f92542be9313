import { createHash } from 'node:crypto'

/** Changes only when the parts or their order change: every id of every stored finding would change with it. */
const schemeVersion = 1

/**
 * Identity of a finding across runs, hosts and versions. No ids, values, counts, hosts or versions of the service go in.
 * `place` is the code location (file and function, never the line) or the normalised parent; `target` the normalised thing.
 */
export function fingerprintOf(parts: {
  readonly detector: string
  readonly service: string
  readonly operation: string
  readonly place: string
  readonly target: string
}): string {
  const { detector, service, operation, place, target } = parts
  return createHash('sha256')
    .update(JSON.stringify([schemeVersion, detector, service, operation, place, target]))
    .digest('hex')
}

/** `HS-` and 12 hex digits. */
export const findingId = (fingerprint: string): string => `HS-${fingerprint.slice(0, 12)}`
