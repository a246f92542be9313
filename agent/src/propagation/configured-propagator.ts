import { performance } from 'node:perf_hooks'
import {
  type Context,
  isSpanContextValid,
  type Span,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
} from '@opentelemetry/api'
import { parseBaggage } from '../core/baggage.ts'
import { BAGGAGE_KEY, SPAN_KEY, SUPPRESS_TRACING_KEY } from '../core/context-keys.ts'
import { AgentSpan } from '../core/span.ts'
import type { OutgoingIds } from './format.ts'
import { baggageIn, idsOf, type Propagation } from './propagation.ts'

/** The formats of `OTEL_PROPAGATORS` for code that uses the API. */
export class ConfiguredPropagator implements TextMapPropagator {
  private readonly propagation: Propagation

  constructor(propagation: Propagation) {
    this.propagation = propagation
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const suppressed = context.getValue(SUPPRESS_TRACING_KEY) === true
    const ids = suppressed ? undefined : idsIn(context)
    this.propagation.inject(ids, baggageIn(context), {
      has: () => false,
      set: (name, value) => setter.set(carrier, name, value),
    })
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const { parent, baggage } = this.propagation.extract(
      {
        get(name) {
          const value = getter.get(carrier, name)
          return Array.isArray(value) ? (name === 'baggage' ? value.join(',') : value[0]) : value
        },
        names: () => getter.keys(carrier),
      },
      performance.now(),
    )
    const entries = baggage === '' ? undefined : parseBaggage(baggage)
    const base = entries === undefined ? context : context.setValue(BAGGAGE_KEY, entries)
    return parent === undefined ? base : base.setValue(SPAN_KEY, parent)
  }

  fields(): string[] {
    return [...this.propagation.fields]
  }
}

function idsIn(context: Context): OutgoingIds | undefined {
  const span = context.getValue(SPAN_KEY) as Span | undefined
  if (span === undefined || span === null) return undefined
  if (span instanceof AgentSpan) return idsOf(span)
  const other = span.spanContext()
  if (!isSpanContextValid(other)) return undefined
  return {
    traceId: other.traceId,
    spanId: other.spanId,
    flags: other.traceFlags,
    debug: false,
    traceState: other.traceState?.serialize() ?? '',
  }
}
