import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const packageFolder = fileURLToPath(new URL('../..', import.meta.url))
const register = fileURLToPath(new URL('../../dist/register.js', import.meta.url))

export interface TestApp {
  /** Base URL, when the app printed `{"port": ...}`. */
  readonly url: string
  /** Resolves with the first printed JSON line that holds. */
  printed(holds: (line: PrintedLine) => boolean): Promise<PrintedLine>
  readonly child: ChildProcess
  stderr(): string
  /** Sends a signal and resolves with how the process ended. */
  end(signal?: NodeJS.Signals): Promise<Ended>
  /** Resolves when the process has ended by itself. */
  readonly ended: Promise<Ended>
}

export type PrintedLine = Record<string, unknown>

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Runs `test-apps/<file>` with the built agent before it. Resolves when the app has printed its first line. */
export async function startApp(
  file: string,
  env: Record<string, string> = {},
  options: { agent?: boolean; nodeArgs?: string[] } = {},
): Promise<TestApp> {
  if (!existsSync(register))
    throw new Error('dist/register.js is missing: run `npm run build -w agent` first')
  const args = options.agent === false ? [] : ['--import', register]
  // Another Node than the one that runs the tests: the agent goes back to 20.6, the tests do not.
  const node = process.env.HOTSPAN_TEST_NODE ?? process.execPath
  const child = spawn(node, [...args, ...(options.nodeArgs ?? []), `test-apps/${file}`], {
    cwd: packageFolder,
    env: { PATH: process.env.PATH, OTEL_SERVICE_NAME: 'test-app', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr!.on('data', (part) => {
    stderr += part
  })
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const printed: PrintedLine[] = []
  let waiting: (() => void)[] = []
  const lines = createInterface({ input: child.stdout! })
  const first = new Promise<void>((resolve) => lines.once('line', () => resolve()))
  lines.on('line', (line) => {
    printed.push(JSON.parse(line))
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
  })
  await Promise.race([
    first,
    ended.then(({ code, signal }) => {
      if (printed.length === 0)
        throw new Error(`${file} ended (${code ?? signal}) before it was ready:\n${stderr}`)
    }),
  ])
  const port = (printed[0] as { port?: number }).port
  return {
    url: `http://127.0.0.1:${port}`,
    async printed(holds) {
      for (;;) {
        const found = printed.find(holds)
        if (found !== undefined) return found
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    child,
    stderr: () => stderr,
    ended,
    end(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}
