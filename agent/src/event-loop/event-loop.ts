import { performance } from 'node:perf_hooks'
import { SUPPRESSED_CONTEXT } from '../core/linked-context.ts'
import { active } from '../core/runtime.ts'
import { fault } from '../faults.ts'
import { startProfiler } from './profiler.ts'
import { emitStall } from './stall-span.ts'
import { type Stall, watchStalls } from './stall-watch.ts'

/** Reading the samples blocks the loop, so stalls wait for company this long, ms ... */
const FIRST_READ_MS = 1_000
/** ... and it happens no more often than this, ms. */
const BETWEEN_READS_MS = 10_000
/** Samples older than this are forgotten even when nothing stalled, ms. */
const MOST_BETWEEN_READS_MS = 60_000
/** Stalls that wait for their samples; more are reported without a function. */
const MOST_WAITING = 200

export interface EventLoopWatch {
  /** Reports the stalls that wait for their samples. */
  settle(): void
  stop(): void
}

/** Turns stalls of the event loop into spans; with `profile` they name the blocking function and request. */
export function watchEventLoop(profile: boolean, complain: (line: string) => void): EventLoopWatch {
  const profiler = profile ? startProfiler(complain) : undefined
  let waiting: Stall[] = []
  let readMs = performance.now() - BETWEEN_READS_MS
  let timer: NodeJS.Timeout | undefined

  const read = (): void => {
    if (profiler === undefined) return
    watch.beat()
    const stalls = waiting
    waiting = []
    try {
      const evidence = profiler.evidence(stalls)
      for (const [i, stall] of stalls.entries()) {
        emitStall(stall, evidence[i]?.blocking ?? stall.blocking, evidence[i]?.frame)
      }
    } catch (error) {
      fault('event-loop', error)
    }
    readMs = performance.now()
    // What reading took is ours, not the app's.
    watch.excuse()
    plan(MOST_BETWEEN_READS_MS)
  }

  const plan = (delayMs: number): void => {
    clearTimeout(timer)
    active.run(SUPPRESSED_CONTEXT, () => {
      timer = setTimeout(read, delayMs)
      timer.unref()
    })
  }

  const watch = watchStalls((stall) => {
    if (profiler === undefined || waiting.length >= MOST_WAITING) {
      emitStall(stall, stall.blocking, undefined)
      return
    }
    waiting.push(stall)
    if (waiting.length === 1) plan(Math.max(FIRST_READ_MS, readMs + BETWEEN_READS_MS - performance.now()))
  })
  if (profiler !== undefined) plan(MOST_BETWEEN_READS_MS)

  return {
    settle() {
      watch.beat()
      if (waiting.length > 0) read()
    },
    stop() {
      clearTimeout(timer)
      watch.stop()
      profiler?.stop()
    },
  }
}
