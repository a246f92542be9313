import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { findProgram, missing, type ServerProcess } from './server-process.ts'

/** Debian's program on the path asks for the user `rabbitmq`; the one behind it runs as anybody. */
const program = existsSync('/usr/lib/rabbitmq/bin/rabbitmq-server')
  ? '/usr/lib/rabbitmq/bin/rabbitmq-server'
  : findProgram('rabbitmq-server')

/** Why no RabbitMQ can be started here, or undefined. */
export const rabbitmqMissing = (): string | undefined =>
  missing('rabbitmq', program, 'RabbitMQ is not installed (rabbitmq-server; Debian package rabbitmq-server)')

/** A broker of its own in a temporary folder, on free ports of the loopback interface, with a name server of its own. */
export async function startRabbitmq(): Promise<ServerProcess> {
  if (program === undefined) throw new Error('RabbitMQ is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-rabbitmq-'))
  const [port, distribution, names] = [await freePort(), await freePort(), await freePort()]
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    ERL_EPMD_PORT: `${names}`,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `hotspan-${names}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: `${port}`,
    RABBITMQ_DIST_PORT: `${distribution}`,
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_CONFIG_FILE: join(folder, 'none'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
  }
  // A shell script that stays before the virtual machine: both are one group, and end together.
  const child = spawn(program, [], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => {
      output = (output + part).slice(-8192)
    })
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`RabbitMQ ended:\n${output}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    port,
    async stop() {
      process.kill(-child.pid!, 'SIGKILL')
      await ended
      // Erlang's name server was started as a daemon of this port; it stays when its last node is gone.
      execFileSync('epmd', ['-port', `${names}`, '-relaxed_command_check', '-kill'], { stdio: 'ignore', env })
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const takesConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
