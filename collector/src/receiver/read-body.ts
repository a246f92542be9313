import { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { BodyBudget } from './body-budget.ts'
import { freeNow, leaseBuffer, returnBuffer } from './body-buffers.ts'
import { busy, IntakeFailure, tooLarge } from './intake-failure.ts'

// A refused body is read to its end and dropped, so that the sender, who is still sending, gets the answer and not a reset.
const drainFactor = 16
/** A sender that announces much and sends little holds so many times what it sent. */
const aheadFactor = 4

export interface ReadBody {
  readonly body: Buffer
  /** Gives memory and budget back, once; `body` and views of it are other bodies' then. */
  release(): void
}

/**
 * The body as it came, at most `maxBytes`; `declaredBytes` is what the sender announced, NaN when it did not. Throws
 * `IntakeFailure` 413 over it, 429 when the budget of all bodies is used up, and 400 when the sender went away.
 */
export function readBody(
  request: Readable,
  declaredBytes: number,
  maxBytes: number,
  budget: BodyBudget,
): Promise<ReadBody> {
  return new Promise((resolve, reject) => {
    const isHttp1 = request instanceof IncomingMessage
    let buffer: Buffer | null = null
    let bytes = 0
    let failure: IntakeFailure | null = null
    const release = () => {
      if (buffer === null) return
      budget.give(buffer.length)
      returnBuffer(buffer)
      buffer = null
    }
    const refuse = (why: IntakeFailure) => {
      failure = why
      release()
    }
    /** Room for `need` bytes; false when the budget is used up. */
    const grow = (need: number): boolean => {
      const ahead = Math.min(declaredBytes > 0 ? declaredBytes : Infinity, maxBytes, need * aheadFactor)
      const larger = leaseBuffer(Math.max(need, ahead))
      if (!budget.take(larger.length)) {
        returnBuffer(larger)
        return false
      }
      buffer?.copy(larger, 0, 0, bytes)
      release()
      buffer = larger
      return true
    }
    if (declaredBytes > maxBytes) refuse(tooLarge(maxBytes))
    request.on('data', (chunk: Buffer) => {
      const need = bytes + chunk.length
      if (failure !== null) {
        if (need > maxBytes * drainFactor) request.destroy()
      } else if (need > maxBytes) refuse(tooLarge(maxBytes))
      else if (need > (buffer?.length ?? 0) && !grow(need)) refuse(busy())
      else buffer!.set(chunk, bytes)
      bytes = need
      // A copy for us alone, which chunks of HTTP/2 need not be.
      if (isHttp1 && chunk.length === chunk.buffer.byteLength) freeNow(chunk)
    })
    request.once('end', () => {
      if (failure !== null) reject(failure)
      else resolve({ body: buffer === null ? Buffer.alloc(0) : buffer.subarray(0, bytes), release })
    })
    request.once('close', () => {
      if (request.readableEnded) return
      release()
      reject(failure ?? new IntakeFailure(400, 'aborted', 'the connection ended before the body did'))
    })
  })
}
