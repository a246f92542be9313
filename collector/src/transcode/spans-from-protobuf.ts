import { type DecodeLimits, decodeTraces, defaultDecodeLimits } from '@hotspan/otlp'
import { RowPages } from './row-pages.ts'
import { NotForTheWalk, SpanWalk, type Walked } from './span-walk.ts'
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

export interface SpanRows extends Rows {
  /** What the walk saw by the way; null when the object route made the rows. */
  readonly seen: Pick<Walked, 'earliestNs' | 'latestNs' | 'fingerprint'> | null
}

/**
 * Rows of `otel_traces` from a protobuf `ExportTraceServiceRequest`.
 *
 * @throws WireError when the body is no such message or passes a limit
 */
export function spanRowsFromProtobuf(body: Uint8Array, limits: DecodeLimits = defaultDecodeLimits): SpanRows {
  const start = pages.writer.at
  try {
    const walk = body.length <= usualBodyBytes ? usualWalk : new SpanWalk(body.length)
    const { rows, cutValues, ...seen } = walk.walk(body, limits, pages.writer)
    return { rows, ...pages.handOver(start), cutValues, droppedAttributes: 0, seen }
  } catch (error) {
    pages.takeBack(start)
    if (error instanceof NotForTheWalk)
      return { ...spanRowsFromObjects(decodeTraces(body, limits)), seen: null }
    throw error
  }
}
