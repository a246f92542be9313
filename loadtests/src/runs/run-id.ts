import { randomBytes } from 'node:crypto'

/** `run-20261121T124402-1a2b3c4d`: sorts by time (UTC), unique by 32 random bits. */
export function newRunId(startedAtUnixMs: number): string {
  const time = new Date(startedAtUnixMs).toISOString().slice(0, 19).replace(/[-:]/g, '')
  return `run-${time}-${randomBytes(4).toString('hex')}`
}

/** Ids become folder names: letters, digits, dot, dash, underscore, and never a path. */
export const runIdPattern = /^run-[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
