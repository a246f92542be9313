/**
 * The process that owns one PostgreSQL server and its data. It sits between the shop and the server so that the data goes away
 * however the shop ends: when the channel to the parent closes (also by `kill -9`), it stops the server and removes the folder.
 */
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { becomeChild } from '../processes/become-child.ts'
import { freePort } from '../processes/free-port.ts'
import { databaseUser, findPostgres } from './binaries.ts'
import { seedDatabase } from './seed.ts'

const run = promisify(execFile)

/** Speed before safety: the data is made anew on every start, so nothing has to survive a crash. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '4GB',
  shared_buffers: '256MB',
  maintenance_work_mem: '256MB',
  autovacuum: 'off',
  // A plan must not depend on how many cores the machine has.
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  jit: 'off',
  random_page_cost: '1.1',
  timezone: 'UTC',
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

async function main(): Promise<void> {
  const folder = findPostgres()
  const user = databaseUser()
  const home = mkdtempSync(join(tmpdir(), 'hotspan-shop-db-'))
  chownSync(home, user.uid, user.gid)
  const data = join(home, 'data')
  const remove = () => rmSync(home, { recursive: true, force: true })

  let stop = async () => remove()
  const child = becomeChild(() => stop())

  const password = randomBytes(12).toString('hex')
  await writeFile(join(home, 'password'), password, { mode: 0o600 })
  chownSync(join(home, 'password'), user.uid, user.gid)
  const [initdb, initdbArgs] = user.as(join(folder, 'initdb'), [
    ...['-D', data, '-U', 'shop', '-A', 'scram-sha-256', '--pwfile', join(home, 'password')],
    ...['--no-sync', '--locale=C', '-E', 'UTF8'],
  ])
  await run(initdb, [...initdbArgs], { cwd: home })

  const port = await freePort()
  const options = Object.entries({ ...settings, port: String(port) }).flatMap(([k, v]) => ['-c', `${k}=${v}`])
  const [command, args] = user.as(join(folder, 'postgres'), ['-D', data, ...options])
  // A group of its own: an interrupt from the terminal must reach the shop, which then stops its parts in order.
  const server = spawn(command, [...args], { cwd: home, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let log = ''
  const keepTail = (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4_000)
  }
  server.stdout.on('data', keepTail)
  server.stderr.on('data', keepTail)
  const ended = once(server, 'exit')
  const postmasterPid = () => Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])

  stop = async () => {
    if (server.exitCode === null && server.signalCode === null) {
      try {
        process.kill(postmasterPid(), 'SIGQUIT')
      } catch {
        server.kill('SIGTERM')
      }
      await ended
    }
    remove()
  }

  const url = `postgres://shop:${password}@127.0.0.1:${port}/postgres`
  while (!(await answers(url))) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended with code ${server.exitCode}:\n${log}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  await seedDatabase(url)
  child.ready({ url, pid: postmasterPid(), folder: home })
}

await main()
