import { freePort } from './free-port.ts'
import { findProgram, missing, type ServerProcess, startServer } from './server-process.ts'

const program = findProgram('redis-server')

/** Why no Redis can be started here, or undefined. */
export const redisMissing = (): string | undefined =>
  missing('redis', program, 'Redis is not installed (redis-server; Debian package redis-server)')

/** A server of its own, on a free port of the loopback interface, that writes nothing to disk. */
export const startRedis = (): Promise<ServerProcess> => startRedisWith([])

/** The same with further arguments; the name of a file of settings comes first among them. */
export async function startRedisWith(more: readonly string[]): Promise<ServerProcess> {
  if (program === undefined) throw new Error('Redis is not installed')
  const port = await freePort()
  const own = ['--port', `${port}`, '--bind', '127.0.0.1']
  const isSentinel = more.includes('--sentinel')
  return startServer(
    program,
    [...more, ...own, ...(isSentinel ? [] : ['--save', '', '--appendonly', 'no'])],
    port,
  )
}
