import type { Options } from './core/options.ts'
import { errors } from './signals/errors.ts'
import { interactions } from './signals/interactions.ts'
import { longFrames } from './signals/long-frames.ts'
import { network } from './signals/network.ts'
import { pageLoad, serverSpan } from './signals/page-load.ts'
import { routes } from './signals/routes.ts'
import { vitals } from './signals/vitals.ts'
import { start } from './start.ts'

export { failuresByFeature } from './core/guard.ts'
export type { Options } from './core/options.ts'
export type { Attributes, AttributeValue } from './core/otlp-json.ts'
export { type TransportStats, transportStats } from './core/transport.ts'
export { errors, recordError } from './signals/errors.ts'
export { action, bind, interactions } from './signals/interactions.ts'
export { longFrames } from './signals/long-frames.ts'
export { network } from './signals/network.ts'
export { pageLoad, serverSpan } from './signals/page-load.ts'
export { routes, setRoute } from './signals/routes.ts'
export { vitals } from './signals/vitals.ts'
export { type SignalSource, shutdown, start } from './start.ts'

/**
 * Starts everything: page load, requests, interactions, routes, long frames, errors and web vitals. Call it before the
 * application's own code. Never throws; a no-op on a server or with `HOTSPAN_DISABLED`.
 */
export const init = (options: Options): void => {
  start(options, [interactions, network, routes, errors, pageLoad, longFrames, vitals], serverSpan)
}
