import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startWorker } from '../contract/processes.ts'
import type { Contender, Sink } from './contenders.ts'
import { fixedRate } from './fixed-rate.ts'
import { pause } from './routes.ts'
import { startApp } from './running-app.ts'

const upMs = 2000
const downMs = 10_000
const afterMs = 3000
const perSec = 500
/** The sender tries again after 8 s at the latest. */
const mostWaitMs = 30_000

export interface Outage {
  readonly made: number
  readonly sent: number
  readonly failed: number
  readonly dropped: number
  readonly queued: number
  /** What the endpoint counted: more than was sent when it was gone before it could answer. */
  readonly received: number
}

/** The endpoint goes away for 10 s under 500 requests/s; then the agent's own counts beside those of the endpoint. */
export async function measureOutage(
  contender: Contender,
  databaseUrl: string,
  signal: AbortSignal,
): Promise<Outage> {
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-bench-outage-'))
  const statsFile = join(folder, 'stats.json')
  const endpoint = await startWorker([fileURLToPath(new URL('span-sink.ts', import.meta.url))], { core: 1 })
  try {
    const sink = endpoint.ready as unknown as Sink
    const app = await startApp(contender, databaseUrl, sink, {
      args: ['--import', fileURLToPath(new URL('loss-report.mjs', import.meta.url))],
      env: { BENCH_STATS_FILE: statsFile },
    })
    try {
      const load = fixedRate(
        String(app.ready.url),
        (i) => `/query/${1 + (i % 1000)}`,
        { perSec, ms: upMs + downMs + afterMs },
        signal,
      )
      await Promise.race([load, pause(upMs)])
      endpoint.child.kill('SIGUSR2')
      await Promise.race([load, pause(downMs)])
      endpoint.child.kill('SIGUSR2')
      await load
      const untilMs = performance.now() + mostWaitMs
      let counts = { made: 0, sent: 0, failed: 0, dropped: 0, queued: 1 }
      while (counts.queued > 0 && performance.now() < untilMs) {
        app.child.kill('SIGUSR2')
        await pause(500)
        if (existsSync(statsFile)) counts = JSON.parse(readFileSync(statsFile, 'utf8')) as typeof counts
      }
      const { spans } = (await (await fetch(sink.url)).json()) as { spans: number }
      return { ...counts, received: spans }
    } finally {
      await app.stop()
    }
  } finally {
    await endpoint.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
