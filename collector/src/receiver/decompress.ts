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
import { IntakeFailure, tooLarge } from './intake-failure.ts'

// Above this a body is inflated on the thread pool; below, the detour costs more than it frees.
const inflateInlineBytes = 256 * 1024

const inline = { gzip: gunzipSync, zstd: zstdDecompressSync }
const pooled = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress) }
const inflateZlib = promisify(inflate)
const inflatePlain = promisify(inflateRaw)

/** Undoes `Content-Encoding` into at most `maxBytes`. Throws `IntakeFailure` 413, 400 for damaged data, 415 for unknown encodings. */
export async function decompress(body: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const options = { maxOutputLength: maxBytes }
  const small = body.length <= inflateInlineBytes
  try {
    switch (encoding) {
      case '':
      case 'identity':
        return body
      case 'gzip':
      case 'x-gzip': {
        const inOneGo = { ...options, chunkSize: gzipChunkBytes(body, maxBytes) }
        return small ? inline.gzip(body, inOneGo) : ((await pooled.gzip(body, inOneGo)) as Buffer)
      }
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
    415,
    'unsupported-encoding',
    `Content-Encoding ${JSON.stringify(encoding.slice(0, 40))} is not known; expected gzip, deflate, zstd or none`,
  )
}

const smallestChunkBytes = 16 * 1024
const largestChunkBytes = 4 * 1024 * 1024
/** Telemetry shrinks to a twentieth at most; what claims more gets its memory as it comes. */
const likelyRatio = 32

/**
 * Of inflating in one piece: the last four bytes of a gzip member are its length, and one byte more tells zlib that it is at the end.
 * Pieces of the default 16 KiB, put together after, take half as long again. The sender may have written anything there.
 */
function gzipChunkBytes(body: Buffer, maxBytes: number): number {
  const claimed = body.length < 18 ? 0 : body.readUInt32LE(body.length - 4) + 1
  const bound = Math.min(maxBytes, largestChunkBytes, body.length * likelyRatio)
  return Math.max(smallestChunkBytes, Math.min(claimed, bound))
}
