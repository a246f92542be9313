import { type Consent, consent, noteConsent } from './core/consent.ts'
import { attempt, guard } from './core/guard.ts'
import { watchLifecycle } from './core/lifecycle.ts'
import { type Options, setOptions } from './core/options.ts'
import { unpatchAll } from './core/patch.ts'
import { routeOf } from './core/scrub.ts'
import { STORED } from './core/session.ts'
import { newRef, setView, view } from './core/tracer.ts'
import { flush, hush, startTransport } from './core/transport.ts'

/** One kind of telemetry; started once, in the order given. */
export type SignalSource = () => void

const MARK = Symbol.for('hotspan.browser')

/** A start that waits for consent. */
let held: (() => void) | undefined

/**
 * Starts the SDK with chosen signals; `init` starts them all. Does nothing on a server, when `HOTSPAN_DISABLED` is set on the
 * global object, or when another copy runs in this page. Never throws.
 */
export const start = guard((options: Options, signals: readonly SignalSource[]): void => {
  const page = globalThis as { [MARK]?: boolean; HOTSPAN_DISABLED?: unknown }
  if (typeof document === 'undefined' || page.HOTSPAN_DISABLED || page[MARK]) return
  // A prerendered page that is never shown is never sent.
  if ((document as { prerendering?: boolean }).prerendering) {
    const later = () => start(options, signals)
    document.addEventListener('prerenderingchange', later, { once: true })
    return
  }
  noteConsent(options.consent ?? 'granted', true)
  held = () => start(options, signals)
  if (consent === 'denied') return
  page[MARK] = true
  setOptions({ ...options, endpoint: options.endpoint.replace(/\/$/, '') })
  setView(routeOf(location.pathname), newRef())
  watchLifecycle()
  for (const signal of signals) guard(signal)()
  // Last, so that every signal has ended its spans when the page goes away.
  startTransport()
})

/** Sends what is left, takes the patches back and stays silent until the next load. */
export const shutdown = /* @__PURE__ */ guard((): void => {
  if (!view) return
  flush(true)
  hush(true, true)
  unpatchAll()
})

/**
 * What the visitor said, before `init` or after; it goes before `options.consent`. `granted` sends what has waited; `denied` forgets
 * it, wipes what was stored and silences everything until it is granted.
 */
export const setConsent = (given: Consent): void => {
  const off = given === 'denied'
  noteConsent(given)
  // A start that is still to come asks for itself.
  if (view) hush(off)
  attempt(() => {
    held?.()
    if (off)
      for (const key of Object.keys(localStorage)) if (key.startsWith(STORED)) localStorage.removeItem(key)
  })
  flush()
}
