import { createHash } from 'node:crypto'
import { analyze, type Finding, type Report } from '@hotspan/analyzers'
import type { Job, Store } from '@hotspan/collector'
import { recordFindings } from './record-findings.ts'

export interface LiveReportOptions {
  /** Start of the window, epoch ms; default one hour before each analysis. */
  readonly fromMs?: number
  /** Called once for each finding, when it is first confirmed. */
  readonly onConfirmed?: (finding: Finding) => void
  readonly warmUpSec?: number | undefined
  readonly minTraces?: number | undefined
  readonly minMinutes?: number | undefined
}

/** What changes when the page should change: everything but clock readings and counts that grow with each span. */
const digestOf = (report: Report): string =>
  createHash('sha256')
    .update(
      JSON.stringify([report.findings, report.candidates, report.cannotJudge, report.coverage.spans > 0]),
    )
    .digest('hex')
    .slice(0, 16)

const hourMs = 3_600_000
/** Findings are stored for Grafana and later readers no more often than this. */
const storeEveryMs = 60_000
/** The scheduled analyses run for at most this share of the time, however much there is to read. */
const maxBusyRatio = 0.05

/** The current findings of a running collector, refreshed by its job; one analysis at a time. */
export class LiveReport {
  readonly #options: LiveReportOptions
  #store: Store | undefined
  #storeLine: (() => string) | undefined
  #last: { readonly report: Report; readonly digest: string } | undefined
  #running: Promise<{ readonly report: Report; readonly digest: string }> | undefined
  readonly #confirmed = new Set<string>()
  #endedMs = 0
  #storedMs = 0

  constructor(options: LiveReportOptions) {
    this.#options = options
  }

  /** Scheduled in the collector: every 5 s, less often when an analysis takes long. */
  get job(): Job {
    return {
      name: 'live findings',
      everyMs: 5_000,
      run: async (store) => {
        const restMs = (this.#last?.report.tookMs ?? 0) * (1 / maxBusyRatio - 1)
        if (Date.now() - this.#endedMs >= restMs) await this.refresh(store)
      },
    }
  }

  /** `storeLine` says what the store takes and how it is, for the foot of the page. */
  use(store: Store, storeLine: () => string): void {
    this.#store = store
    this.#storeLine = storeLine
  }

  get storeLine(): string {
    return this.#storeLine?.() ?? ''
  }

  get store(): Store {
    if (this.#store === undefined) throw new Error('the collector is still starting')
    return this.#store
  }

  /** Analyses now, or joins the analysis that runs. */
  refresh(store: Store = this.store): Promise<{ readonly report: Report; readonly digest: string }> {
    this.#running ??= this.#analyze(store).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** The last analysis, or the first one. */
  async current(): Promise<{ readonly report: Report; readonly digest: string }> {
    return this.#last ?? (await this.refresh())
  }

  async #analyze(store: Store): Promise<{ readonly report: Report; readonly digest: string }> {
    const { warmUpSec, minTraces, minMinutes, onConfirmed } = this.#options
    const toMs = Date.now()
    const report = await analyze(store, {
      fromMs: this.#options.fromMs ?? toMs - hourMs,
      toMs,
      ...(warmUpSec === undefined ? {} : { warmUpSec }),
      ...(minTraces === undefined ? {} : { minTraces }),
      ...(minMinutes === undefined ? {} : { minMinutes }),
    })
    for (const finding of report.findings) {
      if (finding.confidence === 'possible' || this.#confirmed.has(finding.id)) continue
      this.#confirmed.add(finding.id)
      onConfirmed?.(finding)
    }
    this.#last = { report, digest: digestOf(report) }
    this.#endedMs = Date.now()
    if (this.#endedMs - this.#storedMs >= storeEveryMs) {
      await recordFindings(store, report)
      this.#storedMs = this.#endedMs
    }
    return this.#last
  }
}
