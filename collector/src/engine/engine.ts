import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { CollectorError } from '../errors.ts'
import { maxMergedPartBytes } from '../keeping/limits.ts'
import { engineConfigXml, engineMemoryBytes, engineSettings } from './engine-config.ts'
import { engineUsersXml, projectDatabases } from './engine-users.ts'
import type { EngineMessage, EngineStart } from './messages.ts'
import { locateEngine } from './platform.ts'

export interface EngineOptions {
  readonly storeDir: string
  /** Cap of the store on disk, bytes: merges make no part that would be most of it. Default none. */
  readonly maxStoreBytes?: number | null
  /** Time to open the store, ms. Default 120,000: a large store after an unclean end. */
  readonly startTimeoutMs?: number
  /** Between two questions whether the engine still answers, ms. Default 5,000. */
  readonly watchEveryMs?: number
  /** Without an answer for this long the process is killed and started again, ms. Default 30,000. */
  readonly answerTimeoutMs?: number
  /** Resident memory above which an idle engine is started again, bytes. Default one and a half times its memory, and 512 MiB. */
  readonly maxResidentBytes?: number
  /** Told about every unplanned end and restart, for the log. */
  readonly onEvent?: (event: string) => void
  /** Told after every restart: the process id is another one. */
  readonly onRestart?: () => void
}

/** The engine did not open the directory. `locked`: another process holds it. */
export class EngineStartError extends CollectorError {
  readonly locked: boolean

  constructor(message: string, locked: boolean) {
    super('HS_ENGINE_START', message)
    this.locked = locked
  }
}

// Linux allows 107 bytes for the path of a unix socket, macOS 103.
const maxSocketPathBytes = 100
/** A process that comes to the same memory at once needs it. */
const shedAgainMs = 10 * 60_000

/**
 * The engine in its child process: started, watched, killed when it does not answer, started again when it dies. The socket
 * path stays the same for the life of this object, so clients only see a short refusal.
 */
export class Engine {
  readonly socketPath: string
  private readonly options: EngineOptions
  private readonly chdbPath: string
  /** Short-lived files that the engine reads; removed with it. */
  readonly runDir: string
  private child: ChildProcess | null = null
  /** The child, once its socket listens; only then silence means that it is stuck. */
  private serving: ChildProcess | null = null
  private closed = false
  private watching: NodeJS.Timeout | null = null
  private restarting: NodeJS.Timeout | null = null
  private failures = 0
  private shedding = false
  private shedAtMs = -Infinity
  /** Who was asked to end when idle, with its memory then. */
  private asked: { readonly child: ChildProcess; readonly memoryBytes: number } | null = null
  /** Unplanned ends since the start. */
  restarts = 0
  /** Of those the ones to give memory back that the process kept. */
  memoryRestarts = 0
  version = ''

  private constructor(options: EngineOptions, chdbPath: string) {
    this.options = options
    this.chdbPath = chdbPath
    this.runDir = shortTemporaryDirectory()
    this.socketPath = join(this.runDir, 'engine.sock')
  }

  /** Throws `CollectorError` HS_ENGINE_PLATFORM, HS_ENGINE_MISSING, or `EngineStartError`. */
  static async start(options: EngineOptions): Promise<Engine> {
    const engine = new Engine(options, locateEngine())
    try {
      await engine.launch()
    } catch (error) {
      engine.closed = true
      rmSync(engine.runDir, { recursive: true, force: true })
      throw error
    }
    engine.watch()
    return engine
  }

  /** Process id of the running engine, null while it is away. */
  get pid(): number | null {
    return this.child?.pid ?? null
  }

  /** Resident memory of the engine's process, bytes; 0 when it is away, or where the system does not tell (other than Linux). */
  get memoryBytes(): number {
    try {
      const status = readFileSync(`/proc/${this.child?.pid}/status`, 'utf8')
      return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024
    } catch {
      return 0
    }
  }

  /** Ends the process in order; it is started again, as after any other end, with roles for the projects that are new. */
  restart(): void {
    this.child?.send({ type: 'close' }, () => undefined)
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    if (this.watching !== null) clearTimeout(this.watching)
    if (this.restarting !== null) clearTimeout(this.restarting)
    const child = this.child
    if (child !== null && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      const kill = setTimeout(() => child.kill('SIGKILL'), 10_000)
      if (child.connected) child.send({ type: 'close' }, () => undefined)
      else child.kill('SIGKILL')
      await ended
      clearTimeout(kill)
    }
    rmSync(this.runDir, { recursive: true, force: true })
  }

