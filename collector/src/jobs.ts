import { messageOf } from './errors.ts'
import type { Store } from './store.ts'

/** Work that runs beside the receiver, one run at a time. */
export interface Job {
  readonly name: string
  readonly everyMs: number
  run(store: Store): Promise<void>
}

/** Runs each job over and over, a failing one too; what is returned stops them and waits for those under way. */
export function startJobs(
  jobs: readonly Job[],
  store: Store,
  onEvent: (event: string) => void,
): () => Promise<void> {
  let stopped = false
  const timers = new Set<NodeJS.Timeout>()
  const running = new Set<Promise<void>>()
  const schedule = (job: Job, waitMs: number) => {
    const timer = setTimeout(async () => {
      timers.delete(timer)
      const run = job.run(store).catch((error: unknown) => onEvent(`job ${job.name}: ${messageOf(error)}`))
      running.add(run)
      await run
      running.delete(run)
      if (!stopped) schedule(job, job.everyMs)
    }, waitMs)
    timer.unref()
    timers.add(timer)
  }
  for (const job of jobs) schedule(job, Math.min(job.everyMs, 1000))
  return async () => {
    stopped = true
    for (const timer of timers) clearTimeout(timer)
    await Promise.all(running)
  }
}
