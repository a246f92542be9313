import { randomFillSync } from 'node:crypto'

const pool = Buffer.alloc(24 * 256)
let offset = pool.length

export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string
  /** W3C `traceparent`, sampled. */
  readonly traceparent: string
}

/** `tracestate` of every trace: kept with probability 1, so that its spans weigh 1 instead of an unknown number. */
export const sampledAlways = 'ot=th:0'

/**
 * A fresh trace context. Ids come from the system's random source, never from the run's seed: two runs of one seed must not share
 * traces in the store.
 */
export function newTraceContext(): TraceContext {
  if (offset === pool.length) {
    randomFillSync(pool)
    offset = 0
  }
  // An id of zeros is invalid (W3C Trace Context 3.2.2.3); a set bit costs nothing and rules it out.
  pool[offset + 15]! |= 1
  pool[offset + 23]! |= 1
  const hex = pool.toString('hex', offset, offset + 24)
  offset += 24
  const traceId = hex.slice(0, 32)
  return { traceId, traceparent: `00-${traceId}-${hex.slice(32)}-01` }
}
