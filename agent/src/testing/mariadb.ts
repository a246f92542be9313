import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { findProgram, missing, type ServerProcess, startServer } from './server-process.ts'

const server = findProgram('mariadbd')
const installer = findProgram('mariadb-install-db')

/** Why no MariaDB can be started here, or undefined. */
export const mariadbMissing = (): string | undefined =>
  missing(
    'mariadb',
    installer === undefined ? undefined : server,
    'MariaDB is not installed (mariadbd and mariadb-install-db; Debian package mariadb-server)',
  )

/** A server of its own in a temporary folder, on a free port of the loopback interface; user `root` without a password. */
export async function startMariadb(): Promise<ServerProcess> {
  if (server === undefined || installer === undefined) throw new Error('MariaDB is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-mariadb-'))
  const data = join(folder, 'data')
  // As root it wants to be told that it is meant so.
  const user = userInfo().uid === 0 ? ['--user=root'] : []
  execFileSync(
    installer,
    [
      '--no-defaults',
      ...user,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      `--datadir=${data}`,
    ],
    { stdio: 'ignore', cwd: folder },
  )
  const port = await freePort()
  const running = await startServer(
    server,
    [
      '--no-defaults',
      ...user,
      `--datadir=${data}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(folder, 's')}`,
      '--skip-log-bin',
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-buffer-pool-size=16M',
    ],
    port,
  )
  return {
    port,
    async stop() {
      await running.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
