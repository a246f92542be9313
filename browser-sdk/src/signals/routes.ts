import { findCause, noteCause } from '../core/cause.ts'
import { guard } from '../core/guard.ts'
import { nowMs } from '../core/ids.ts'
import { onHide } from '../core/lifecycle.ts'
import { observe } from '../core/observe.ts'
import { patch } from '../core/patch.ts'
import { routeOf } from '../core/scrub.ts'
import { type Frame, framesBelow } from '../core/stack.ts'
import { endSpan, type LiveSpan, newRef, setView, startSpan, view } from '../core/tracer.ts'

/** A route has arrived when the document was quiet for so long; it is cut off after ten seconds. */
const QUIET_MS = 200
const MAX_MS = 10_000

let span: LiveSpan | undefined
let named: string | undefined

/** Names the view's route when a router knows better than the URL does. */
export const setRoute = guard((route: string): void => {
  named = route
  // Before consent there is none.
  if (view) view.route = route
  if (span) span.name = `route ${route}`
})

const finishWhenQuiet = (route: LiveSpan): void => {
  let lastMs = nowMs()
  const observer = new MutationObserver(() => {
    lastMs = nowMs()
  })
  observer.observe(document, { childList: true, subtree: true, characterData: true })
  const timer = setInterval(() => {
    if (!route.ended && nowMs() - lastMs < QUIET_MS && lastMs - route.startMs < MAX_MS) return
    observer.disconnect()
    clearInterval(timer)
    endSpan(route, lastMs)
  }, QUIET_MS / 2)
}

/** Route changes as new views, each with a span `route /p/:id`. */
export const routes = (): void => {
  let path = location.pathname
  if (named) view.route = named
  const arrive = guard((frames: readonly Frame[], restoredMs?: number) => {
    if (location.pathname === path && !restoredMs) return
    path = location.pathname
    if (span) endSpan(span)
    const route = routeOf(path)
    const cause = findCause(frames)
    const parent = cause.how && cause.how !== 'time' ? cause.parent : null
    const ref = newRef(parent?.traceId)
    setView(route, ref)
    span = startSpan(
      `route ${route}`,
      parent,
      restoredMs ?? cause.interaction?.startMs ?? nowMs(),
      {},
      1,
      ref,
    )
    noteCause(span, cause)
    finishWhenQuiet(span)
  })
  for (const key of ['pushState', 'replaceState'] as const) {
    const apply = (native: (...args: never[]) => unknown, self: unknown, args: unknown[]): unknown => {
      const result = Reflect.apply(native, self, args)
      arrive(framesBelow(apply))
      return result
    }
    guard(() => patch(history, key, apply))()
  }
  const { navigation } = globalThis as { navigation?: EventTarget }
  // Its own event hides the click behind it: in a microtask, after the patches had their turn.
  ;(navigation ?? globalThis).addEventListener(navigation ? 'currententrychange' : 'popstate', () =>
    queueMicrotask(() => arrive([])),
  )
  addEventListener('pageshow', ({ persisted, timeStamp }) => {
    if (persisted) arrive([], timeStamp)
  })
  // Where the browser itself tells when the new route was painted, that is its end.
  observe<PerformanceEntry & { readonly presentationTime?: number }>('soft-navigation', (entry) => {
    if (span && entry.presentationTime) endSpan(span, entry.presentationTime)
  })
  onHide(() => span && endSpan(span))
}
