import { type DecodeLimits, decodeTraces, defaultDecodeLimits } from '@hotspan/otlp'
import { RowPages } from './row-pages.ts'
import { RowWriter } from './row-writer.ts'
import { NotForTheWalk, SpanWalk } from './span-walk.ts'
import { type Rows, spanRowsFromObjects } from './spans-from-objects.ts'

/**
 * The hot route: OTLP protobuf to RowBinary rows of `otel_traces` in one walk, which is WebAssembly (`span-walk.ts`, `collector/assembly`).
 * Equal to the object route (`spans-from-objects.ts`), which a property test holds.
 */

/** A larger body has a walk, and memory, of its own. */
const usualBodyBytes = 4 << 20
const usualWalk = new SpanWalk(usualBodyBytes)

/** Rows of all bodies pass through here, one body at a time. */
const pages = new RowPages()
const identity = new RowWriter(1 << 16)

export interface SpanRows extends Rows {
  /**
   * Ids and times of all spans, and the length of the body: a tenth of its bytes, and they tell it from bodies of other spans. The same spans
   * with another attribute of equal length are the same body, which is accepted: the store takes a span once by its ids. Null when a span
   * has no id. Overwritten by the next body.
   */
  readonly spanIds: Uint8Array | null
}

/**
 * Rows of `otel_traces` from a protobuf `ExportTraceServiceRequest`.
 *
 * @throws WireError when the body is no such message or passes a limit
 */
export function spanRowsFromProtobuf(body: Uint8Array, limits: DecodeLimits = defaultDecodeLimits): SpanRows {
  const start = pages.writer.at
  identity.startAgain()
  identity.int32(body.length)
  try {
    const walk = body.length <= usualBodyBytes ? usualWalk : new SpanWalk(body.length)
    const { rows, allHaveIds, cutValues } = walk.walk(body, limits, pages.writer, identity)
    const spanIds = allHaveIds ? identity.bytes.subarray(0, identity.at) : null
    return { rows, ...pages.handOver(start), cutValues, droppedAttributes: 0, spanIds }
  } catch (error) {
    pages.takeBack(start)
    if (error instanceof NotForTheWalk)
      return { ...spanRowsFromObjects(decodeTraces(body, limits)), spanIds: null }
    throw error
  }
}
