import { guard } from './guard.ts'

const hideListeners: (() => void)[] = []
const pending = new Set<() => void>()

/**
 * Runs when the page is hidden or goes away; the last sure moment to hand something over. May run more than once. `early` is
 * for what others wait for: entries that the browser has and has not told of.
 */
export const onHide = (listener: () => void, early?: boolean): void => {
  hideListeners[early ? 'unshift' : 'push'](guard(listener))
}

export const whenLoaded = (work: () => void): void => {
  if (document.readyState === 'complete') work()
  else addEventListener('load', work)
}

/** Start-up work that can wait: in an idle period of its own after `load`, or when the page is hidden before. */
export const whenIdle = (work: () => void): void => {
  const run = guard(() => {
    if (pending.delete(run)) work()
  })
  pending.add(run)
  // Without a deadline a busy page would never get there; Safari has no idle callback.
  const idle = (globalThis.requestIdleCallback ?? setTimeout) as typeof requestIdleCallback
  whenLoaded(() => setTimeout(idle, 0, run, { timeout: 1000 }))
}

export const watchLifecycle = (): void => {
  const hide = () => {
    for (const run of [...pending]) run()
    for (const run of hideListeners) run()
  }
  // On `window` in the bubble phase: everyone who listens on `document` has had their last word.
  addEventListener('visibilitychange', () => document.hidden && hide())
  addEventListener('pagehide', hide)
}
