import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip, gunzipSync } from 'node:zlib'
import type { LogsData, MetricsData, ProfilesData, TracesData } from '@hotspan/otlp'
import { CollectorError, messageOf } from '../errors.ts'
import { type RowSink, serverSink } from '../journal/row-sink.ts'
import { currentLayout, RowTable, rowLayout } from '../schema/row-layout.ts'
import type { Store } from '../store.ts'
import { logRowsFromObjects } from '../transcode/logs-from-objects.ts'
import { metricRowsFromObjects } from '../transcode/metrics-from-objects.ts'
import { profileRowsFromObjects } from '../transcode/profiles-from-objects.ts'
import { type Rows, spanRowsFromObjects } from '../transcode/spans-from-objects.ts'
import {
  foreignTelemetry,
  formatOfDocument,
  type ImportFormat,
  otlpOfDocument,
  otlpOfProtobuf,
  protobufMessages,
  type Telemetry,
} from './read-telemetry.ts'

export interface ImportOptions {
  /** Default: found by looking at the file. */
  readonly format?: ImportFormat
}

export interface ImportReport {
  readonly format: ImportFormat
  spans: number
  logs: number
  metricPoints: number
  profiles: number
  /** Lines or messages that were not read; the first reason stands in `firstSkipped`. */
  skipped: number
  firstSkipped: string
  /** Earliest and latest start of a span, epoch ms; null without spans. */
  fromMs: number | null
  toMs: number | null
}

const maxDocumentBytes = 512 * 1024 * 1024
const headBytes = 64 * 1024
/** Spans, records or metrics of one insert. */
const batchRecords = 20_000

/**
 * Puts a file into the store: OTLP as JSON, as JSON lines or as protobuf (each as the Collector's file exporter writes it), Jaeger
 * JSON, Zipkin v2 JSON, a Chrome trace; gzip is undone. The same file again adds nothing while the table remembers its inserts
 * (the last 10,000). Lines that cannot be read are counted. Throws `HS_IMPORT` for a file that is none of these.
 */
export async function importFile(
  store: Store,
  path: string,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const file = await describeFile(path)
  const into = new Importer(store, file.modifiedMs)
  if (options.format === 'otlp-json' || options.format === undefined) {
    if (await startsWithWholeDocument(file)) return await importLines(file, into)
  }
  const bytes = await wholeFile(file)
  const first = bytes
    .subarray(0, headBytes)
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart()[0]
  if (
    options.format === 'otlp-protobuf' ||
    (options.format === undefined && first !== '{' && first !== '[')
  ) {
    return await importProtobuf(bytes, file, into)
  }
  return await importDocument(bytes, file, into, options.format)
}

interface SourceFile {
  readonly path: string
  readonly name: string
  readonly gzip: boolean
  readonly bytes: number
  readonly modifiedMs: number
}

