import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { onCore } from '../contract/processes.ts'

const run = promisify(execFile)

export interface Postgres {
  readonly url: string
  readonly version: string
  stop(): Promise<void>
}

/** A PostgreSQL of its own in a temporary folder, on a free port of 127.0.0.1, with 1,000 small rows. */
export async function startPostgres(core: number): Promise<Postgres> {
  const bin = serverBinaries()
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-bench-pg-'))
  const data = join(folder, 'data')
  // PostgreSQL refuses to run as root; Debian's package makes the user that may.
  const asUser: string[] = []
  if (process.getuid?.() === 0) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, 'postgres']).stdout))
    chownSync(folder, uid!, gid!)
    asUser.push('runuser', '-u', 'postgres', '--')
  }
  let server: ChildProcess | undefined
  const stop = async () => {
    if (server && server.exitCode === null && server.signalCode === null) {
      const gone = new Promise((resolve) => server!.once('exit', resolve))
      // runuser does not hand SIGINT on, so the server itself gets it: a fast shutdown, whatever is connected.
      const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
      process.kill(pid, 'SIGINT')
      await gone
    }
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const [initCommand, ...initArgs] = [
      ...asUser,
      join(bin, 'initdb'),
      '-D',
      data,
      '-A',
      'trust',
      '-U',
      'postgres',
      '-N',
    ]
    await run(initCommand!, initArgs, { cwd: folder })
    const port = await freePort()
    const settings = [
      // Every contender of a round has its own pool.
      '-c',
      'max_connections=250',
      '-c',
      'fsync=off',
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      `unix_socket_directories=${folder}`,
    ]
    const whole = [
      ...onCore(core),
      ...asUser,
      join(bin, 'postgres'),
      '-D',
      data,
      '-p',
      String(port),
      ...settings,
    ]
    server = spawn(whole[0]!, whole.slice(1), { cwd: folder, stdio: 'ignore' })
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`
    return { url, version: await prepare(url, server), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function prepare(url: string, server: ChildProcess): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const client = new pg.Client({ connectionString: url })
    try {
      await client.connect()
      await client.query(
        'CREATE TABLE bench_products (id int PRIMARY KEY, name text NOT NULL, price numeric NOT NULL)',
      )
      await client.query(
        "INSERT INTO bench_products SELECT i, 'product ' || i, i * 1.5 FROM generate_series(1, 1010) i",
      )
      await client.query('ANALYZE bench_products')
      const { rows } = await client.query('SHOW server_version')
      return String(rows[0].server_version)
    } catch (error) {
      if (attempt === 100 || server.exitCode !== null) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    } finally {
      await client.end().catch(() => {})
    }
  }
}

function serverBinaries(): string {
  const debian = '/usr/lib/postgresql'
  if (existsSync(debian)) {
    const versions = readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    const found = versions.map((v) => join(debian, v, 'bin')).find((bin) => existsSync(join(bin, 'initdb')))
    if (found) return found
  }
  if (spawnSync('initdb', ['--version']).status === 0) return ''
  throw new Error('PostgreSQL was not found; install it (Debian: apt-get install postgresql)')
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}
