import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from './free-port.ts'

export interface Postgres {
  readonly host: string
  readonly port: number
  /** Variables that libpq clients and pg read. */
  readonly env: Record<string, string>
  stop(): void
}

/** Folder of `initdb` and `pg_ctl`: on the path, or where Debian keeps them. */
function binaryFolder(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const folders = (process.env.PATH ?? '').split(':')
  if (existsSync(debian)) {
    for (const version of readdirSync(debian).sort((a, b) => Number(b) - Number(a))) {
      folders.push(join(debian, version, 'bin'))
    }
  }
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'pg_ctl')))
}

/**
 * Why no PostgreSQL can be started here, or undefined. Throws instead when `HOTSPAN_REQUIRE` names postgres: then a missing
 * server is a failure.
 */
export function postgresMissing(): string | undefined {
  if (binaryFolder() !== undefined) return undefined
  const reason = 'PostgreSQL is not installed (initdb and pg_ctl; Debian package postgresql)'
  if ((process.env.HOTSPAN_REQUIRE ?? '').split(',').includes('postgres')) throw new Error(reason)
  console.warn(`skipped: ${reason}`)
  return reason
}

/** A server of its own, in a temporary folder, on a free port of the loopback interface. */
export async function startPostgres(): Promise<Postgres> {
  const binaries = binaryFolder()
  if (binaries === undefined) throw new Error('PostgreSQL is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-pg-'))
  // The server refuses to run as root; Debian's package brings the user `postgres`.
  const isRoot = userInfo().uid === 0
  const run = (program: string, ...args: string[]): void => {
    const path = join(binaries, program)
    const [file, all] = isRoot ? ['runuser', ['-u', 'postgres', '--', path, ...args]] : [path, args]
    execFileSync(file, all, { stdio: 'ignore', cwd: folder })
  }
  if (isRoot) {
    const ids = execFileSync('id', ['-u', 'postgres']).toString()
    chownSync(folder, Number(ids), Number(execFileSync('id', ['-g', 'postgres']).toString()))
  }
  const data = join(folder, 'data')
  run('initdb', '-A', 'trust', '-U', 'postgres', '-D', data, '--no-sync')
  const port = await freePort()
  const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off`
  run('pg_ctl', '-D', data, '-o', options, '-l', join(folder, 'log'), '-w', 'start')
  return {
    host: '127.0.0.1',
    port,
    env: { PGHOST: '127.0.0.1', PGPORT: String(port) },
    stop() {
      run('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Runs statements one after the other. */
export async function execute({ host, port }: Postgres, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ host, port, user: 'postgres', database: 'postgres' })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}
