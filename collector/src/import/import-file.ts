import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip, gunzipSync } from 'node:zlib'
import { CollectorError, messageOf } from '../errors.ts'
import type { Store } from '../store.ts'
import { Importer, type ImportReport, skip } from './importer.ts'
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

const maxDocumentBytes = 512 * 1024 * 1024
const headBytes = 64 * 1024
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
  if (bytes.toString('latin1', 0, headBytes).trim() === '')
    throw new CollectorError('HS_IMPORT', `${file.path} is empty: there is nothing to import`)
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

function jsonFault(text: string): Error {
  try {
    JSON.parse(text)
    return new Error('it is null')
  } catch (error) {
    return error as Error
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
  const report = into.newReport('otlp-json')
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
  const report = into.newReport('otlp-protobuf')
  const { messages, cutBytes } = protobufMessages(bytes)
  for (const [index, message] of messages.entries()) {
    const part = otlpOfProtobuf(message)
    if (part === null) skip(report, `message ${index + 1} is no OTLP of any signal`)
    else await into.add(part, report)
  }
  if (report.skipped === messages.length) throw notKnown(file)
  if (cutBytes > 0) skip(report, `the file is cut: its last ${cutBytes} bytes are a part of a message`)
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
  if (document === null) {
    const { message } = jsonFault(text)
    throw new CollectorError('HS_IMPORT', `${file.path} is not whole JSON: ${message}`)
  }
  const format = wanted ?? formatOfDocument(document)
  if (format === null || format === 'otlp-protobuf') throw notKnown(file)
  const report = into.newReport(format)
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
