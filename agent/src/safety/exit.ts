import { isMainThread } from 'node:worker_threads'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Sends what waits before the process ends: once when the loop runs empty, and at SIGTERM and SIGINT. A listener removes
 * Node's own exit on a signal, so when ours is the only one the signal is sent again after the flush; otherwise the app
 * decides when it ends, and ours only sends. Returns a function that ends the watch.
 */
export function watchExit(flush: () => Promise<void>): () => void {
  let flushed = false
  const onBeforeExit = (): void => {
    if (flushed) return
    flushed = true
    void flush()
  }
  process.on('beforeExit', onBeforeExit)
  if (!isMainThread) return () => process.off('beforeExit', onBeforeExit)

  let leaving = false
  const onSignal = (signal: NodeJS.Signals): void => {
    const alone = process.listenerCount(signal) === 1
    const leave = (): void => {
      process.off(signal, onSignal)
      process.kill(process.pid, signal)
    }
    // The second signal of an impatient operator does not wait for the flush of the first.
    if (alone && leaving) {
      leave()
      return
    }
    leaving = true
    void flush().then(() => {
      if (alone) leave()
    })
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return () => {
    process.off('beforeExit', onBeforeExit)
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}
