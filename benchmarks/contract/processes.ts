import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'

export interface Worker {
  readonly child: ChildProcess
  /** The first line of its output: a JSON object that says where it listens. */
  readonly ready: Readonly<Record<string, unknown>>
  /** ms from spawn to that line. */
  readonly startMs: number
  stop(): Promise<void>
}

const pinning = availableParallelism() >= 2 && spawnSync('taskset', ['--version']).status === 0

/** Prefix that pins a command to one core, empty where that cannot be done. */
export function onCore(core: number): readonly string[] {
  return pinning ? ['taskset', '-c', String(core)] : []
}

/** Moves this process and all its threads to one core. */
export function pinSelf(core: number): void {
  if (pinning) spawnSync('taskset', ['-a', '-cp', String(core), String(process.pid)])
}

export const pinningNote = pinning
  ? 'app pinned to core 0, everything else to core 1'
  : 'not pinned: needs taskset and two cores'

/** Starts a Node process and waits for its first line. Rejects with its last output when it ends before. */
export async function startWorker(
  args: readonly string[],
  options: { core?: number; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Worker> {
  const startedMs = performance.now()
  const [command, ...rest] = [
    ...(options.core === undefined ? [] : onCore(options.core)),
    process.execPath,
    ...args,
  ]
  const child = spawn(command!, rest, {
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-2000)
  })
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('error', reject)
    void gone.then(() => reject(new Error(`${args.join(' ')} ended before it was ready: ${errors.trim()}`)))
  })
  return {
    child,
    ready: JSON.parse(line) as Record<string, unknown>,
    startMs: performance.now() - startedMs,
    async stop() {
      child.kill('SIGTERM')
      const hard = setTimeout(() => child.kill('SIGKILL'), 5000)
      await gone
      clearTimeout(hard)
    },
  }
}

/** CPU time of all living threads of a process so far, ms, from the kernel's scheduler (Linux). */
export function cpuMsOf(pid: number): number {
  let totalNs = 0
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      totalNs += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0])
    } catch {
      // The thread ended between the two reads.
    }
  }
  return totalNs / 1e6
}

/** Resident memory, MiB. */
export function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024
}
