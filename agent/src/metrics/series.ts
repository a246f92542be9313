import type { Exemplar, HistogramPoint, KeyValue, NumberPoint } from '@hotspan/otlp'
import type { AgentSpan } from '../core/span.ts'
import { hex32 } from '../core/trace.ts'
import { epochNs } from '../logs/log-queue.ts'

/** Time range of a collection, epoch nanoseconds. */
export interface Window {
  readonly startNs: bigint
  readonly nowNs: bigint
}

/**
 * Counts of one histogram for one set of attributes. `record` increments an array and, inside a sampled span, notes its ids:
 * the last measurement of each bucket is its exemplar. Flat arrays, nothing is allocated.
 */
export class HistogramSeries {
  readonly attributes: readonly KeyValue[]
  private readonly bounds: readonly number[]
  private readonly counts: Float64Array
  private sum = 0
  private count = 0
  private min = Number.POSITIVE_INFINITY
  private max = Number.NEGATIVE_INFINITY
  /** Six 32-bit words a bucket: trace id and span id. */
  private readonly ids: Uint32Array
  /** Value and epoch ms a bucket; no exemplar where the time is 0. */
  private readonly seen: Float64Array

  constructor(attributes: readonly KeyValue[], bounds: readonly number[]) {
    this.attributes = attributes
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
    this.ids = new Uint32Array((bounds.length + 1) * 6)
    this.seen = new Float64Array((bounds.length + 1) * 2)
  }

  record(value: number, span: AgentSpan | undefined): void {
    const { bounds } = this
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++
    this.counts[bucket]!++
    this.count++
    this.sum += value
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
    if (span === undefined || (span.trace.flags & 1) === 0) return
    const { ids, seen } = this
    const { trace } = span
    const at = bucket * 6
    ids[at] = trace.a
    ids[at + 1] = trace.b
    ids[at + 2] = trace.c
    ids[at + 3] = trace.d
    ids[at + 4] = span.high
    ids[at + 5] = span.low
    seen[bucket * 2] = value
    seen[bucket * 2 + 1] = Date.now()
  }

  point(window: Window): HistogramPoint {
    return {
      attributes: this.attributes,
      startTimeUnixNano: window.startNs,
      timeUnixNano: window.nowNs,
      flags: 0,
      count: BigInt(this.count),
      sum: this.sum,
      min: this.count === 0 ? null : this.min,
      max: this.count === 0 ? null : this.max,
      bucketCounts: Array.from(this.counts, BigInt),
      explicitBounds: this.bounds,
      exemplars: this.exemplars(),
    }
  }

  private exemplars(): Exemplar[] {
    const exemplars: Exemplar[] = []
    for (let bucket = 0; bucket <= this.bounds.length; bucket++) {
      const atMs = this.seen[bucket * 2 + 1]!
      if (atMs === 0) continue
      const words = Array.from(this.ids.subarray(bucket * 6, bucket * 6 + 6), hex32)
      exemplars.push({
        filteredAttributes: [],
        timeUnixNano: epochNs(atMs),
        value: this.seen[bucket * 2]!,
        traceId: words.slice(0, 4).join(''),
        spanId: words.slice(4).join(''),
      })
    }
    return exemplars
  }

  /** An exemplar belongs to the interval that it was seen in. */
  forgetExemplars(): void {
    this.seen.fill(0)
  }
}

/** The value of a counter or a gauge for one set of attributes. */
export class NumberSeries {
  readonly attributes: readonly KeyValue[]
  value = 0

  constructor(attributes: readonly KeyValue[]) {
    this.attributes = attributes
  }

  point(window: Window, isInt: boolean): NumberPoint {
    return {
      attributes: this.attributes,
      startTimeUnixNano: window.startNs,
      timeUnixNano: window.nowNs,
      value: isInt && Number.isSafeInteger(this.value) ? BigInt(this.value) : this.value,
      exemplars: [],
      flags: 0,
    }
  }
}
