import type { Baggage, Context } from '@opentelemetry/api'
import { BAGGAGE_KEY } from '../core/context-keys.ts'
import type { AgentSpan } from '../core/span.ts'
import { deniedParent, remoteParentOf } from '../core/tracer.ts'
import { b3 } from './b3.ts'
import { b3Multi } from './b3-multi.ts'
import type { BaggageFormat, IncomingHeaders, OutgoingHeaders, OutgoingIds, TraceFormat } from './format.ts'
import { googleCloud } from './google-cloud.ts'
import { jaeger, jaegerBaggage } from './jaeger.ts'
import { traceContext } from './trace-context.ts'
import { w3cBaggage } from './w3c-baggage.ts'
import { xray } from './xray.ts'

/** Formats other than the default pair, in the order of `OTEL_PROPAGATORS`. */
export interface Propagation {
  readonly fields: readonly string[]
  /** The first format that finds something valid gives the parent; baggage is that of all, as W3C text. */
  extract(headers: IncomingHeaders, nowMs: number): Extracted
  /** Every format writes, except where its first header is there already. */
  inject(ids: OutgoingIds | undefined, baggage: Baggage | undefined, headers: OutgoingHeaders): void
}

export interface Extracted {
  readonly parent: AgentSpan | undefined
  readonly baggage: string
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * What these names (`settings.propagators`) stand for. Null for trace context with baggage: that pair has its own code in the
 * HTTP instrumentations, which other formats must not slow down.
 */
export function createPropagation(names: readonly string[], env: Env): Propagation | null {
  if (names.length === 2 && names.includes('tracecontext') && names.includes('baggage')) return null
  const traces: TraceFormat[] = []
  const baggages: BaggageFormat[] = []
  for (const name of names) {
    const { trace, baggage } = formatsOf(name, env)
    if (trace !== undefined) traces.push(trace)
    if (baggage !== undefined) baggages.push(baggage)
  }
  return {
    fields: [...traces, ...baggages].flatMap(({ fields }) => fields),
    extract(headers, nowMs) {
      let baggage = ''
      for (const format of baggages) {
        const text = format.read(headers)
        if (text !== '') baggage = baggage === '' ? text : `${baggage},${text}`
      }
      const parent = firstParent(traces, headers, nowMs)
      if (parent !== undefined) parent.trace.baggage = baggage
      return { parent, baggage }
    },
    inject(ids, baggage, headers) {
      if (ids !== undefined) {
        for (const format of traces) if (!headers.has(format.fields[0])) format.write(ids, headers)
      }
      if (baggage) for (const format of baggages) format.write(baggage, headers)
    },
  }
}

function formatsOf(name: string, env: Env): { trace?: TraceFormat; baggage?: BaggageFormat } {
  switch (name) {
    case 'tracecontext':
      return { trace: traceContext }
    case 'baggage':
      return { baggage: w3cBaggage }
    case 'b3':
      return { trace: b3 }
    case 'b3multi':
      // A receiver of either form reads both.
      return { trace: { ...b3Multi, read: b3.read } }
    case 'xray':
      return { trace: xray(env) }
    case 'jaeger':
      return { trace: jaeger, baggage: jaegerBaggage }
    case 'gcp':
      return { trace: googleCloud }
    default:
      return {}
  }
}

function firstParent(
  formats: readonly TraceFormat[],
  headers: IncomingHeaders,
  nowMs: number,
): AgentSpan | undefined {
  for (const format of formats) {
    const found = format.read(headers)
    if (found === 'denied') return deniedParent(nowMs)
    if (found !== undefined) return remoteParentOf(found, nowMs)
  }
  return undefined
}

/** Headers of an incoming `node:http` message. */
export const incomingHeaders = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
): IncomingHeaders => ({
  get(name) {
    const value = headers[name]
    return typeof value === 'object' ? value.join(',') : value
  },
  names: () => Object.keys(headers),
})

/** Identity of a span of ours for the next process; undefined for a stand-in that has none. */
export const idsOf = (span: AgentSpan): OutgoingIds | undefined =>
  span.low === 0
    ? undefined
    : {
        traceId: span.trace.traceId,
        spanId: span.spanId,
        flags: span.trace.flags,
        debug: span.trace.debug,
        traceState: span.trace.traceState,
      }

export const baggageIn = (context: Context | undefined): Baggage | undefined =>
  context?.getValue(BAGGAGE_KEY) as Baggage | undefined
