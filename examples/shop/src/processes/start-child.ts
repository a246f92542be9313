import { type ChildProcess, spawn } from 'node:child_process'
import type { ChildMessage } from './become-child.ts'

/** A part of the shop did not start. `code` is the part's own error code, if it had one. */
export class ChildStartError extends Error {
  readonly code: string
  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }
}

export interface ChildOptions {
  /** How it is called in messages. */
  readonly name: string
  readonly script: string
  /** Options of Node itself, before the script. */
  readonly nodeOptions?: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** ms until the start counts as failed. */
  readonly startLimitMs?: number
}

export interface RunningChild {
  readonly name: string
  readonly pid: number
  readonly facts: Readonly<Record<string, string | number>>
  /** Asks it to stop and waits; after 10 s it is killed. Calling it again waits for the same end. */
  close(): Promise<void>
}

const forcedAfterMs = 10_000

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => child.once('exit', () => resolve()))
}

async function stop(child: ChildProcess): Promise<void> {
  const force = setTimeout(() => child.kill('SIGKILL'), forcedAfterMs)
  child.kill('SIGTERM')
  await ended(child)
  clearTimeout(force)
}

/**
 * Starts a Node process that calls `becomeChild` and waits until it is ready.
 * @throws ChildStartError when it ends, fails or takes too long; it is stopped then
 */
export async function startChild(options: ChildOptions): Promise<RunningChild> {
  const { name, script, nodeOptions = [], startLimitMs = 60_000 } = options
  const child = spawn(process.execPath, [...nodeOptions, script], {
    cwd: options.cwd,
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  try {
    const facts = await new Promise<Readonly<Record<string, string | number>>>((resolve, reject) => {
      const limit = setTimeout(
        () =>
          reject(
            new ChildStartError(`${name} was not ready within ${startLimitMs / 1000} s`, 'SHOP_START_LIMIT'),
          ),
        startLimitMs,
      )
      const settle = (act: () => void) => {
        clearTimeout(limit)
        act()
      }
      child.once('error', (error) => settle(() => reject(error)))
      child.once('exit', (code, signal) =>
        settle(() =>
          reject(
            new ChildStartError(`${name} ended with ${signal ?? code} before it was ready`, 'SHOP_START'),
          ),
        ),
      )
      child.on('message', (message: ChildMessage) => {
        if (message.type === 'ready') settle(() => resolve(message.facts))
        else settle(() => reject(new ChildStartError(`${name}: ${message.message}`, message.code)))
      })
    })
    let closing: Promise<void> | undefined
    return {
      name,
      pid: child.pid ?? 0,
      facts,
      close: () => {
        closing ??= stop(child)
        return closing
      },
    }
  } catch (error) {
    if (child.pid !== undefined) await stop(child)
    throw error
  }
}
