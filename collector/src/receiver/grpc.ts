import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { encodeExportResponse, encodeRpcStatus, RpcCode, type Signal } from '@hotspan/otlp'
import { tokenOf } from '../access/credentials.ts'
import type { Gate } from '../access/gate.ts'
import type { TlsFiles } from '../access/tls.ts'
import { decompress } from './decompress.ts'
import { statusWithRetryInfo } from './grpc-retry-info.ts'
import type { Intake } from './intake.ts'
import { IntakeFailure, tooLarge } from './intake-failure.ts'
import { readBody } from './read-body.ts'

export interface GrpcOptions {
  readonly intake: Intake
  readonly gate: Gate
  readonly tls?: TlsFiles | null
}

const services = 'opentelemetry.proto.collector'
const paths: Readonly<Record<Signal, string>> = {
  traces: `/${services}.trace.v1.TraceService/Export`,
  logs: `/${services}.logs.v1.LogsService/Export`,
  metrics: `/${services}.metrics.v1.MetricsService/Export`,
  profiles: `/${services}.profiles.v1development.ProfilesService/Export`,
}
const signals = new Map(Object.entries(paths).map(([signal, path]) => [path, signal as Signal]))

/** Path of the method that takes a signal. */
export const exportPath = (signal: Signal): string => paths[signal]

/** Message compressions that we take; named to a sender that asks for another one. */
const encodings = ['gzip', 'zstd', 'deflate', 'identity']
const frameHeadBytes = 5
const silentMs = 60_000

/**
 * OTLP over gRPC: unary calls of four services on HTTP/2. Written on `node:http2` and not on a gRPC library: the protocol's
 * unary half is this file, a library would decode the message into objects that the transcoder does without, and it is
 * 2 MB of packages that everybody who installs the collector would carry.
 */
export class GrpcReceiver {
  readonly server: Http2Server | Http2SecureServer
  private readonly options: GrpcOptions
  private readonly sessions = new Set<ServerHttp2Session>()

  constructor(options: GrpcOptions) {
    this.options = options
    const settings = { settings: { initialWindowSize: 1 << 20, maxConcurrentStreams: 128 } }
    this.server = options.tls ? createSecureServer({ ...settings, ...options.tls }) : createServer(settings)
    this.server.on('session', (session: ServerHttp2Session) => {
      this.sessions.add(session)
      session.on('error', () => undefined)
      // The window of the whole connection is 64 KiB otherwise, a tenth of one batch.
      session.once('connect', () => session.setLocalWindowSize(1 << 22))
      session.once('close', () => this.sessions.delete(session))
    })
    this.server.on('sessionError', () => undefined)
    this.server.on('stream', (stream: ServerHttp2Stream, headers) => void this.handle(stream, headers))
  }

  /** No new calls; those under way are answered, for at most five seconds. */
  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.server.close(() => resolve()))
    for (const session of this.sessions) session.close()
    const kill = setTimeout(() => {
      for (const session of this.sessions) session.destroy()
    }, 5000)
    await ended
    clearTimeout(kill)
  }

  private async handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => undefined)
    // A sender that falls silent must not hold what its half message has taken of the memory for bodies.
    stream.setTimeout(silentMs, () => stream.destroy())
    if (headers[':method'] !== 'POST') {
      stream.respond({ ':status': 405, allow: 'POST' }, { endStream: true })
      return
    }
    if (!/^application\/grpc(?:\+proto)?(?:;|$)/.test(headers['content-type'] ?? '')) {
      stream.respond({ ':status': 415, 'accept-post': 'application/grpc' }, { endStream: true })
      return
    }
    const { intake, gate } = this.options
    try {
      const path = headers[':path'] ?? ''
      const signal = signals.get(path)
      if (signal === undefined) throw unknownMethod(path)
      const sender = gate.admit(tokenOf(headers))
      if (sender.kind === 'browser') {
        throw new IntakeFailure(403, 'forbidden', 'a browser key is for pages; servers send a write token')
      }
      intake.checkRoom()
      const declaredBytes = Number(headers['content-length'])
      const { body, release } = await readBody(
        stream,
        declaredBytes,
        intake.maxBodyBytes + frameHeadBytes,
        intake.budget,
      )
      try {
        const bytes = await messageOf(body, headers, intake.maxBodyBytes)
        const partial = await intake.take({
          signal,
          encoding: 'protobuf',
          bytes,
          isInflated: bytes.buffer !== body.buffer,
          project: sender.project,
        })
        succeed(stream, encodeExportResponse(partial))
      } finally {
        release()
      }
    } catch (error) {
      fail(stream, intake.refuse(error))
    }
  }
}

function unknownMethod(path: string): IntakeFailure {
  return new IntakeFailure(
    501,
    'not-found',
    `no method ${path.slice(0, 120)}; expected ${services}.trace.v1.TraceService/Export, or that of logs, metrics or profiles.v1development`,
  )
}

/** The one message of a unary call: a byte that tells whether it is compressed, its length in four, itself. */
async function messageOf(body: Buffer, headers: IncomingHttpHeaders, maxBytes: number): Promise<Buffer> {
  const bad = (message: string) => new IntakeFailure(400, 'bad-data', message)
  if (body.length < frameHeadBytes) throw bad('the call ended before its message did')
  const compressed = body[0]!
  const length = body.readUInt32BE(1)
  if (length > maxBytes) throw tooLarge(maxBytes)
  if (compressed > 1 || body.length !== frameHeadBytes + length) {
    throw bad('the call does not hold exactly one whole message')
  }
  const message = body.subarray(frameHeadBytes)
  if (compressed === 0) return message
  const encoding = String(headers['grpc-encoding'] ?? '')
  if (encoding === '' || encoding === 'identity') throw bad('a compressed message without grpc-encoding')
  if (!encodings.includes(encoding)) {
    throw new IntakeFailure(
      501,
      'unsupported-encoding',
      `grpc-encoding ${JSON.stringify(encoding.slice(0, 40))} is not known; expected ${encodings.join(', ')}`,
    )
  }
  return await decompress(message, encoding, maxBytes)
}

const head = {
  ':status': 200,
  'content-type': 'application/grpc',
  'grpc-accept-encoding': encodings.join(','),
}

function succeed(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (stream.destroyed || stream.closed) return
  const frame = Buffer.alloc(frameHeadBytes + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, frameHeadBytes)
  stream.respond(head, { waitForTrailers: true })
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(frame)
}

/** An answer of headers only. RESOURCE_EXHAUSTED may be tried again only when it says when. */
function fail(stream: ServerHttp2Stream, failure: IntakeFailure): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return
  // gRPC names this one: the message passes a limit. Without a time to retry senders do not.
  const code = failure.reason === 'too-large' ? RpcCode.ResourceExhausted : failure.rpcCode
  const status = {
    code,
    message: failure.message,
    ...(failure.violations.length > 0 ? { fieldViolations: failure.violations } : {}),
  }
  const details =
    failure.retryAfterSec === null
      ? encodeRpcStatus(status)
      : statusWithRetryInfo(encodeRpcStatus(status), failure.retryAfterSec)
  stream.respond(
    {
      ...head,
      'grpc-status': String(code),
      'grpc-message': percentEncoded(failure.message),
      'grpc-status-details-bin': Buffer.from(details).toString('base64'),
    },
    { endStream: true },
  )
  // What is left of a message that nobody wants is read and dropped, so that the connection's window stays open.
  stream.resume()
}

/** `grpc-message` is ASCII with the rest of UTF-8 in percent form. */
function percentEncoded(text: string): string {
  return [...Buffer.from(text.slice(0, 1000))]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')
}
