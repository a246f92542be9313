import { hash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  encodeExportResponse,
  encodeRpcStatus,
  exportResponseToJson,
  type PartialSuccess,
  rpcStatusToJson,
  type Signal,
} from '@hotspan/otlp'
import { messageOf } from '../errors.ts'
import { newFrame } from '../journal/frame.ts'
import { type Journal, JournalFullError } from '../journal/journal.ts'
import { metricTableNumbers, type RowTable } from '../schema/row-layout.ts'
import { answerPreflight, applyCors } from './cors.ts'
import { HttpFailure, type RejectReason } from './http-failure.ts'
import { BodyBudget, busy, decompress, readBody } from './read-body.ts'
import { type Encoding, rowsOfBody } from './rows-of-body.ts'

export interface ReceiverOptions {
  readonly journal: Journal
  readonly project: string
  /** In front of `/v1/traces`, for example `/otlp`. Default ''. */
  readonly pathPrefix?: string
  /** Origins of pages besides those of this machine. */
  readonly allowedOrigins?: readonly string[]
  /** Largest body, after decompression too, bytes. Default 64 MiB, as the specification advises. */
  readonly maxBodyBytes?: number
  /** All bodies and their rows in memory together, bytes. Default 512 MiB. */
  readonly maxBytesInFlight?: number
  readonly onEvent: (event: string) => void
}

/** Counts since the start. Rows are spans, log records or data points. */
export interface ReceiverStats {
  bodies: number
  receivedSpans: number
  receivedLogs: number
  receivedMetricPoints: number
  /** Bodies that were seen before and acknowledged again. */
  duplicates: number
  /** Bodies that were refused, by reason. */
  rejected: Partial<Record<RejectReason, number>>
  /** Data points that no row can hold; their senders were told. */
  rejectedMetricPoints: number
}

const signals: Readonly<Record<string, Signal>> = {
  '/v1/traces': 'traces',
  '/v1/logs': 'logs',
  '/v1/metrics': 'metrics',
}

const contentType: Readonly<Record<Encoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
}

/** OTLP over HTTP. A body is acknowledged when the journal has its rows. */
export class Receiver {
  readonly server: Server
  readonly stats: ReceiverStats = {
    bodies: 0,
    receivedSpans: 0,
    receivedLogs: 0,
    receivedMetricPoints: 0,
    duplicates: 0,
    rejected: {},
    rejectedMetricPoints: 0,
  }
  private readonly options: Required<ReceiverOptions>
  private readonly budget: BodyBudget

  constructor(options: ReceiverOptions) {
    this.options = {
      pathPrefix: '',
      allowedOrigins: [],
      maxBodyBytes: 64 * 1024 * 1024,
      maxBytesInFlight: 512 * 1024 * 1024,
      ...options,
    }
    this.budget = new BodyBudget(this.options.maxBytesInFlight)
    this.server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 60_000 })
    this.server.on('request', (request, response) => void this.handle(request, response))
    this.server.on('checkContinue', (request, response) => {
      // A body that is announced as too large need not be sent at all.
      if (Number(request.headers['content-length']) <= this.options.maxBodyBytes) response.writeContinue()
      void this.handle(request, response)
    })
    this.server.on('clientError', (_error, socket) => {
      if (socket.writable)
        socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      else socket.destroy()
    })
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const encoding = encodingOf(request)
    try {
      const { signal, search } = this.route(request)
      if (request.method === 'OPTIONS') {
        answerPreflight(request, response, this.options.allowedOrigins)
        return
      }
      const allowed = applyCors(request, response, this.options.allowedOrigins)
      if (request.method !== 'POST') {
        response.setHeader('Allow', 'POST, OPTIONS')
        throw new HttpFailure(405, 'method', `${request.method} is not possible here; send POST`)
      }
      if (!allowed) {
        throw new HttpFailure(
          403,
          'forbidden-origin',
          `pages of ${request.headers.origin} may not send here; allow the origin in the collector's options`,
        )
      }
      if (encoding === null) {
        throw new HttpFailure(
          415,
          'unsupported-type',
          `Content-Type is ${JSON.stringify((request.headers['content-type'] ?? '').slice(0, 80))}; expected application/x-protobuf or application/json`,
        )
      }
      if (this.options.journal.isFull) throw journalFull()
      const partial = await this.take(signal, encoding, request, search)
      succeed(response, signal, encoding, partial)
    } catch (error) {
      const failure = error instanceof HttpFailure ? error : this.unexpected(error)
      this.stats.rejected[failure.reason] = (this.stats.rejected[failure.reason] ?? 0) + 1
      fail(request, response, encoding ?? 'json', failure)
    }
  }

  private route(request: IncomingMessage): { signal: Signal; search: URLSearchParams } {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    const { pathPrefix } = this.options
    const signal = path.startsWith(pathPrefix) ? signals[path.slice(pathPrefix.length)] : undefined
    if (signal === undefined) {
      throw new HttpFailure(
        404,
        'not-found',
        `nothing at this path; expected ${pathPrefix}/v1/traces, ${pathPrefix}/v1/logs or ${pathPrefix}/v1/metrics`,
      )
    }
    return { signal, search: new URLSearchParams(query) }
  }

  private async take(
    signal: Signal,
    encoding: Encoding,
    request: IncomingMessage,
    search: URLSearchParams,
  ): Promise<PartialSuccess | null> {
    const { journal, maxBodyBytes, project } = this.options
    const { body: raw, reservedBytes: bodyBytes } = await readBody(request, maxBodyBytes, this.budget)
    let reservedBytes = bodyBytes
    try {
      const encodingName = (request.headers['content-encoding'] ?? '').trim().toLowerCase()
      const body = await decompress(raw, encodingName, maxBodyBytes)
      this.stats.bodies += 1
      const receivedMs = Date.now()
      const key = keyOf(signal, search.get('chunk'), body)
      if (journal.seen.has(key, receivedMs)) {
        this.stats.duplicates += 1
        return null
      }
      const { tables, partial } = rowsOfBody(signal, encoding, body)
      for (const { rows } of tables) {
        if (!this.budget.take(rows.payload.length)) throw busy()
        reservedBytes += rows.payload.length
      }
      // All are waited for, also when one fails: their bytes stay counted as long as they are there.
      const outcomes = await Promise.allSettled(
        tables.map(({ table, rows: { rows, payload } }) =>
          journal.append(
            newFrame({ project, table, rows, receivedMs, key: keyInTable(key, table), payload }),
          ),
        ),
      )
      let written = 0
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === 'rejected') throw outcome.reason
        if (outcome.value === 'written') written += tables[index]!.rows.rows
      }
      if (tables.length > 0 && written === 0) this.stats.duplicates += 1
      if (signal === 'traces') this.stats.receivedSpans += written
      else if (signal === 'logs') this.stats.receivedLogs += written
      else this.stats.receivedMetricPoints += written
      this.stats.rejectedMetricPoints += partial?.rejected ?? 0
      return partial
    } finally {
      this.budget.give(reservedBytes)
    }
  }

  private unexpected(error: unknown): HttpFailure {
    if (error instanceof JournalFullError) return journalFull()
    const code = (error as NodeJS.ErrnoException).code
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) {
      return new HttpFailure(503, 'journal-failed', `the journal could not be written (${code})`, {
        retryAfterSec: 5,
      })
    }
    this.options.onEvent(`receiver: ${error instanceof Error ? error.stack : messageOf(error)}`)
    return new HttpFailure(500, 'internal', 'the collector failed on this body')
  }
}

