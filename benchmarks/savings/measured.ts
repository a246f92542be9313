import { median } from '../contract/spread.ts'
import type { ServerSpan, Stall } from './server-spans.ts'
import type { Slice } from './slices.ts'

/** One pair: what its requests lost to the fault, ms (median), and how many there were. */
export interface Datum {
  readonly ms: number
  readonly n: number
}

interface Spans {
  readonly on: ReadonlyMap<string, ServerSpan>
  readonly off: ReadonlyMap<string, ServerSpan>
}

/** Fewer requests than this say nothing about a slice. */
const minRequests = 5

/** What each slice's requests of one operation lost, from the server spans of the same request in both shops. */
export function requestData(slices: readonly Slice[], spans: Spans, operation: string): Datum[] {
  return slices.flatMap((slice) =>
    datumOf(
      slice.flatMap(({ on, off }) => {
        const slow = spans.on.get(on.traceId)
        const fast = spans.off.get(off.traceId)
        if (slow === undefined || fast === undefined || slow.operation !== operation) return []
        return [slow.durationMs - fast.durationMs]
      }),
    ),
  )
}

export interface VictimData {
  /** Requests that were open while the loop stood still: what they lost between their first and last moment in the server. */
  readonly paid: readonly Datum[]
  /** Requests that came while the loop stood still, as their senders saw it; the server does not see them until it is over. */
  readonly arrived: readonly Datum[]
}

/** What the requests lost that another request's stall met. */
export function victimData(slices: readonly Slice[], spans: Spans, stalls: readonly Stall[]): VictimData {
  const paid: Datum[] = []
  const arrived: Datum[] = []
  for (const slice of slices) {
    const inside: number[] = []
    const before: number[] = []
    for (const { on, off } of slice) {
      const slow = spans.on.get(on.traceId)
      const fast = spans.off.get(off.traceId)
      if (slow === undefined || fast === undefined) continue
      const endMs = slow.startMs + slow.durationMs
      const others = stalls.filter((stall) => stall.traceId !== on.traceId)
      const meets = (fromMs: number, toMs: number) =>
        others.some((stall) => fromMs < stall.startMs + stall.durationMs && toMs > stall.startMs)
      if (meets(slow.startMs, endMs)) inside.push(slow.durationMs - fast.durationMs)
      else if (meets(endMs - on.latencyMs, slow.startMs)) before.push(on.latencyMs - off.latencyMs)
    }
    paid.push(...datumOf(inside))
    arrived.push(...datumOf(before))
  }
  return { paid, arrived }
}

function datumOf(lostMs: readonly number[]): Datum[] {
  return lostMs.length < minRequests ? [] : [{ ms: median(lostMs), n: lostMs.length }]
}
