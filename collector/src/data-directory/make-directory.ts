import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { CollectorError, messageOf } from '../errors.ts'

/**
 * A directory of ours that can be written, made with its parents where it is missing. Returns what was made, outermost first.
 * Not by the `recursive` of `mkdir`: below a file system that takes no entries (/proc) that never returns. Throws `HS_DATA_DIR`.
 */
export function makeDirectory(directory: string): readonly string[] {
  const path = resolve(directory)
  const missing: string[] = []
  for (let at = path; !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at)
  try {
    const made = missing.filter(madeHere)
    if (!statSync(path).isDirectory()) throw new Error('it is no directory')
    accessSync(path, constants.W_OK)
    return made
  } catch (cause) {
    throw notWritable(path, cause)
  }
}

/** False when somebody else was quicker. */
function madeHere(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

export function notWritable(path: string, cause: unknown): CollectorError {
  return new CollectorError(
    'HS_DATA_DIR',
    `${path} cannot be made or written: ${messageOf(cause)}. Choose another directory (--data-dir, HOTSPAN_DATA_DIR).`,
    { cause },
  )
}
