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
  /** Stacks that were sent for it. */
  readonly errors: Set<string>
  longFrames: number
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
  readonly events: object[]
  readonly links: SpanRef[]
  /** OTLP `Status`. */
  status?: { readonly code: number }
  ended?: boolean
}

export let view: View

export const newRef = (traceId = randomHex(16)): SpanRef => ({ traceId, spanId: randomHex(8) })

export const setView = (route: string, span: SpanRef): View => {
  view = { id: randomHex(8), route, span, errors: new Set(), longFrames: 0 }
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
  ...ref,
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
  'hotspan.view.id': of.id,
  'hotspan.view.route': of.route,
})

/** A span event at a `performance` time. */
export const addEvent = (span: LiveSpan, name: string, atMs: number, attributes: Attributes = {}): void => {
  span.events.push({ timeUnixNano: epochNs(atMs), name, attributes: keyValues(attributes) })
}

let listener: ((span: LiveSpan, endMs: number) => void) | undefined

/** One who is told of every span that is sent. */
export const setSpanListener = (given: typeof listener): void => {
  listener = given
}

/** Ends a span once; spans of sessions outside the sample go nowhere. */
export const endSpan = (span: LiveSpan, endMs = nowMs()): void => {
  const { traceState, sampled } = session()
  if (span.ended) return
  span.ended = true
  if (!sampled) return
  listener?.(span, endMs)
  const { traceId, spanId, parentSpanId, name, kind, startMs, events, links, status } = span
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
    // Empty lists cost 24 bytes a span, and bytes are what a leaving page is short of.
    events: events[0] && events,
    links: links[0] && links,
    status,
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
  enqueue('logs', {
    timeUnixNano: epochNs(nowMs()),
    severityNumber: isError ? 17 : 9,
    eventName,
    attributes: keyValues({ ...attributes, ...common(of) }),
    flags: sampled ? 1 : 0,
    traceId: span.traceId,
    spanId: span.spanId,
  })
}
