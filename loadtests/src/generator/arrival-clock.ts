import type { PlannedRequest } from './schedule.ts'

/**
 * Calls `onDue` for every planned request when it is due, never earlier, and resolves after the last one. A timer sleeps until about
 * 1 ms before, `setImmediate` polls the rest: Node's timers alone are up to 1 ms late, and a request that is due while the thread is
 * busy is still counted from its intended start. Nothing here waits for an answer.
 */
export function runOnSchedule(
  plan: Iterator<PlannedRequest, void, void>,
  startMs: number,
  onDue: (request: PlannedRequest, nowMs: number) => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    let immediate: NodeJS.Immediate | undefined
    let next = plan.next()
    const finish = (error?: unknown) => {
      clearTimeout(timer)
      clearImmediate(immediate)
      signal.removeEventListener('abort', onAbort)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onAbort = () => finish()
    const tick = () => {
      try {
        let now = performance.now()
        while (!next.done && startMs + next.value.dueMs <= now) {
          onDue(next.value, now)
          next = plan.next()
          now = performance.now()
        }
        if (next.done) return finish()
        const waitMs = startMs + next.value.dueMs - now
        if (waitMs >= 2) timer = setTimeout(tick, Math.floor(waitMs - 1))
        else immediate = setImmediate(tick)
      } catch (error) {
        finish(error)
      }
    }
    if (signal.aborted) return finish()
    signal.addEventListener('abort', onAbort, { once: true })
    tick()
  })
}
