import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { RpcCode } from '@hotspan/otlp'
import { messageOf } from '../errors.ts'
import { exportPath } from '../receiver/grpc.ts'
import { retryDelaySec } from '../receiver/grpc-retry-info.ts'
import type { SentBody } from '../receiver/intake.ts'
import type { Exporter, ForwardTarget, Outcome } from './exporter.ts'
import { protobufOf } from './protobuf-of.ts'

const compress = promisify(gzip)

/** Codes after which OTLP tells to try again; RESOURCE_EXHAUSTED only when it says when. */
const retryable = new Set<number>([
  RpcCode.Cancelled,
  RpcCode.DeadlineExceeded,
  RpcCode.Aborted,
  RpcCode.OutOfRange,
  RpcCode.Unavailable,
  RpcCode.DataLoss,
])

/** OTLP/gRPC over one connection, made anew when it broke. */
export function grpcExporter(target: ForwardTarget): Exporter {
  const authority = target.url.replace(/^grpc(s?):/, 'http$1:')
  let session: ClientHttp2Session | null = null
  const connected = (): ClientHttp2Session => {
    if (session === null || session.closed || session.destroyed) {
      session = connect(authority)
      // An idle connection must not hold the process; what is under way is waited for by its promise.
      session.unref()
      session.on('error', () => undefined)
    }
    return session
  }
  return {
    async send(body, signal) {
      try {
        return await call(connected(), body, target.headers ?? {}, signal)
      } catch (error) {
        session?.destroy()
        return { again: true, reason: messageOf(error), afterMs: 0 }
      }
    },
    close: () => session?.destroy(),
  }
}

async function call(
  session: ClientHttp2Session,
  body: SentBody,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Outcome> {
  const message = await compress(protobufOf(body), { level: 1 })
  const frame = Buffer.alloc(5 + message.length)
  frame[0] = 1
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, 5)
  return await new Promise((resolve, reject) => {
    let answer: IncomingHttpHeaders = {}
    const stream = session.request(
      {
        ...headers,
        ':method': 'POST',
        ':path': exportPath(body.signal),
        'content-type': 'application/grpc',
        'grpc-encoding': 'gzip',
        te: 'trailers',
      },
      { signal },
    )
    stream.once('error', reject)
    stream.once('response', (head) => {
      answer = head
    })
    stream.once('trailers', (trailers) => {
      answer = { ...answer, ...trailers }
    })
    stream.once('close', () => resolve(outcomeOf(answer)))
    stream.resume()
    stream.end(frame)
  })
}

function outcomeOf(answer: IncomingHttpHeaders): Outcome {
  const told = answer['grpc-status']
  if (told === undefined) {
    return { again: true, reason: `no gRPC answer (HTTP ${answer[':status'] ?? 'none'})`, afterMs: 0 }
  }
  const code = Number(told)
  if (code === RpcCode.Ok) return 'taken'
  const details = Buffer.from(String(answer['grpc-status-details-bin'] ?? ''), 'base64')
  const delaySec = retryDelaySec(details)
  const again = retryable.has(code) || (code === RpcCode.ResourceExhausted && delaySec !== null)
  const message = decodeURIComponentOrSame(String(answer['grpc-message'] ?? ''))
  return { again, reason: `gRPC ${code} ${message.slice(0, 200)}`.trim(), afterMs: (delaySec ?? 0) * 1000 }
}

function decodeURIComponentOrSame(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