function journalFull(): HttpFailure {
  return new HttpFailure(
    429,
    'journal-full',
    'the store has been away for too long and the journal is full',
    { retryAfterSec: 10 },
  )
}

/** A `text/plain` body is JSON: browsers may send that without asking first. */
function encodingOf(request: IncomingMessage): Encoding | null {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()
  if (type === 'application/x-protobuf' || type === 'application/protobuf') return 'protobuf'
  if (type === 'application/json' || type === 'text/plain') return 'json'
  return null
}

/** 16 bytes as latin1 text. A browser names its chunk, because a repeated chunk may be cut differently. */
function keyOf(signal: Signal, chunk: string | null, body: Buffer): string {
  const named = chunk !== null && /^[0-9a-f]{8,64}$/i.test(chunk)
  const digest = hash('sha256', named ? `${signal}:${chunk.toLowerCase()}` : body, 'buffer')
  // The first byte tells signals apart: an empty-looking body may be valid for two of them.
  if (!named) digest[0] = (digest[0]! & 0xfc) | (signal === 'traces' ? 0 : signal === 'logs' ? 1 : 2)
  // Table 0, which no frame of a metrics body has: see `keyInTable`.
  if (signal === 'metrics') digest[1] = digest[1]! & 0xf8
  return digest.toString('latin1', 0, 16)
}

/** Metrics fill several tables, each with a frame: a body of which only some were written is completed when it comes again. */
function keyInTable(key: string, table: RowTable): string {
  if (!metricTableNumbers.includes(table)) return key
  const inTable = Buffer.from(key, 'latin1')
  inTable[1] = inTable[1]! | table
  return inTable.toString('latin1')
}

function succeed(
  response: ServerResponse,
  signal: Signal,
  encoding: Encoding,
  partial: PartialSuccess | null,
): void {
  const body =
    encoding === 'json'
      ? JSON.stringify(exportResponseToJson(signal, partial))
      : Buffer.from(encodeExportResponse(partial))
  response.writeHead(200, {
    'Content-Type': contentType[encoding],
    'Content-Length': Buffer.byteLength(body),
  })
  response.end(body)
}

function fail(
  request: IncomingMessage,
  response: ServerResponse,
  encoding: Encoding,
  failure: HttpFailure,
): void {
  if (response.destroyed || response.headersSent) return
  const status = {
    code: failure.rpcCode,
    message: failure.message,
    ...(failure.violations.length > 0 ? { fieldViolations: failure.violations } : {}),
  }
  const body =
    encoding === 'json' ? JSON.stringify(rpcStatusToJson(status)) : Buffer.from(encodeRpcStatus(status))
  if (failure.retryAfterSec !== null) response.setHeader('Retry-After', String(failure.retryAfterSec))
  response.writeHead(failure.status, {
    'Content-Type': contentType[encoding],
    'Content-Length': Buffer.byteLength(body),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
  // What is left of a body that nobody wants is read and dropped, so that the connection stays usable.
  if (!request.readableEnded) request.resume()
}
