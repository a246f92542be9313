import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import {
  encodeExportResponse,
  encodeRpcStatus,
  exportResponseToJson,
  type PartialSuccess,
  rpcStatusToJson,
  type Signal,
} from '@hotspan/otlp'
import { tokenOf } from '../access/credentials.ts'
import { fits, type Gate, type Sender } from '../access/gate.ts'
import type { TlsFiles } from '../access/tls.ts'
import { freeNow } from './body-buffers.ts'
import { answerPreflight, applyCors, originAllowed } from './cors.ts'
import { decompress } from './decompress.ts'
import type { Intake } from './intake.ts'
import { IntakeFailure, tooLarge } from './intake-failure.ts'
import { readBody } from './read-body.ts'
import type { Encoding } from './rows-of-body.ts'
import { signalPaths } from './signal-paths.ts'

export interface ReceiverOptions {
  readonly intake: Intake
  readonly gate: Gate
  /** In front of `/v1/traces`, for example `/otlp`. Default ''. */
  readonly pathPrefix?: string
  /** Origins of pages besides those of this machine and of browser keys. */
  readonly allowedOrigins?: readonly string[]
  /** Served over HTTPS when given. */
  readonly tls?: TlsFiles | null
}

const signals = new Map(Object.entries(signalPaths).map(([signal, path]) => [path, signal as Signal]))
/** Where senders of Zipkin v2 JSON send. */
const zipkinPath = '/api/v2/spans'

const contentType: Readonly<Record<Encoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
}

interface Target {
  readonly signal: Signal
  readonly zipkin: boolean
  readonly search: URLSearchParams
  readonly key: string | null
}

/** OTLP and Zipkin over HTTP. */
export class Receiver {
  readonly server: Server
  private readonly options: Required<ReceiverOptions>

