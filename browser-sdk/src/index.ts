import { compression } from './core/gzip.ts'
import type { Options } from './core/options.ts'
import { offline } from './core/storage.ts'
import { errors } from './signals/errors.ts'
import { interactions } from './signals/interactions.ts'
import { longFrames } from './signals/long-frames.ts'
import { network } from './signals/network.ts'
import { pageLoad } from './signals/page-load.ts'
import { routes } from './signals/routes.ts'
import { vitals } from './signals/vitals.ts'
import { type SignalSource, start } from './start.ts'

export type { Consent } from './core/consent.ts'
export { failures } from './core/guard.ts'
export { compression } from './core/gzip.ts'
export type { Options, OtlpRecord } from './core/options.ts'
export type { Attributes, AttributeValue } from './core/otlp-json.ts'
export { offline } from './core/storage.ts'
export { type TransportStats, transportStats } from './core/transport.ts'
export { devtoolsTracks } from './devtools.ts'
export { errors, recordError } from './signals/errors.ts'
export { action, bind, interactions } from './signals/interactions.ts'
export { longFrames } from './signals/long-frames.ts'
export { network } from './signals/network.ts'
export { pageLoad } from './signals/page-load.ts'
export { routes, setRoute } from './signals/routes.ts'
export { vitals } from './signals/vitals.ts'
export { type SignalSource, setConsent, shutdown, start } from './start.ts'

/**
 * Starts page load, requests, interactions, routes, errors, web vitals and long frames, keeps what could not be delivered for the
 * next visit, and starts `more` (the track of the DevTools). Call it before the application's own code. Never throws; a no-op on a
 * server or with `HOTSPAN_DISABLED`.
 */
export const init = (options: Options, more: readonly SignalSource[] = []): void => {
  start(options, [
    pageLoad,
    interactions,
    network,
    routes,
    errors,
    vitals,
    longFrames,
    compression,
    offline,
    ...more,
  ])
}
