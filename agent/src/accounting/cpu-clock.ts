import { createHook } from 'node:async_hooks'
import { SPAN_KEY } from '../core/context-keys.ts'
import { active } from '../core/runtime.ts'
import { AgentSpan } from '../core/span.ts'
import type { RequestAccount } from './account.ts'

type CpuUsage = { user: number; system: number }
const threadCpu = (process as { threadCpuUsage?: () => CpuUsage }).threadCpuUsage

/** CPU time of this thread, ms; of the process where Node cannot tell them apart (before 22.19 and 23.9). */
function cpuMs(): number {
  const usage = threadCpu === undefined ? process.cpuUsage() : threadCpu.call(process)
  return (usage.user + usage.system) / 1000
}

/**
 * CPU time of the thread by request: every callback and every continuation of a promise belongs to the request whose context
 * it runs in. Async hooks see each of them, which costs about a microsecond apiece: only on request, and the same on both
 * sides of a comparison.
 */
export interface CpuClock {
  /** The callback that runs now turns out to serve this request. */
  serves(account: RequestAccount): void
  /** Brings the running request's time up to now. */
  settle(): void
  stop(): void
}

export function startCpuClock(): CpuClock {
  let current: RequestAccount | null = null
  let sinceMs = 0

  const turnTo = (next: RequestAccount | null): void => {
    if (current === null && next === null) return
    const nowMs = cpuMs()
    if (current !== null) current.cpuMs += nowMs - sinceMs
    current = next
    sinceMs = nowMs
  }
  const accountNow = (): RequestAccount | null => {
    const context = active.getStore()
    if (context === undefined) return null
    const span = context instanceof AgentSpan ? context : context.getValue(SPAN_KEY)
    return span instanceof AgentSpan ? span.trace.account : null
  }
  const hook = createHook({
    before() {
      turnTo(accountNow())
    },
    after() {
      turnTo(null)
    },
  }).enable()
  return {
    serves: turnTo,
    settle: () => turnTo(current),
    stop: () => void hook.disable(),
  }
}
