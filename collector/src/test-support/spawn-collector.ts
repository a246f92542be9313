import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface SpawnedCollector {
  readonly otlpUrl: string
  readonly pageUrl: string
  readonly child: ChildProcess
  /** SIGKILL, and the process is gone when it returns. */
  kill(): Promise<void>
  /** SIGTERM, and the process is gone when it returns. */
  stop(): Promise<void>
}

/** A real collector process on the directory; rejects with its output when it ends instead of starting. */
export async function spawnCollector(dataDir: string): Promise<SpawnedCollector> {
  const entry = fileURLToPath(new URL('./collector-child.ts', import.meta.url))
  const child = spawn(process.execPath, [entry, dataDir], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve)
    child.once('exit', (code, signal) => reject(new Error(`collector ended (${signal ?? code}): ${stderr}`)))
  })
  const { otlpUrl, pageUrl } = JSON.parse(line) as { otlpUrl: string; pageUrl: string }
  return { otlpUrl, pageUrl, child, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') }
}
