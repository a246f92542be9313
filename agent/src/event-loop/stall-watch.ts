import { url as inspectorUrl } from 'node:inspector'
import { performance } from 'node:perf_hooks'
import { SUPPRESSED_CONTEXT } from '../core/linked-context.ts'
import { active, runtime } from '../core/runtime.ts'
import { type AgentSpan, Kind } from '../core/span.ts'
import type { Trace } from '../core/trace.ts'
import { fault, faultCount } from '../faults.ts'

const NAME = 'event-loop'

/** Heartbeat, ms (a gap in a 20 ms heartbeat names every block from 50 ms on). */
const BEAT_MS = 20
/** A stall is reported from this length on, ms. */
export const STALL_MS = 50
/** Utilisation is read over about this time, ms. */
const UTILISATION_MS = 1000

/** A time in which the event loop did not turn, on the scale of `performance.now()`. */
export interface Stall {
  readonly startMs: number
  readonly endMs: number
  /** CPU time of the thread (of the process before Node 22) in between. */
  readonly cpuMs: number
  /** 0 to 1. */
  readonly utilization: number
  /** Trace that was seen active, when one was. */
  readonly blocking: Trace | undefined
}

export interface StallWatch {
  /** Looks at the gap now, before our own work hides it. */
  beat(): void
  /** Our own work has just blocked the loop: the time until now is not the app's. */
  excuse(): void
  stop(): void
}

/** Most stalls that are reported in one second: a loop that only stalls needs no more evidence. */
const MOST_PER_SEC = 20

/**
 * Watches the loop. Who blocked is told by the spans themselves: each activation and each end passes `runtime.touched` with a
 * time that was read anyway, so the widest gap between two of them lies next to the span that ran in it.
 */
export function watchStalls(report: (stall: Stall) => void): StallWatch {
  const count = faultCount(NAME)
  let beatMs = performance.now()
  let beatCpu = cpuMs()
  let touchMs = beatMs
  let touchSpan: AgentSpan | null = null
  let gapMs = 0
  let gapBefore: AgentSpan | null = null
  let gapBeforeMs = 0
  let gapAfter: AgentSpan | null = null
  let old = performance.eventLoopUtilization()
  let recent = old
  let recentMs = beatMs
  let secondMs = beatMs
  let inSecond = 0

  runtime.touched = (span, nowMs) => {
    const since = Math.max(touchMs, beatMs)
    if (nowMs - since > gapMs) {
      gapMs = nowMs - since
      gapBefore = touchMs > beatMs ? touchSpan : null
      gapBeforeMs = touchMs
      gapAfter = span
    }
    touchMs = nowMs
    touchSpan = span
  }

  const beat = (): void => {
    const nowMs = performance.now()
    const cpu = cpuMs()
    const waitedMs = nowMs - beatMs
    // The next beat was due after BEAT_MS, so the block began before that.
    if (waitedMs - BEAT_MS >= STALL_MS && !count.off) {
      try {
        found(nowMs, cpu - beatCpu)
      } catch (error) {
        fault(NAME, error)
      }
    }
    if (nowMs - recentMs >= UTILISATION_MS) {
      old = recent
      recent = performance.eventLoopUtilization()
      recentMs = nowMs
    }
    restart(nowMs, cpu)
  }

  function restart(nowMs: number, cpu: number): void {
    beatMs = nowMs
    beatCpu = cpu
    gapMs = 0
    gapBefore = null
    gapAfter = null
    touchSpan = null
    touchMs = 0
  }

  function found(nowMs: number, cpuInside: number): void {
    if (inspectorUrl() !== undefined) return
    if (nowMs - secondMs >= 1000) {
      secondMs = nowMs
      inSecond = 0
    }
    if (++inSecond > MOST_PER_SEC) return
    // The time behind the last touch is a gap too.
    if (touchMs > beatMs && nowMs - touchMs > gapMs) {
      gapMs = nowMs - touchMs
      gapBefore = touchSpan
      gapBeforeMs = touchMs
      gapAfter = null
    }
    const blocking = gapMs >= STALL_MS - BEAT_MS ? blockingTrace(gapBefore, gapAfter) : undefined
    const dueMs = beatMs + BEAT_MS
    const startMs = blocking !== undefined && gapBefore !== null ? Math.min(gapBeforeMs, dueMs) : dueMs
    report({
      startMs,
      endMs: nowMs,
      cpuMs: cpuInside,
      utilization: performance.eventLoopUtilization(old).utilization,
      blocking,
    })
  }

  let timer: NodeJS.Timeout | undefined
  active.run(SUPPRESSED_CONTEXT, () => {
    timer = setInterval(beat, BEAT_MS)
    timer.unref()
  })
  return {
    beat,
    excuse: () => restart(performance.now(), cpuMs()),
    stop() {
      clearInterval(timer)
      runtime.touched = null
    },
  }
}

/**
 * Whose code ran between two touches. An internal span that ends right after the gap was ended by that code itself; client
 * and server spans end by input, which waits its turn and may be anybody's, so there the span touched before the gap decides.
 */
function blockingTrace(before: AgentSpan | null, after: AgentSpan | null): Trace | undefined {
  if (after !== null && after.kind === Kind.Internal) return after.trace
  return before?.trace
}

type CpuUsage = { user: number; system: number }
const threadCpu = (process as { threadCpuUsage?: () => CpuUsage }).threadCpuUsage

function cpuMs(): number {
  const usage = threadCpu === undefined ? process.cpuUsage() : threadCpu.call(process)
  return (usage.user + usage.system) / 1000
}
