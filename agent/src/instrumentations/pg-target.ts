import { type DatabaseTarget, databaseTarget } from './database-span.ts'

/** Where a client or a pool connects to. */
export interface Target {
  database?: string
  host?: string
  port?: number
}

const targetOfHolder = new WeakMap<Target, DatabaseTarget>()

/** The target of a client or of a pool's options, made once per object. */
export function targetOf(holder: Target): DatabaseTarget {
  const known = targetOfHolder.get(holder)
  if (known !== undefined) return known
  const { database, host, port } = holder
  const target = databaseTarget('postgresql', database, host, port)
  targetOfHolder.set(holder, target)
  return target
}
