import { hotspanAttribute } from '@hotspan/otlp'
import { runtime } from '../core/runtime.ts'
import { type AgentSpan, Kind, Status } from '../core/span.ts'
import type { Trace } from '../core/trace.ts'

/** Ended spans that wait for their local root, all traces together: some 20 MiB at most. */
const MAX_HELD = 10_000

/** A trace that began here and whose first span still runs. */
export class HeldTrace {
  /** What the sampler said, and other services were told. */
  readonly headKept: boolean
  readonly spans: AgentSpan[] = []
  decision: 'open' | 'kept' | 'dropped' = 'open'

  constructor(headKept: boolean) {
    this.headKept = headKept
  }
}

/** Decides over traces that begin here when their first span ends. */
export interface LocalTail {
  begin(trace: Trace, headKept: boolean): void
  /** A span of such a trace has ended. */
  ended(span: AgentSpan, held: HeldTrace): void
}

/**
 * Keeps every trace whose first span failed or took `slowMs`, with `th:0`, and of the rest what the sampler chose, with its
 * threshold: the class of a trace does not depend on its randomness, so both are weighted right. Other services followed the
 * head's flag; a trace that was kept against it and has calls in it is marked partial. Traces that continue a caller's follow
 * the caller.
 */
export function createLocalTail(slowMs: number): LocalTail {
  const open = new Set<HeldTrace>()
  let waiting = 0

  const close = (held: HeldTrace, keep: boolean): void => {
    open.delete(held)
    waiting -= held.spans.length
    held.decision = keep ? 'kept' : 'dropped'
    for (const span of held.spans) release(span, keep)
    held.spans.length = 0
  }

  return {
    begin(trace, headKept) {
      trace.tail = new HeldTrace(headKept)
    },
    ended(span, held) {
      if (held.decision !== 'open') {
        release(span, held.decision === 'kept')
        return
      }
      held.spans.push(span)
      open.add(held)
      waiting++
      if (isFirst(span)) {
        const special = span.statusCode === Status.Error || span.endMs - span.startMs >= slowMs
        if (special) keepWhole(span, held)
        close(held, special || held.headKept)
        return
      }
      // The oldest open trace has waited longest: it goes as the sampler said.
      while (waiting > MAX_HELD) {
        const oldest = open.values().next().value as HeldTrace
        close(oldest, oldest.headKept)
      }
    },
  }
}

/** The first span here; a stall that belongs to no request is a trace of its own. */
const isFirst = ({ low, high, parentLow, parentHigh, trace }: AgentSpan): boolean =>
  (low === trace.rootLow && high === trace.rootHigh) || (parentLow | parentHigh) === 0

function keepWhole(root: AgentSpan, held: HeldTrace): void {
  const { trace } = root
  trace.traceState = 'ot=th:0'
  trace.flags |= 1
  const asked = held.spans.some(({ kind }) => kind === Kind.Client || kind === Kind.Producer)
  if (held.headKept || !asked) return
  root.attributes ??= []
  root.attributes.push(hotspanAttribute.samplingPartial.name, true)
}

function release(span: AgentSpan, keep: boolean): void {
  if (keep) runtime.ended(span)
  span.forget()
}
