import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'

/** A program on the path, or in one of the folders where Debian keeps servers. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', ...folders]) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here.
    }
  }
  return undefined
}

/**
 * Why a component is missing, or undefined when `path` is known. Throws instead when `HOTSPAN_REQUIRE` names it: then a missing
 * component is a failure.
 */
export function missing(component: string, path: string | undefined, reason: string): string | undefined {
  if (path !== undefined) return undefined
  if ((process.env.HOTSPAN_REQUIRE ?? '').split(',').includes(component)) throw new Error(reason)
  console.warn(`skipped: ${reason}`)
  return reason
}

export interface ServerProcess {
  readonly port: number
  stop(): Promise<void>
}

/** Starts a server and resolves once its port takes connections; rejects with its output when it ends before. */
export async function startServer(
  path: string,
  args: readonly string[],
  port: number,
): Promise<ServerProcess> {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => {
      output = (output + part).slice(-8192)
    })
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${path} ended:\n${output}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return { port, stop: () => stopProcess(child, ended) }
}

function stopProcess(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGKILL')
  return ended
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
