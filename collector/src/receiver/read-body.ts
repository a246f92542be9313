import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import {
  gunzip,
  gunzipSync,
  inflate,
  inflateRaw,
  inflateRawSync,
  inflateSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib'
import { IntakeFailure } from './intake-failure.ts'

/** Bytes of all bodies that are in memory at once, over all connections. Past it senders are told to come again. */
export class BodyBudget {
  private usedBytes = 0
  readonly maxBytes: number

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  take(bytes: number): boolean {
    if (this.usedBytes + bytes > this.maxBytes) return false
    this.usedBytes += bytes
    return true
  }

  give(bytes: number): void {
    this.usedBytes -= bytes
  }

  get bytes(): number {
    return this.usedBytes
  }
}

// A refused body is read to its end and dropped, so that the sender, who is still sending, gets the answer and not a reset.
const drainFactor = 16

/**
 * The body as it came, at most `maxBytes`; `declaredBytes` is what the sender announced, NaN when it did not. Throws
 * `IntakeFailure` 413 over it, 429 when the budget of all bodies is used up, and 400 when the sender went away. The caller
 * gives the budget back.
 */
export function readBody(
  request: Readable,
  declaredBytes: number,
  maxBytes: number,
  budget: BodyBudget,
): Promise<{ body: Buffer; reservedBytes: number }> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = []
    let bytes = 0
    let reservedBytes = 0
    let failure: IntakeFailure | null = null
    const refuse = (why: IntakeFailure) => {
      failure = why
      chunks = []
      budget.give(reservedBytes)
      reservedBytes = 0
    }
    if (declaredBytes > maxBytes) refuse(tooLarge(maxBytes))
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (failure !== null) {
        if (bytes > maxBytes * drainFactor) request.destroy()
        return
      }
      if (bytes > maxBytes) refuse(tooLarge(maxBytes))
      else if (!budget.take(chunk.length)) refuse(busy())
      else {
        reservedBytes += chunk.length
        chunks.push(chunk)
      }
    })
    request.once('end', () => {
      if (failure !== null) reject(failure)
      else resolve({ body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), reservedBytes })
    })
    request.once('close', () => {
      if (request.readableEnded) return
      budget.give(reservedBytes)
      reservedBytes = 0
      reject(failure ?? new IntakeFailure(400, 'aborted', 'the connection ended before the body did'))
    })
  })
}

export function tooLarge(maxBytes: number): IntakeFailure {
  return new IntakeFailure(
    413,
    'too-large',
    `the body is larger than ${maxBytes} bytes, counted after decompression; send smaller batches`,
  )
}

export function busy(): IntakeFailure {
  return new IntakeFailure(429, 'busy', 'too many bodies are being read at once', { retryAfterSec: 1 })
}

// Above this a body is inflated on the thread pool; below, the detour costs more than it frees.
const inflateInlineBytes = 256 * 1024

const inline = { gzip: gunzipSync, zstd: zstdDecompressSync }
const pooled = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress) }
const inflateZlib = promisify(inflate)
const inflatePlain = promisify(inflateRaw)

/** Undoes `Content-Encoding` into at most `maxBytes`. Throws `IntakeFailure` 413, or 400 for damaged data and unknown encodings. */
export async function decompress(body: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const options = { maxOutputLength: maxBytes }
  const small = body.length <= inflateInlineBytes
  try {
    switch (encoding) {
      case '':
      case 'identity':
        return body
      case 'gzip':
      case 'x-gzip':
        return small ? inline.gzip(body, options) : ((await pooled.gzip(body, options)) as Buffer)
      case 'zstd':
        return small ? inline.zstd(body, options) : ((await pooled.zstd(body, options)) as Buffer)
      case 'deflate':
      case 'zlib': {
        // "deflate" is zlib's format by the standard, and raw deflate from some senders. The first byte tells.
        const wrapped = body.length >= 2 && (body[0]! & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0
        if (small) return wrapped ? inflateSync(body, options) : inflateRawSync(body, options)
        return (await (wrapped ? inflateZlib : inflatePlain)(body, options)) as Buffer
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw new IntakeFailure(400, 'bad-data', `the body is not valid ${encoding}: ${(error as Error).message}`)
  }
  throw new IntakeFailure(
    400,
    'unsupported-encoding',
    `Content-Encoding ${JSON.stringify(encoding.slice(0, 40))} is not known; expected gzip, deflate, zstd or none`,
  )
}
