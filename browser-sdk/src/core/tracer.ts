import { epochNs, nowMs, randomHex } from './ids.ts'
import { type Attributes, keyValues } from './otlp-json.ts'
import { session } from './session.ts'
import { enqueue } from './transport.ts'

export interface SpanRef {
  readonly traceId: string
  readonly spanId: string
}

/** What a span belongs to: the page load, a route, a restored page. Its span parents whatever has no better cause. */
export interface View {
  readonly id: string
  route: string
  readonly span: SpanRef
}

/** OTLP `SpanKind`. */
export const INTERNAL = 1
export const CLIENT = 3

export interface LiveSpan extends SpanRef {
  readonly parentSpanId: string | undefined
  name: string
  readonly kind: number
  /** `performance` time. */
  readonly startMs: number
  view: View
  readonly attributes: Attributes
  readonly events: { readonly name: string; readonly atMs: number; readonly attributes?: Attributes }[]
  readonly links: SpanRef[]
  error?: string | boolean
  ended?: boolean
}

export let view: View

export const newRef = (traceId = randomHex(16)): SpanRef => ({ traceId, spanId: randomHex(8) })

export const setView = (route: string, span: SpanRef): View => {
  view = { id: randomHex(8), route, span }
  return view
}

/** Starts a span; `parent` null makes a root. With `ref` the ids were handed out before. */
export const startSpan = (
  name: string,
  parent: SpanRef | null,
  startMs = nowMs(),
  attributes: Attributes = {},
  kind = INTERNAL,
  ref = newRef(parent?.traceId),
): LiveSpan => ({
  traceId: ref.traceId,
  spanId: ref.spanId,
  parentSpanId: parent?.spanId,
  name,
  kind,
  startMs,
  view,
  attributes,
  events: [],
  links: [],
})

const common = (of: View): Attributes => ({
  'session.id': session().id,
  'hotspan.view.id': of.id,
  'hotspan.view.route': of.route,
})

/** Ends a span once; spans of sessions outside the sample go nowhere. */
export const endSpan = (span: LiveSpan, endMs = nowMs()): void => {
  const { traceState, sampled } = session()
  if (span.ended) return
  span.ended = true
  if (!sampled) return
  const { traceId, spanId, parentSpanId, name, kind, startMs, events, links, error } = span
  enqueue('traces', {
    traceId,
    spanId,
    parentSpanId,
    traceState,
    flags: 1,
    name,
    kind,
    startTimeUnixNano: epochNs(startMs),
    endTimeUnixNano: epochNs(Math.max(startMs, endMs)),
    attributes: keyValues({ ...span.attributes, ...common(span.view) }),
    events: events.length
      ? events.map((event) => ({
          timeUnixNano: epochNs(event.atMs),
          name: event.name,
          attributes: keyValues(event.attributes ?? {}),
        }))
      : undefined,
    links: links.length ? links.map((link) => ({ ...link, traceState })) : undefined,
    status: error ? { code: 2, message: error === true ? undefined : error } : undefined,
  })
}

/** A point fact as an OTLP log event. Errors go out even when the session is outside the sample; then without weight. */
export const emitEvent = (
  eventName: string,
  attributes: Attributes,
  span: SpanRef = view.span,
  isError = false,
  of = view,
): void => {
  const { sampled } = session()
  if (!sampled && !isError) return
  const timeUnixNano = epochNs(nowMs())
  enqueue('logs', {
    timeUnixNano,
    observedTimeUnixNano: timeUnixNano,
    severityNumber: isError ? 17 : 9,
    eventName,
    attributes: keyValues({ ...attributes, ...common(of) }),
    flags: sampled ? 1 : 0,
    traceId: span.traceId,
    spanId: span.spanId,
  })
}
