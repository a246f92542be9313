import { encodeTarget } from './database-span.ts'

/** Where a client or a pool connects to. */
export interface Target {
  database?: string
  host?: string
  port?: number
}

const targetOfHolder = new WeakMap<Target, Uint8Array>()

/** `db.system.name`, namespace and server of a client or of a pool's options, encoded once per object. */
export function targetOf(holder: Target): Uint8Array {
  const known = targetOfHolder.get(holder)
  if (known !== undefined) return known
  const { database, host, port } = holder
  const encoded = encodeTarget('postgresql', database, host, port)
  targetOfHolder.set(holder, encoded)
  return encoded
}
