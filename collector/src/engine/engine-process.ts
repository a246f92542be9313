/**
 * The child process that owns the engine: a chdb session pool behind the ClickHouse HTTP interface on a unix socket. An abort
 * of the engine ends this process and not the receiver. It ends with its parent.
 */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { isRunning, processStart } from '../data-directory/process-identity.ts'
import { AnswerMemory } from './answer-memory.ts'
import { answer } from './http-interface.ts'
import type { EngineMessage, EngineStart } from './messages.ts'
import { type EngineSession, SessionPool } from './session-pool.ts'

const start = JSON.parse(process.argv[2] ?? '{}') as EngineStart

function tell(message: EngineMessage): void {
  if (process.connected) process.send?.(message)
}

// The engine locks its store but says nothing about it when that fails, so that its holder is also written beside the store.
const holderPath = `${start.storeDir}.holder.json`

function heldByAnother(): boolean {
  try {
    const holder = JSON.parse(readFileSync(holderPath, 'utf8')) as { pid: number; start: string }
    return holder.pid !== process.pid && isRunning(holder.pid, holder.start)
  } catch {
    return false
  }
}

// A signal to the terminal's group must not end the engine before its parent has handed over what it holds.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
// Without a parent at once, as after a kill, which the store survives: `exit()` waits inside the library for a statement that still runs, at
// times for ever, and the store would stay locked.
const endAtOnce = () => process.kill(process.pid, 'SIGKILL')
process.on('disconnect', endAtOnce)
if (!process.connected) endAtOnce()

try {
  const chdb = createRequire(import.meta.url)(start.chdbPath) as {
    Session: new (path: string, options: { connectionArgs: string[] }) => EngineSession
  }
  const connectionArgs = [
    // Loading tables in the background races the first DDL after an unclean end.
    '--async_load_databases=0',
    '--async_load_system_database=0',
    `--config-file=${start.configPath}`,
    ...Object.entries(start.settings).map(([name, value]) => `--${name}=${value}`),
  ]
  const open = () => new chdb.Session(start.storeDir, { connectionArgs })
  const health = open()
  writeFileSync(holderPath, JSON.stringify({ pid: process.pid, start: processStart(process.pid) }), {
    mode: 0o600,
  })
  const first = await health.queryAsync('SELECT version()', { format: 'TabSeparated' })
  const version = Buffer.from(first.bytes()).toString('utf8').trim()
  const control = new SessionPool(open, 1)
  const engine = {
    queries: new SessionPool(open, start.querySessions),
    inserts: new SessionPool(open, start.insertSessions),
    control,
    health,
    memory: new AnswerMemory(control),
    scratchDir: start.scratchDir,
    version,
    settings: start.settings,
    stuck: () => {
      process.stderr.write('engine: a statement did not come back, ending the process\n')
      process.kill(process.pid, 'SIGKILL')
    },
  }
  const server = createServer({ keepAliveTimeout: 120_000, requestTimeout: 0 }, (request, response) => {
    answer(engine, request, response).catch((error: unknown) => {
      process.stderr.write(`engine: ${error instanceof Error ? error.stack : String(error)}\n`)
      response.destroy()
    })
  })
  process.on('message', (message: { type?: string }) => {
    const idle = engine.queries.isIdle && engine.inserts.isIdle
    if (message.type !== 'close' && !(message.type === 'close-if-idle' && idle)) return
    server.close()
    server.closeIdleConnections()
    engine.queries.closeAll()
    engine.inserts.closeAll()
    engine.control.closeAll()
    health.close()
    process.exit(0)
  })
  rmSync(start.socketPath, { force: true })
  server.listen(start.socketPath, () => {
    chmodSync(start.socketPath, 0o600)
    tell({ type: 'ready', version })
  })
} catch (error) {
  const locked = heldByAnother()
  const message = error instanceof Error ? error.message : String(error)
  tell({ type: 'failed', message: locked ? 'another process has it open' : message, locked })
  process.disconnect?.()
}
