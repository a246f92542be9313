import { guard } from './guard.ts'

const hideListeners: (() => void)[] = []
let slices: (() => void)[] | undefined = []

/** Runs when the page is hidden or goes away; the last sure moment to hand something over. May run more than once. */
export const onHide = (listener: () => void): void => {
  hideListeners.push(guard('hide', listener))
}

const nextIdle = (run: () => void): void => {
  // Without a deadline a busy page would never get there; Safari has no idle callback.
  if ('requestIdleCallback' in globalThis) requestIdleCallback(run, { timeout: 1000 })
  else setTimeout(run, 1)
}

const runSlice = (): void => {
  slices?.shift()?.()
  if (slices?.length) nextIdle(runSlice)
  else slices = undefined
}

/** Start-up work that can wait: after `load`, one slice per idle period, all of it at once when the page is hidden before. */
export const whenIdle = (work: () => void): void => {
  const guarded = guard('start', work)
  if (slices) slices.push(guarded)
  else nextIdle(guarded)
}

export const watchLifecycle = (): void => {
  const hide = () => {
    for (const slice of slices?.splice(0) ?? []) slice()
    for (const listener of hideListeners) listener()
  }
  // On `window` in the bubble phase: everyone who listens on `document` has had their last word.
  addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && hide())
  addEventListener('pagehide', hide)
  const start = () => setTimeout(() => nextIdle(runSlice))
  if (document.readyState === 'complete') start()
  else addEventListener('load', start)
}
