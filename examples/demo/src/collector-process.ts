import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface CollectorProcess {
  readonly otlpUrl: string
  readonly pageUrl: string
  close(): Promise<void>
}

/**
 * `hotspan collector` as a user starts it, in a process of its own, so that the load generator does not share its event loop.
 *
 * @throws when the process ends before it has said its addresses; the message holds what it printed.
 */
export async function startCollector(dataDir: string): Promise<CollectorProcess> {
  const main = fileURLToPath(new URL('main.js', import.meta.resolve('hotspan')))
  const child = spawn(
    process.execPath,
    [main, 'collector', '--data-dir', dataDir, '--otlp-port', '0', '--page-port', '0'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const said: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line))
  const addresses = await readAddresses(child, said)
  return {
    otlpUrl: addresses.otlp,
    pageUrl: addresses.page,
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

/** The command says `otlp URL`, `page URL` and `data PATH`, a line each, once it listens. */
async function readAddresses(
  child: ChildProcess,
  said: readonly string[],
): Promise<{ otlp: string; page: string }> {
  const found = new Map<string, string>()
  for await (const line of createInterface({ input: child.stdout! })) {
    const [name = '', address = ''] = line.split(' ')
    found.set(name, address)
    const otlp = found.get('otlp')
    const page = found.get('page')
    if (otlp && page) return { otlp, page }
  }
  throw new Error(`hotspan collector ended before it listened:\n${said.join('\n')}`)
}
