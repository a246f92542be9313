import { execFileSync } from 'node:child_process'
import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** PostgreSQL, or the user that it must run as, is not on this machine. */
export class PostgresMissingError extends Error {
  readonly code = 'SHOP_POSTGRES_MISSING'
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Debian keeps the server's programs out of PATH, one folder a version; the newest wins. */
function debianFolders(root: string): string[] {
  try {
    return readdirSync(root)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(root, version, 'bin'))
  } catch {
    return []
  }
}

/**
 * Folder that holds `initdb` and `postgres`: from PATH, else Debian's place.
 * @throws PostgresMissingError naming the package to install
 */
export function findPostgres(path = process.env.PATH ?? '', debianRoot = '/usr/lib/postgresql'): string {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), ...debianFolders(debianRoot)]
  const found = folders.find(
    (folder) => isExecutable(join(folder, 'initdb')) && isExecutable(join(folder, 'postgres')),
  )
  if (found !== undefined) return found
  throw new PostgresMissingError(
    'PostgreSQL is missing: no initdb and postgres in PATH or /usr/lib/postgresql/*/bin. Install it: apt-get install postgresql',
  )
}

/** Who owns the data: PostgreSQL refuses to run as root, so root hands over to Debian's `postgres` user. */
export interface DatabaseUser {
  readonly uid: number
  readonly gid: number
  /** Turns a command into one that runs as this user. */
  readonly as: (command: string, args: readonly string[]) => readonly [string, readonly string[]]
}

export function databaseUser(): DatabaseUser {
  const uid = process.getuid?.() ?? 0
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? 0, as: (command, args) => [command, args] }
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }).toString())
    return {
      uid: id('-u'),
      gid: id('-g'),
      as: (command, args) => ['runuser', ['-u', 'postgres', '--', command, ...args]],
    }
  } catch (cause) {
    throw new PostgresMissingError(
      'PostgreSQL does not run as root and there is no user "postgres". Install it: apt-get install postgresql',
      { cause },
    )
  }
}