  constructor(options: ReceiverOptions) {
    this.options = { pathPrefix: '', allowedOrigins: [], tls: null, ...options }
    const { tls, intake } = this.options
    const limits = { keepAliveTimeout: 65_000, requestTimeout: 60_000 }
    this.server = tls === null ? createServer(limits) : createTlsServer({ ...limits, ...tls })
    this.server.on('request', (request, response) => void this.handle(request, response))
    this.server.on('checkContinue', (request, response) => {
      if (Number(request.headers['content-length']) > intake.maxBodyBytes) {
        // It need not be sent at all.
        response.setHeader('Connection', 'close')
        fail(request, response, encodingOf(request) ?? 'json', intake.refuse(tooLarge(intake.maxBodyBytes)))
        return
      }
      response.writeContinue()
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
    const { intake } = this.options
    try {
      const target = this.route(request)
      const key = target.key
      const allowed = (origin: string) => this.pageMaySend(origin, key)
      if (request.method === 'OPTIONS') {
        answerPreflight(request, response, allowed)
        return
      }
      const pageAllowed = applyCors(request, response, allowed)
      if (request.method !== 'POST') {
        response.setHeader('Allow', 'POST, OPTIONS')
        throw new IntakeFailure(405, 'method', `${request.method} is not possible here; send POST`)
      }
      // A key that nobody knows is not mended by allowing the page.
      const sender = pageAllowed || key !== null ? this.admit(request, response, key) : null
      if (sender === null || !pageAllowed) throw foreignPage(request.headers.origin)
      if (encoding === null) {
        throw new IntakeFailure(
          415,
          'unsupported-type',
          `Content-Type is ${JSON.stringify((request.headers['content-type'] ?? '').slice(0, 80))}; expected application/x-protobuf or application/json`,
        )
      }
      intake.checkRoom()
      if (target.zipkin && encoding !== 'json') throw onlyZipkinJson()
      const partial = await this.take(target, encoding, request, sender)
      if (target.zipkin) response.writeHead(202, { 'Content-Length': 0 }).end()
      else succeed(response, target.signal, encoding, partial)
    } catch (error) {
      fail(request, response, encoding ?? 'json', intake.refuse(error))
    }
  }

  /** `/v1/traces` behind the prefix; a browser key may stand in front of it, as `/k/KEY`, or behind, as `?key=KEY`. */
  private route(request: IncomingMessage): Target {
    const [whole = '', query = ''] = (request.url ?? '').split('?', 2)
    const { pathPrefix } = this.options
    const search = new URLSearchParams(query)
    const behind = whole.startsWith(pathPrefix) ? whole.slice(pathPrefix.length) : ''
    const inPath = /^\/k\/([^/]+)(\/.*)$/.exec(behind)
    const path = inPath?.[2] ?? behind
    const zipkin = path === zipkinPath
    const signal = zipkin ? 'traces' : signals.get(path)
    if (signal === undefined) {
      throw new IntakeFailure(
        404,
        'not-found',
        `nothing at this path; expected ${pathPrefix}/v1/traces, ${pathPrefix}/v1/logs, ${pathPrefix}/v1/metrics, ${pathPrefix}${signalPaths.profiles} or ${pathPrefix}${zipkinPath}`,
      )
    }
    return { signal, zipkin, search, key: inPath?.[1] ?? search.get('key') }
  }

  private pageMaySend(origin: string, key: string | null): boolean {
    const { gate, allowedOrigins } = this.options
    if (key !== null) return gate.isBrowserOrigin(origin)
    return originAllowed(origin, allowedOrigins) || gate.isBrowserOrigin(origin)
  }

  private admit(request: IncomingMessage, response: ServerResponse, key: string | null): Sender {
    const { gate } = this.options
    const { origin } = request.headers
    let sender: Sender
    try {
      sender = gate.admit(gate.browserKey(key) ?? tokenOf(request.headers))
    } catch (error) {
      if (error instanceof IntakeFailure && error.status === 401)
        response.setHeader('WWW-Authenticate', 'Bearer')
      throw error
    }
    if (sender.kind === 'browser' && (origin === undefined || !fits(origin, sender.origins)))
      throw foreignPage(origin)
    // An origin that only a browser key allows is not allowed without that key.
    if (
      sender.kind !== 'browser' &&
      origin !== undefined &&
      !originAllowed(origin, this.options.allowedOrigins)
    )
      throw foreignPage(origin)
    return sender
  }

  private async take(
    target: Target,
    encoding: Encoding,
    request: IncomingMessage,
    sender: Sender,
  ): Promise<PartialSuccess | null> {
    const { budget, maxBodyBytes } = this.options.intake
    const declaredBytes = Number(request.headers['content-length'])
    const { body, release } = await readBody(request, declaredBytes, maxBodyBytes, budget)
    try {
      const encodingName = (request.headers['content-encoding'] ?? '').trim().toLowerCase()
      const bytes = await decompress(body, encodingName, maxBodyBytes)
      const isInflated = bytes !== body
      try {
        return await this.options.intake.take({
          signal: target.signal,
          encoding: target.zipkin ? 'zipkin' : encoding,
          bytes,
          isInflated,
          project: sender.project,
          chunk: target.search.get('chunk'),
        })
      } finally {
        if (isInflated) freeNow(bytes)
      }
    } finally {
      release()
    }
  }
}

function onlyZipkinJson(): IntakeFailure {
  return new IntakeFailure(
    415,
    'unsupported-type',
    'Zipkin spans are read as v2 JSON only; set the sender to JSON_V2 (Content-Type: application/json)',
  )
}

function foreignPage(origin: string | undefined): IntakeFailure {
  return new IntakeFailure(
    403,
    'forbidden-origin',
    origin === undefined
      ? 'a browser key is for pages; servers send a write token'
      : `pages of ${origin} may not send here; allow the origin in the collector's options or in a browser key`,
  )
}

/** A `text/plain` body is JSON: browsers may send that without asking first. */
function encodingOf(request: IncomingMessage): Encoding | null {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()
  if (type === 'application/x-protobuf' || type === 'application/protobuf') return 'protobuf'
  if (type === 'application/json' || type === 'text/plain') return 'json'
  return null
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
  // The head alone is one write.
  if (body.length === 0) response.end()
  else response.end(body)
}

function fail(
  request: IncomingMessage,
  response: ServerResponse,
  encoding: Encoding,
  failure: IntakeFailure,
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
