import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** The OpenTelemetry Collector that `npm run tools` builds; null when it is not there. */
function stockCollectorBinary(): string | null {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hotspan')
  if (!existsSync(cache)) return null
  const builds = readdirSync(cache)
    .filter((name) => name.startsWith('otelcol-v'))
    .map((name) => join(cache, name, 'otelcol-hotspan'))
    .filter((path) => existsSync(path))
  return builds.sort().at(-1) ?? null
}

/** Why tests with the real Collector cannot run here, null when they can. */
export function missingStockCollector(): string | null {
  if (stockCollectorBinary() !== null) return null
  const reason = 'no OpenTelemetry Collector here; npm run tools builds one (needs Go)'
  if ((process.env.HOTSPAN_REQUIRE ?? '').split(',').includes('otelcol')) throw new Error(reason)
  return reason
}

/**
 * Starts the real Collector with an OTLP/HTTP receiver, one exporter for every signal, and no queue, so that a failed export is
 * seen by the sender. `exporter` is its YAML block, indented by two. With `profiles` it takes these and nothing else: few of its
 * parts know them. Stopped at the end of the test.
 */
export async function startStockCollector(
  exporter: string,
  options: { readonly profiles?: boolean } = {},
): Promise<{ readonly otlpUrl: string; readonly output: () => string }> {
  const port = await freePort()
  const name = /^\s*([a-z_/]+):/.exec(exporter)?.[1]
  const pipeline = `{ receivers: [otlp], exporters: [${name}] }`
  const signals = options.profiles ? ['profiles'] : ['traces', 'logs', 'metrics']
  const gates = options.profiles ? ['--feature-gates=service.profilesSupport'] : []
  const config = join(temporaryDirectory(), 'collector.yaml')
  writeFileSync(
    config,
    `receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } }
exporters:
${exporter}
service:
  telemetry: { metrics: { level: none } }
  pipelines:
${signals.map((signal) => `    ${signal}: ${pipeline}\n`).join('')}`,
  )
  const child = spawn(stockCollectorBinary()!, ['--config', config, ...gates], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`the Collector ended: ${output}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { otlpUrl: `http://127.0.0.1:${port}`, output: () => output }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