  private async launch(): Promise<void> {
    const memoryBytes = engineMemoryBytes()
    const configPath = join(this.runDir, 'engine.xml')
    const usersPath = join(this.runDir, 'users.xml')
    writeFileSync(usersPath, engineUsersXml(projectDatabases(this.options.storeDir)), { mode: 0o600 })
    const maxMergedBytes = maxMergedPartBytes(this.options.maxStoreBytes ?? null)
    writeFileSync(configPath, engineConfigXml(usersPath, memoryBytes, maxMergedBytes), { mode: 0o600 })
    mkdirSync(this.options.storeDir, { recursive: true, mode: 0o700 })
    const start: EngineStart = {
      chdbPath: this.chdbPath,
      storeDir: this.options.storeDir,
      scratchDir: this.runDir,
      socketPath: this.socketPath,
      configPath,
      settings: engineSettings(memoryBytes),
      querySessions: 8,
      insertSessions: 3,
    }
    // The same file, compiled or not: `.js` in dist, `.ts` in the sources.
    const entry = new URL(`./engine-process${extname(import.meta.url)}`, import.meta.url)
    const environment: NodeJS.ProcessEnv = { ...process.env, TZ: 'UTC', UV_THREADPOOL_SIZE: '16' }
    // Neither an agent that watches the parent nor its debugger belongs into the engine.
    delete environment.NODE_OPTIONS
    const child = fork(entry, [JSON.stringify(start)], {
      execArgv: [],
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.child = child
    let stderr = ''
    child.stderr?.setEncoding('utf8')
    child.stderr?.on('data', (text: string) => {
      stderr = (stderr + text).slice(-4000)
    })
    let ready = false
    await new Promise<void>((resolve, reject) => {
      const timeoutMs = this.options.startTimeoutMs ?? 120_000
      let failure: { readonly message: string; readonly locked: boolean } | null = null
      const timer = setTimeout(() => {
        failure = { message: `no answer within ${timeoutMs} ms`, locked: false }
        child.kill('SIGKILL')
      }, timeoutMs)
      child.on('message', (message: EngineMessage) => {
        if (message.type === 'ready') {
          clearTimeout(timer)
          ready = true
          this.serving = child
          this.version = message.version
          resolve()
        } else {
          failure = message
        }
      })
      child.once('error', (error) => {
        clearTimeout(timer)
        reject(new EngineStartError(`the engine process did not start: ${error.message}`, false))
      })
      // `close`: standard error has been read to its end.
      child.once('close', (code, signal) => {
        clearTimeout(timer)
        this.child = null
        this.serving = null
        if (!ready) {
          const why = failure?.message ?? `the process ended (${signal ?? `code ${code}`})`
          // The library's own message says nothing; the engine's is on standard error.
          const detail = /Code: \d+\..*/.exec(stderr)?.[0] ?? lastLine(stderr)
          const message = `the engine did not open ${this.options.storeDir}: ${why}${detail === '' ? '' : `; ${detail}`}`
          reject(
            new EngineStartError(message, (failure?.locked ?? false) || stderr.includes('Cannot lock file')),
          )
          return
        }
        if (this.closed) return
        this.restarts += 1
        if (this.asked?.child === child && code === 0) {
          this.memoryRestarts += 1
          this.shedAtMs = Date.now()
          this.options.onEvent?.(`the engine held ${Math.round(this.asked.memoryBytes / 1024 / 1024)} MiB`)
        }
        this.options.onEvent?.(
          `the engine ended (${signal ?? `code ${code}`}), starting it again; ${lastLine(stderr)}`,
        )
        this.relaunch()
      })
    })
    this.failures = 0
  }

  private relaunch(): void {
    const waitMs = Math.min(50 * 2 ** this.failures, 5000)
    this.restarting = setTimeout(() => {
      if (this.closed) return
      this.launch().then(
        () => this.options.onRestart?.(),
        (error: unknown) => {
          this.failures += 1
          this.options.onEvent?.(
            `the engine did not start again: ${error instanceof Error ? error.message : String(error)}`,
          )
          if (!this.closed) this.relaunch()
        },
      )
    }, waitMs)
  }

  private watch(): void {
    const everyMs = this.options.watchEveryMs ?? 5000
    this.watching = setTimeout(async () => {
      const child = this.serving
      if (child !== null && !(await answers(this.socketPath, this.options.answerTimeoutMs ?? 30_000))) {
        // Dead by itself or restarted meanwhile: only the same process that did not answer is killed.
        if (this.serving === child && !this.closed) {
          this.options.onEvent?.('the engine does not answer, killing it')
          child.kill('SIGKILL')
        }
      }
      this.shedMemory()
      if (!this.closed) this.watch()
    }, everyMs)
    this.watching.unref()
  }

  /** The engine keeps to its cap by its own count; what the process holds besides can stay. Between two questions a new process is cheaper. */
  private shedMemory(): void {
    const { memoryBytes } = this
    const bound = this.options.maxResidentBytes ?? 1.5 * engineMemoryBytes() + 512 * 1024 * 1024
    const due = Date.now() - this.shedAtMs > shedAgainMs
    // Twice in a row: a large answer may just be going out.
    if (this.shedding && memoryBytes > bound && due && this.serving !== null) {
      this.serving.send({ type: 'close-if-idle' }, () => undefined)
      this.asked = { child: this.serving, memoryBytes }
    }
    this.shedding = memoryBytes > bound
  }
}

/** True when something answers `/ping` on the socket in time; a refused connection is "no" at once. */
export function answers(socketPath: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const question = request({ socketPath, path: '/ping', timeout: timeoutMs, agent: false }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode === 200))
      response.once('error', () => resolve(false))
    })
    question.once('timeout', () => question.destroy(new Error('timeout')))
    question.once('error', () => resolve(false))
    question.end()
  })
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.slice(0, 300) ?? ''
}

function shortTemporaryDirectory(): string {
  for (const base of [tmpdir(), '/tmp']) {
    if (Buffer.byteLength(base) + 40 > maxSocketPathBytes) continue
    return mkdtempSync(join(base, 'hotspan-'))
  }
  throw new CollectorError(
    'HS_ENGINE_START',
    `the temporary directory ${tmpdir()} has too long a path for a unix socket; set TMPDIR to a shorter one`,
  )
}
