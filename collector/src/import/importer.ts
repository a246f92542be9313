import { createHash } from 'node:crypto'
import type { LogsData, MetricsData, ProfilesData, Span, TracesData } from '@hotspan/otlp'
import { maxDaysOfGroup, type RowSink, serverSink } from '../journal/row-sink.ts'
import { storeLimits } from '../keeping/limits.ts'
import {
  logsWithin,
  metricsWithin,
  profilesWithin,
  spansWithin,
  TimeJudge,
  type TimeWindow,
  timeWindow,
} from '../receiver/time-window.ts'
import { currentLayout, RowTable, rowLayout } from '../schema/row-layout.ts'
import { serverLayout } from '../schema/server-layout.ts'
import type { Store } from '../store.ts'
import { logRowsFromObjects } from '../transcode/logs-from-objects.ts'
import { metricRowsFromObjects } from '../transcode/metrics-from-objects.ts'
import { profileRowsFromObjects } from '../transcode/profiles-from-objects.ts'
import { type Rows, spanRowsFromObjects } from '../transcode/spans-from-objects.ts'
import { countNewSpans } from './count-new-spans.ts'
import type { ImportFormat, Telemetry } from './read-telemetry.ts'

export interface ImportReport {
  readonly format: ImportFormat
  /** In the file, and in the store now. */
  spans: number
  /** Of `spans`, those that were not in the store before; a span that comes twice is one. */
  newSpans: number
  /** Spans that the store's retention drops at the collector's next clean-up. */
  spansPastRetention: number
  /** Days besides today; null when all is kept. */
  readonly retentionDays: number | null
  logs: number
  metricPoints: number
  profiles: number
  /** Lines or messages that were not read, and records whose time no store can keep; the first reason stands in `firstSkipped`. */
  skipped: number
  firstSkipped: string
  /** Earliest and latest start of a span, epoch ms; null without spans. */
  fromMs: number | null
  toMs: number | null
}

/** Spans, records or metrics of one insert. */
const batchRecords = 20_000
const dayNs = 86_400_000_000_000n

/** Counts a part that is not imported. */
export function skip(report: ImportReport, reason: string): void {
  report.skipped += 1
  if (report.firstSkipped === '') report.firstSkipped = reason
}

/** Gathers telemetry into inserts of a good size. */
export class Importer {
  private readonly store: Store
  private readonly sink: RowSink
  private readonly modifiedMs: number
  private readonly window: TimeWindow
  private readonly oldestKeptNs: bigint
  private traces: TracesData['resourceSpans'][number][] = []
  private waiting: Span[] = []
  private days = new Set<bigint>()

  /** `modifiedMs` is the time of what has none. */
  constructor(store: Store, modifiedMs: number) {
    this.store = store
    this.modifiedMs = modifiedMs
    // Through the client in every mode: a collector that owns the directory goes on working.
    this.sink = serverSink(store.client, 0)
    const retentionDays =
      store.mode === 'server' ? (serverLayout()?.retentionDays ?? null) : storeLimits().retentionDays
    const nowMs = Date.now()
    // What is old is imported all the same: whoever asks before a collector cleans up gets an answer.
    this.window = { ...timeWindow(null, nowMs), retentionDays }
    this.oldestKeptNs = timeWindow(retentionDays, nowMs).oldestNs
  }

  newReport(format: ImportFormat): ImportReport {
    return {
      format,
      spans: 0,
      newSpans: 0,
      spansPastRetention: 0,
      retentionDays: this.window.retentionDays,
      logs: 0,
      metricPoints: 0,
      profiles: 0,
      skipped: 0,
      firstSkipped: '',
      fromMs: null,
      toMs: null,
    }
  }

  async add(part: Telemetry, report: ImportReport): Promise<void> {
    const judge = new TimeJudge(this.window, Infinity)
    if (part.signal === 'logs') await this.addLogs(logsWithin(part.data, judge, this.modifiedMs), report)
    else if (part.signal === 'metrics') await this.addMetrics(metricsWithin(part.data, judge), report)
    else if (part.signal === 'profiles')
      await this.addProfiles(profilesWithin(part.data, judge, this.modifiedMs), report)
    else await this.addTraces(spansWithin(part.data, judge), report)
    for (const [reason, records] of judge.rejected)
      for (let i = 0; i < records; i++) skip(report, `record of ${part.signal} with ${reason}`)
  }

  private async addTraces(data: TracesData, report: ImportReport): Promise<void> {
    for (const { resource, schemaUrl, scopeSpans } of data.resourceSpans) {
      for (const { scope, schemaUrl: scopeSchemaUrl, spans } of scopeSpans) {
        let some: Span[] = []
        const hand = () => {
          const part = { scope, schemaUrl: scopeSchemaUrl, spans: some }
          if (some.length > 0) this.traces.push({ resource, schemaUrl, scopeSpans: [part] })
          some = []
        }
        for (const span of spans) {
          const day = span.startTimeUnixNano / dayNs
          const isDayTooMany = this.days.size === maxDaysOfGroup && !this.days.has(day)
          if (this.waiting.length === batchRecords || isDayTooMany) {
            hand()
            await this.insertTraces(report)
          }
          this.days.add(day)
          this.waiting.push(span)
          some.push(span)
          noteTime(report, Number(span.startTimeUnixNano / 1_000_000n))
          if (span.startTimeUnixNano < this.oldestKeptNs) report.spansPastRetention += 1
        }
        hand()
      }
    }
  }

  async finish(report: ImportReport): Promise<ImportReport> {
    await this.insertTraces(report)
    return report
  }

  private async insertTraces(report: ImportReport): Promise<void> {
    if (this.waiting.length === 0) return
    const rows = spanRowsFromObjects({ resourceSpans: this.traces })
    report.newSpans += await countNewSpans(this.store, this.waiting)
    this.traces = []
    this.waiting = []
    this.days = new Set()
    report.spans += await this.insert(RowTable.Traces, rows)
  }

  private async addLogs(data: LogsData, report: ImportReport): Promise<void> {
    report.logs += await this.insert(RowTable.Logs, logRowsFromObjects(data))
  }

  private async addMetrics(data: MetricsData, report: ImportReport): Promise<void> {
    const { tables, rejected } = metricRowsFromObjects(data)
    for (const { table, rows } of tables) report.metricPoints += await this.insert(table, rows)
    for (const [reason, points] of rejected)
      for (let i = 0; i < points; i++) skip(report, `data point with ${reason}`)
  }

  private async addProfiles(data: ProfilesData, report: ImportReport): Promise<void> {
    const { tables, rejected } = profileRowsFromObjects(data, this.modifiedMs)
    for (const { table, rows } of tables) {
      const inserted = await this.insert(table, rows)
      if (table === RowTable.Profiles) report.profiles += inserted
    }
    for (const [reason, profiles] of rejected)
      for (let i = 0; i < profiles; i++) skip(report, `profile with ${reason}`)
  }

  private async insert(table: RowTable, { rows, payload }: Rows): Promise<number> {
    if (rows === 0) return 0
    const token = `import:${createHash('sha256').update(payload).digest('hex')}`
    const layout = rowLayout(currentLayout, table)!
    await this.sink.insert({ database: this.store.database, layout, rows, chunks: [payload], token })
    return rows
  }
}

function noteTime(report: ImportReport, ms: number): void {
  report.fromMs = Math.min(report.fromMs ?? Infinity, ms)
  report.toMs = Math.max(report.toMs ?? -Infinity, ms)
}
