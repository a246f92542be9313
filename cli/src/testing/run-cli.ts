import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const mainFile = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface CliResult {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliProcess {
  readonly child: ChildProcess
  readonly ended: Promise<CliResult>
  /** Resolves with the first match in everything printed so far (both streams); rejects when the process ends without it. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>
}

/** Starts the built command as a process of its own, without a terminal and without settings of the machine. */
export const startCli = (
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): CliProcess => {
  if (!existsSync(mainFile)) throw new Error('cli/dist is missing: run npm run build first')
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env }
  for (const name of Object.keys(env)) {
    const foreign =
      /^(HOTSPAN_|OTEL_)/.test(name) || ['NODE_OPTIONS', 'FORCE_COLOR', 'NO_COLOR'].includes(name)
    if (foreign && options.env?.[name] === undefined) delete env[name]
  }
  const child = spawn(process.execPath, [mainFile, ...args], {
    cwd: options.cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of [...listeners]) listener()
  }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
    tell()
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
    tell()
  })
  let over = false
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode, signal) => {
      over = true
      resolve({ exitCode, signal, stdout, stderr })
      tell()
    })
  })
  return {
    child,
    ended,
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(`${stdout}\n${stderr}`)
          if (match === null && !over) return
          listeners.delete(look)
          if (match !== null) resolve(match)
          else reject(new Error(`ended without ${pattern}:\n${stdout}\n${stderr}`))
        }
        listeners.add(look)
        look()
      }),
  }
}

export const runCli = (
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<CliResult> => startCli(args, options).ended

/** An empty directory that is gone after `use`. */
export const inTemporaryDirectory = async <T>(use: (directory: string) => Promise<T>): Promise<T> => {
  const directory = await mkdtemp(join(tmpdir(), 'hotspan-cli-'))
  try {
    return await use(directory)
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Asks until the answer is not `undefined`; the test's own time limit ends a hopeless wait. */
export const until = async <T>(ask: () => Promise<T | undefined>): Promise<T> => {
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Whether a process of this id exists. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
