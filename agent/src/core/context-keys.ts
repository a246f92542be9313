/**
 * Keys of `@opentelemetry/api` and its SDK packages. They are global symbols by their description, so that several copies of
 * those packages understand each other; ours is one more.
 */
export const SPAN_KEY = Symbol.for('OpenTelemetry Context Key SPAN')
export const BAGGAGE_KEY = Symbol.for('OpenTelemetry Baggage Key')
export const SUPPRESS_TRACING_KEY = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING')
/** Stock instrumentations of routers write the route into the object found here. */
export const RPC_METADATA_KEY = Symbol.for('OpenTelemetry SDK Context Key RPC_METADATA')
