import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { decodeExportResponse } from '@hotspan/otlp'
import { http, loadHttps, loadZlib } from '../node-modules.ts'
import type { Batch } from './batch.ts'

export interface Endpoint {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly gzip: boolean
}

/** What became of one POST. `unreachable` covers refused, reset and timed-out connections. */
export type PostResult =
  | { kind: 'accepted'; rejected: number; message: string }
  | { kind: 'refused'; status: number; retryAfter: string | undefined }
  | { kind: 'unreachable'; reason: string }

/** More of an answer than this is not read. */
const MAX_ANSWER_BYTES = 64 * 1024

export interface Poster {
  post(batch: Batch): Promise<PostResult>
  close(): void
}

/** Posts batches to one endpoint over one kept connection. Never rejects. */
export function createPoster(endpoint: Endpoint): Poster {
  const secure = endpoint.url.protocol === 'https:'
  const { Agent, request } = secure ? loadHttps() : http
  const agent = new Agent({ keepAlive: true, maxSockets: 1, keepAliveMsecs: 30_000 })
  const compress = endpoint.gzip ? promisify(loadZlib().gzip) : undefined

  const send = (pieces: readonly Uint8Array[], bytes: number, encoding: string): Promise<PostResult> =>
    new Promise((resolve) => {
      const headers: Record<string, string | number> = {
        ...endpoint.headers,
        'content-type': 'application/x-protobuf',
        'content-length': bytes,
      }
      if (encoding !== '') headers['content-encoding'] = encoding
      const call = request(endpoint.url, { method: 'POST', agent, headers })
      const timer = setTimeout(
        () => call.destroy(new Error(`no answer within ${endpoint.timeoutMs} ms`)),
        endpoint.timeoutMs,
      )
      timer.unref()
      const settle = (result: PostResult): void => {
        clearTimeout(timer)
        resolve(result)
      }
      call.on('error', (error) => settle({ kind: 'unreachable', reason: error.message }))
      let answered = false
      call.on('close', () => {
        if (!answered) settle({ kind: 'unreachable', reason: 'connection closed' })
      })
      call.on('response', (response) => {
        answered = true
        readAnswer(response, settle)
      })
      // The process may end while a batch is on its way, unless a flush waits for it.
      call.on('socket', (socket) => socket.unref())
      call.cork()
      for (const piece of pieces) call.write(piece)
      call.end()
    })

  return {
    async post(batch) {
      try {
        if (compress === undefined) return await send(batch.pieces, batch.bytes, '')
        const body = await compress(Buffer.concat(batch.pieces, batch.bytes), { level: 1 })
        return await send([body], body.length, 'gzip')
      } catch (error) {
        return { kind: 'unreachable', reason: error instanceof Error ? error.message : String(error) }
      }
    },
    close: () => agent.destroy(),
  }
}

function readAnswer(response: IncomingMessage, settle: (result: PostResult) => void): void {
  const status = response.statusCode ?? 0
  const parts: Buffer[] = []
  let bytes = 0
  response.on('data', (part: Buffer) => {
    bytes += part.length
    if (bytes > MAX_ANSWER_BYTES) response.destroy()
    else parts.push(part)
  })
  response.on('error', (error) => settle({ kind: 'unreachable', reason: error.message }))
  response.on('close', () => {
    const retryAfter = response.headers['retry-after']
    if (status < 200 || status > 299) settle({ kind: 'refused', status, retryAfter })
    else settle({ kind: 'accepted', ...partialSuccess(Buffer.concat(parts)) })
  })
}

/** What the endpoint did not store; an answer that is no OTLP message says nothing. */
function partialSuccess(answer: Uint8Array): { rejected: number; message: string } {
  try {
    const partial = decodeExportResponse(answer)
    if (partial !== null)
      return { rejected: Math.max(0, Number(partial.rejected)), message: partial.errorMessage }
  } catch {
    // Not ours to complain about: the status said that it was accepted.
  }
  return { rejected: 0, message: '' }
}
