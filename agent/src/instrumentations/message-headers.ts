import { performance } from 'node:perf_hooks'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { formatTraceParent, outgoingBaggage } from '../core/propagator.ts'
import { runtime } from '../core/runtime.ts'
import type { AgentSpan } from '../core/span.ts'
import { beginSpan, remoteParent } from '../core/tracer.ts'
import type { IncomingHeaders, OutgoingHeaders } from '../propagation/format.ts'
import { baggageIn, idsOf } from '../propagation/propagation.ts'

/** Writes the identity of `span` into the headers of a message or a call. What the app has written there stays. */
export function injectInto(span: AgentSpan, headers: OutgoingHeaders): void {
  if (runtime.propagation !== null) {
    runtime.propagation.inject(idsOf(span), baggageIn(span), headers)
    return
  }
  if (headers.has('traceparent')) return
  headers.set('traceparent', formatTraceParent(span))
  if (span.trace.traceState !== '') headers.set('tracestate', span.trace.traceState)
  const baggage = outgoingBaggage(span, span)
  if (baggage !== '' && !headers.has('baggage')) headers.set('baggage', baggage)
}

/** Stand-in for the sender's span, where the headers name one; baggage comes without one too. */
export function senderOf(
  headers: IncomingHeaders,
  nowMs: number,
): { parent: AgentSpan | undefined; baggage: string | undefined } {
  if (runtime.propagation !== null) return runtime.propagation.extract(headers, nowMs)
  const baggage = headers.get('baggage')
  return {
    baggage,
    parent: remoteParent(headers.get('traceparent'), headers.get('tracestate'), baggage, nowMs),
  }
}

/** A span of a message or a call that came in: a child of its sender's when the headers name one, else a root. */
export function beginIncoming(kind: number, name: string, headers: IncomingHeaders): AgentSpan {
  const startMs = performance.now()
  const { parent, baggage } = senderOf(headers, startMs)
  const span = beginSpan(parent, EMPTY_CONTEXT, 0, kind, name, startMs)
  if (parent === undefined && baggage) span.trace.baggage = baggage
  return span
}

/** Headers in a plain object of texts. */
export const objectHeaders = (carrier: Record<string, unknown>): IncomingHeaders & OutgoingHeaders => ({
  get(name) {
    const value = carrier[name]
    return value === undefined || value === null ? undefined : String(value)
  },
  names: () => Object.keys(carrier),
  has: (name) => carrier[name] !== undefined,
  set(name, value) {
    carrier[name] = value
  },
})
