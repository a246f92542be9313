import type { Signal } from '@hotspan/otlp'

/** Where OTLP/HTTP takes each signal. */
export const signalPaths: Readonly<Record<Signal, string>> = {
  traces: '/v1/traces',
  logs: '/v1/logs',
  metrics: '/v1/metrics',
  profiles: '/v1development/profiles',
}
