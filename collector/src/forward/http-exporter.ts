import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { messageOf } from '../errors.ts'
import { signalPaths } from '../receiver/signal-paths.ts'
import type { Exporter, ForwardTarget } from './exporter.ts'
import { protobufOf } from './protobuf-of.ts'

const compress = promisify(gzip)
const retryable = new Set([429, 502, 503, 504])

/** OTLP/HTTP, in the encoding in which the body came. */
export function httpExporter(target: ForwardTarget): Exporter {
  const base = target.url.replace(/\/+$/, '')
  return {
    async send(body, signal) {
      const json = body.encoding === 'json'
      try {
        const answer = await fetch(base + signalPaths[body.signal], {
          method: 'POST',
          headers: {
            'content-type': json ? 'application/json' : 'application/x-protobuf',
            'content-encoding': 'gzip',
            ...target.headers,
          },
          body: await compress(json ? body.bytes : protobufOf(body), { level: 1 }),
          redirect: 'error',
          signal,
        })
        await answer.arrayBuffer()
        if (answer.ok) return 'taken'
        const afterMs = retryAfterMs(answer.headers.get('retry-after'))
        return { again: retryable.has(answer.status), reason: `HTTP ${answer.status}`, afterMs }
      } catch (error) {
        const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
        return { again: true, reason: messageOf(cause), afterMs: 0 }
      }
    },
    close: () => undefined,
  }
}

/** `Retry-After` in seconds or as a date, ms from now; 0 when there is none. */
function retryAfterMs(value: string | null): number {
  if (value === null) return 0
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(value)
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now())
}