async function describeFile(path: string): Promise<SourceFile> {
  try {
    const facts = await stat(path)
    if (!facts.isFile()) throw new Error('it is no file')
    const handle = await open(path)
    const head = await handle.read(Buffer.alloc(2), 0, 2, 0)
    await handle.close()
    const gzip = head.bytesRead === 2 && head.buffer[0] === 0x1f && head.buffer[1] === 0x8b
    return { path, name: basename(path), gzip, bytes: facts.size, modifiedMs: facts.mtimeMs }
  } catch (cause) {
    throw new CollectorError('HS_IMPORT', `${path} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

const streamOf = ({ path, gzip }: SourceFile) =>
  gzip ? createReadStream(path).pipe(createGunzip()) : createReadStream(path)

/** JSON lines: the first line is a whole OTLP document. A document over several lines has none in its first. */
async function startsWithWholeDocument(file: SourceFile): Promise<boolean> {
  const lines = createInterface({ input: streamOf(file), crlfDelay: Infinity })
  try {
    for await (const line of lines) {
      const text = line.replace(/^\ufeff/, '').trim()
      if (text === '') continue
      if (!text.startsWith('{') || !text.endsWith('}')) return false
      return formatOfDocument(parsedOrNull(text)) === 'otlp-json'
    }
    return false
  } catch {
    return false
  } finally {
    lines.close()
  }
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function importLines(file: SourceFile, into: Importer): Promise<ImportReport> {
  const report = newReport('otlp-json')
  const lines = createInterface({ input: streamOf(file), crlfDelay: Infinity })
  let number = 0
  for await (const line of lines) {
    number += 1
    const text = line.replace(/^\ufeff/, '').trim()
    if (text === '') continue
    let parts: Telemetry[]
    try {
      parts = otlpOfDocument(JSON.parse(text), text)
      if (parts.length === 0)
        throw new Error('no resourceSpans, resourceLogs, resourceMetrics or resourceProfiles')
    } catch (error) {
      skip(report, `line ${number}: ${messageOf(error)}`)
      continue
    }
    for (const part of parts) await into.add(part, report)
  }
  return await into.finish(report)
}

async function importProtobuf(bytes: Buffer, file: SourceFile, into: Importer): Promise<ImportReport> {
  const report = newReport('otlp-protobuf')
  const messages = protobufMessages(bytes)
  for (const [index, message] of messages.entries()) {
    const part = otlpOfProtobuf(message)
    if (part === null) skip(report, `message ${index + 1} is no OTLP of any signal`)
    else await into.add(part, report)
  }
  if (report.skipped === messages.length) throw notKnown(file)
  return await into.finish(report)
}

async function importDocument(
  bytes: Buffer,
  file: SourceFile,
  into: Importer,
  wanted: ImportFormat | undefined,
): Promise<ImportReport> {
  const text = bytes.toString('utf8').replace(/^\ufeff/, '')
  const document = parsedOrNull(text)
  if (document === null) throw new CollectorError('HS_IMPORT', `${file.path} is not whole JSON`)
  const format = wanted ?? formatOfDocument(document)
  if (format === null || format === 'otlp-protobuf') throw notKnown(file)
  const report = newReport(format)
  try {
    const parts =
      format === 'otlp-json' ? otlpOfDocument(document, text) : [foreignTelemetry(format, text, file)]
    for (const part of parts) await into.add(part, report)
    return await into.finish(report)
  } catch (cause) {
    if (cause instanceof CollectorError) throw cause
    throw new CollectorError('HS_IMPORT', `${file.path} as ${format}: ${messageOf(cause)}`, { cause })
  }
}

async function wholeFile(file: SourceFile): Promise<Buffer> {
  const tooLarge = () =>
    new CollectorError(
      'HS_IMPORT',
      `${file.path} is one document of more than ${maxDocumentBytes} bytes; split it, or write OTLP/JSON lines, which are read one by one`,
    )
  if (file.bytes > maxDocumentBytes) throw tooLarge()
  const bytes = await readFile(file.path)
  if (!file.gzip) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: maxDocumentBytes })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw new CollectorError('HS_IMPORT', `${file.path} is damaged gzip: ${messageOf(error)}`)
  }
}

function notKnown(file: SourceFile): CollectorError {
  return new CollectorError(
    'HS_IMPORT',
    `${file.path} is none of the known formats; expected OTLP (JSON, JSON lines, protobuf), Jaeger JSON, Zipkin v2 JSON or a Chrome trace`,
  )
}

function newReport(format: ImportFormat): ImportReport {
  return {
    format,
    spans: 0,
    logs: 0,
    metricPoints: 0,
    profiles: 0,
    skipped: 0,
    firstSkipped: '',
    fromMs: null,
    toMs: null,
  }
}

function skip(report: ImportReport, reason: string): void {
  report.skipped += 1
  if (report.firstSkipped === '') report.firstSkipped = reason
}

/** Gathers telemetry into inserts of a good size. */
class Importer {
  private readonly sink: RowSink
  private readonly database: string
  private readonly modifiedMs: number
  private traces: TracesData['resourceSpans'][number][] = []
  private waiting = 0

  /** `modifiedMs` is the time of what has none. */
  constructor(store: Store, modifiedMs: number) {
    this.modifiedMs = modifiedMs
    // Through the client in every mode: a collector that owns the directory goes on working.
    this.sink = serverSink(store.client, 0)
    this.database = store.database
  }

  async add(part: Telemetry, report: ImportReport): Promise<void> {
    if (part.signal === 'logs') return await this.addLogs(part.data, report)
    if (part.signal === 'metrics') return await this.addMetrics(part.data, report)
    if (part.signal === 'profiles') return await this.addProfiles(part.data, report)
    for (const { resource, schemaUrl, scopeSpans } of part.data.resourceSpans) {
      for (const { scope, schemaUrl: scopeSchemaUrl, spans } of scopeSpans) {
        for (let at = 0; at < spans.length; at += batchRecords) {
          const some = spans.slice(at, at + batchRecords)
          this.traces.push({
            resource,
            schemaUrl,
            scopeSpans: [{ scope, schemaUrl: scopeSchemaUrl, spans: some }],
          })
          this.waiting += some.length
          for (const span of some) noteTime(report, Number(span.startTimeUnixNano / 1_000_000n))
          if (this.waiting >= batchRecords) await this.insertTraces(report)
        }
      }
    }
  }

  async finish(report: ImportReport): Promise<ImportReport> {
    await this.insertTraces(report)
    return report
  }

  private async insertTraces(report: ImportReport): Promise<void> {
    if (this.waiting === 0) return
    const rows = spanRowsFromObjects({ resourceSpans: this.traces })
    this.traces = []
    this.waiting = 0
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
    await this.sink.insert({ database: this.database, layout, rows, chunks: [payload], token })
    return rows
  }
}

function noteTime(report: ImportReport, ms: number): void {
  report.fromMs = Math.min(report.fromMs ?? Infinity, ms)
  report.toMs = Math.max(report.toMs ?? -Infinity, ms)
}
