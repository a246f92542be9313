import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Collector, createCollector } from '@hotspan/collector'
import { analyze } from '../analyze.ts'
import type { Report } from '../finding.ts'
import type { AnalysisOptions } from '../settings.ts'
import { type MadeTrace, send, toTracesData } from './traffic.ts'

const windowMs = 3_600_000
/** Clocks may be off, so nothing starts right at a window's edge. */
const leadMs = 60_000

/** A real receiver and engine; each scenario gets an hour of its own in the past, so that one engine serves a file of tests. */
export class Bench {
  readonly #collector: Collector
  readonly #directory: string
  #nextMs = Math.floor(Date.now() / windowMs) * windowMs - 100 * windowMs

  private constructor(collector: Collector, directory: string) {
    this.#collector = collector
    this.#directory = directory
  }

  static async open(): Promise<Bench> {
    const directory = mkdtempSync(join(tmpdir(), 'hotspan-analyzers-'))
    const collector = await createCollector({ dataDir: directory, otlpHttpPort: 0, pagePort: 0 })
    return new Bench(collector, directory)
  }

  get store() {
    return this.#collector.store
  }

  /** Epoch ms at which the next scenario's first request may start. */
  get nextOriginMs(): number {
    return this.#nextMs + leadMs
  }

  /** Sends the traces through the receiver and analyses their hour. */
  async analyse(
    traces: readonly MadeTrace[],
    options: Partial<AnalysisOptions> & { repeat?: number; shiftMs?: number } = {},
  ): Promise<Report> {
    const { repeat, shiftMs = 0, ...rest } = options
    const fromMs = this.#nextMs
    this.#nextMs += windowMs
    await send(
      this.#collector.otlpUrl,
      toTracesData(traces, fromMs + leadMs + shiftMs, repeat === undefined ? {} : { repeat }),
    )
    await this.#collector.flush()
    return analyze(this.#collector.store, { fromMs, toMs: fromMs + windowMs, ...rest })
  }

  async close(): Promise<void> {
    await this.#collector.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
