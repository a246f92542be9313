import { performance } from 'node:perf_hooks'
import type { TimeInput } from '@opentelemetry/api'

/**
 * Where `performance.now() = 0` stands on the wall clock. A trace keeps the anchor that it began with, so a corrected clock
 * never bends the spans of one trace against each other.
 */
export interface ClockAnchor {
  /** Whole seconds since the epoch. */
  readonly sec: number
  /** The rest, 0 to 999,999,999. */
  readonly ns: number
}

/** `timeOrigin` drifts from the wall clock and jumps at suspend: it is compared once a minute. */
const CHECK_MS = 60_000
/** `Date.now()` is whole milliseconds, so smaller differences are not drift. */
const TOLERATED_DRIFT_MS = 2

const anchorAt = (epochMs: number): ClockAnchor => {
  const sec = Math.floor(epochMs / 1000)
  return { sec, ns: Math.round((epochMs - sec * 1000) * 1e6) }
}

let originMs = performance.timeOrigin
let anchor = anchorAt(originMs)
let checkedMs = performance.now()

/** Anchor for a trace that begins at `nowMs` (`performance.now()`). */
export function clockAnchor(nowMs: number): ClockAnchor {
  if (nowMs - checkedMs > CHECK_MS) {
    checkedMs = nowMs
    const wallMs = Date.now()
    if (Math.abs(wallMs - originMs - nowMs) > TOLERATED_DRIFT_MS) {
      originMs = wallMs - nowMs
      anchor = anchorAt(originMs)
    }
  }
  return anchor
}

/**
 * Any time of the OpenTelemetry API as milliseconds from the anchor (the scale of `performance.now()`). A number that is not
 * ahead of `performance.now()` is taken for one, like the stock SDK does; a larger one is epoch milliseconds.
 */
export function toAnchorMs(time: TimeInput | undefined, from: ClockAnchor): number {
  if (time === undefined || time === null) return performance.now()
  if (typeof time === 'number') {
    if (time <= performance.now()) return time
    return epochToAnchorMs(time, from)
  }
  if (Array.isArray(time)) return (time[0] - from.sec) * 1000 + (time[1] - from.ns) / 1e6
  if (time instanceof Date) return epochToAnchorMs(time.getTime(), from)
  return performance.now()
}

const epochToAnchorMs = (epochMs: number, from: ClockAnchor): number =>
  epochMs - from.sec * 1000 - from.ns / 1e6
