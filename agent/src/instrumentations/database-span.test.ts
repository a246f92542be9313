import { EventEmitter } from 'node:events'
import { Command, Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { runtime } from '../core/runtime.ts'
import type { AgentSpan } from '../core/span.ts'
import { beginSpan, runIn } from '../core/tracer.ts'
import { faultCount } from '../faults.ts'
import { createLocalTail } from '../sampling/local-tail.ts'
import { instrumentIoredis } from './ioredis.ts'
import { instrumentMysql2 } from './mysql2.ts'

let measured: number[] = []
const measure = (): void => {
  measured = []
  runtime.databaseMetrics = { called: (_span, _call, durationSec) => measured.push(durationSec) }
}
afterEach(() => {
  runtime.databaseMetrics = null
  runtime.tail = null
  runtime.ended = () => {}
})

const newRoot = (): AgentSpan => beginSpan(undefined, EMPTY_CONTEXT, 0, 0, 'root', 0)

/** A driver's connection as far as the instrumentation knows it. */
function newMysql() {
  class Connection {
    query(_sql: string): EventEmitter {
      return new EventEmitter()
    }
    execute(): void {}
    prepare(_sql: string, callback: (error: unknown, statement: unknown) => unknown): unknown {
      return callback(null, new Statement())
    }
  }
  class Statement {
    execute(): void {}
  }
  instrumentMysql2({ Connection, createServer() {} })
  return { connection: new Connection(), Statement }
}

test('a query that fails and then ends is measured once, also while its span waits for its root', () => {
  measure()
  const sent: AgentSpan[] = []
  runtime.ended = (span) => sent.push(span)
  runtime.tail = createLocalTail(1000)
  const { connection } = newMysql()
  const root = newRoot()
  const query = runIn(root, () => connection.query('SELECT 1'), undefined)
  query.once('error', () => {})
  query.emit('error', new Error('refused'))
  query.emit('end')
  expect(measured).toHaveLength(1)
  root.endQuietly(5000)
  expect(sent.map(({ name, statusMessage }) => [name, statusMessage])).toEqual([
    ['SELECT', 'refused'],
    ['root', ''],
  ])
})

test('a span ends even when its measurement fails', () => {
  const sent: AgentSpan[] = []
  runtime.ended = (span) => sent.push(span)
  runtime.databaseMetrics = {
    called() {
      throw new Error('metrics fail')
    },
  }
  const { connection } = newMysql()
  const before = faultCount('mysql2').faults
  runIn(newRoot(), () => connection.query('SELECT 1'), undefined).emit('end')
  expect(sent.map(({ name }) => name)).toEqual(['SELECT'])
  expect(faultCount('mysql2').faults).toBe(before + 1)
})

test('a prepared statement that cannot be wrapped reaches the app all the same', () => {
  const { connection, Statement } = newMysql()
  Object.freeze(Statement.prototype)
  const before = faultCount('mysql2').faults
  const given: unknown[] = []
  connection.prepare('SELECT 1', (error, statement) => given.push(error, statement))
  expect(given).toEqual([null, expect.any(Statement)])
  expect(faultCount('mysql2').faults).toBe(before + 1)
})

test('a command that comes by again is written once, also when the socket throws after it', () => {
  instrumentIoredis({ Redis })
  const client = new Redis({ lazyConnect: true })
  // Ready, without a server.
  Object.assign(client, { status: 'ready', stream: { writable: true } })
  let writes = 0
  const socket = {
    write() {
      writes++
      throw new Error('broken')
    },
  }
  const before = faultCount('ioredis').faults
  const command = new Command('get', ['a'])
  command.promise.catch(() => {})
  const send = (): unknown =>
    runIn(newRoot(), () => client.sendCommand(command, socket as never) as unknown, undefined)
  for (const time of [1, 2]) {
    expect(send).toThrow('broken')
    expect(writes).toBe(time)
  }
  expect(faultCount('ioredis').faults).toBe(before)
})
