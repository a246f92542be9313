import { performance } from 'node:perf_hooks'
import type {
  Baggage,
  Context,
  Span,
  TextMapGetter,
  TextMapPropagator,
  TextMapSetter,
} from '@opentelemetry/api'
import { isSpanContextValid } from '@opentelemetry/api'
import { formatBaggage, parseBaggage } from './baggage.ts'
import { BAGGAGE_KEY, SPAN_KEY, SUPPRESS_TRACING_KEY } from './context-keys.ts'
import { AgentSpan } from './span.ts'
import { hex32 } from './trace.ts'
import { remoteParent } from './tracer.ts'

/** `traceparent` of a span of ours. */
export function formatTraceParent(span: AgentSpan): string {
  const flags = span.trace.flags
  return `00-${span.trace.traceId}-${hex32(span.high)}${hex32(span.low)}-0${flags & 3}`
}

/** `baggage` header to send from `context`: the incoming text itself unless the app changed it; empty for none. */
export function outgoingBaggage(span: AgentSpan, context: Context): string {
  const baggage = context.getValue(BAGGAGE_KEY) as Baggage | undefined
  if (baggage === undefined || baggage === null) return ''
  const incoming = span.trace.baggage
  if (incoming !== '' && parseBaggage(incoming) === baggage) return incoming
  return formatBaggage(baggage)
}

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value

/** W3C Trace Context and baggage for code that uses the API. */
export class W3cPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    if (context.getValue(SUPPRESS_TRACING_KEY) !== true) {
      const span = context.getValue(SPAN_KEY) as Span | undefined
      if (span instanceof AgentSpan) {
        if (span.low !== 0) {
          setter.set(carrier, 'traceparent', formatTraceParent(span))
          if (span.trace.traceState !== '') setter.set(carrier, 'tracestate', span.trace.traceState)
        }
      } else if (span !== undefined) {
        const other = span.spanContext()
        if (isSpanContextValid(other)) {
          const flags = (other.traceFlags & 0xff).toString(16).padStart(2, '0')
          setter.set(carrier, 'traceparent', `00-${other.traceId}-${other.spanId}-${flags}`)
          if (other.traceState) setter.set(carrier, 'tracestate', other.traceState.serialize())
        }
      }
    }
    const baggage = context.getValue(BAGGAGE_KEY) as Baggage | undefined
    const header = baggage ? formatBaggage(baggage) : ''
    if (header !== '') setter.set(carrier, 'baggage', header)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const baggageHeader = getter.get(carrier, 'baggage')
    const baggageText = Array.isArray(baggageHeader) ? baggageHeader.join(',') : baggageHeader
    const baggage = baggageText ? parseBaggage(baggageText) : undefined
    const base = baggage === undefined ? context : context.setValue(BAGGAGE_KEY, baggage)
    const parent = remoteParent(
      one(getter.get(carrier, 'traceparent')),
      getter.get(carrier, 'tracestate'),
      undefined,
      performance.now(),
    )
    return parent === undefined ? base : base.setValue(SPAN_KEY, parent)
  }

  fields(): string[] {
    return ['traceparent', 'tracestate', 'baggage']
  }
}
