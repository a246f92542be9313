import { performance } from 'node:perf_hooks'
import {
  type Context,
  isSpanContextValid,
  type Span,
  type SpanContext,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api'
import type { RemoteIds } from '../propagation/format.ts'
import { clockAnchor, toAnchorMs } from './clock.ts'
import { SPAN_KEY, SUPPRESS_TRACING_KEY } from './context-keys.ts'
import { EMPTY_CONTEXT, SUPPRESSED_CONTEXT } from './linked-context.ts'
import { active, runtime } from './runtime.ts'
import { consistentTraceState, keeps } from './sampler.ts'
import { AgentSpan, Kind } from './span.ts'
import { randomBits, Trace } from './trace.ts'
import { parsed, parseTraceParent, usableTraceState } from './trace-parent.ts'

const nonZeroBits = (): number => randomBits() || 1

/** A trace that begins here. */
export function newTrace(nowMs: number): Trace {
  const c = randomBits()
  const d = randomBits()
  const { rateLimit, tail } = runtime
  const sampler = rateLimit === null ? runtime.sampler : rateLimit(nowMs)
  const sampled = keeps(sampler, c, d)
  const trace = new Trace(
    nonZeroBits(),
    randomBits(),
    c,
    d,
    sampled || tail !== null,
    sampled ? 1 : 0,
    sampled ? sampler.traceState : '',
    clockAnchor(nowMs),
  )
  if (tail !== null) tail.begin(trace, sampled)
  return trace
}

/** The trace of a remote parent: its flag decides, unless the sampler is not parent-based. */
function continuedTrace(
  a: number,
  b: number,
  c: number,
  d: number,
  flags: number,
  traceState: string,
  nowMs: number,
): Trace {
  const sampler = runtime.sampler
  const parentSampled = (flags & 1) === 1
  const sampled = sampler.parentBased ? parentSampled : keeps(sampler, c, d)
  const state = traceState === '' ? '' : consistentTraceState(traceState, sampled, c, d)
  return new Trace(a, b, c, d, sampled, (flags & 0xfe) | (sampled ? 1 : 0), state, clockAnchor(nowMs))
}

/** Stand-in for a parent in another process, from its headers; undefined when they carry none. */
export function remoteParent(
  traceParent: string | undefined,
  traceState: string | string[] | undefined,
  baggage: string | string[] | undefined,
  nowMs: number,
): AgentSpan | undefined {
  if (traceParent === undefined || !parseTraceParent(traceParent)) return undefined
  const { a, b, c, d, high, low, flags } = parsed
  const trace = continuedTrace(a, b, c, d, flags & 3, usableTraceState(traceState), nowMs)
  if (baggage !== undefined) trace.baggage = typeof baggage === 'string' ? baggage : baggage.join(',')
  return new AgentSpan(trace, high, low, 0, 0, false, true, 0, Kind.Internal, '', nowMs, EMPTY_CONTEXT)
}

/** The same from a header of another format. Where the sender left the decision to us, our sampler takes it. */
export function remoteParentOf(ids: RemoteIds, nowMs: number): AgentSpan {
  const { a, b, c, d, high, low } = ids
  const sampler = runtime.sampler
  const sampled = ids.sampled ?? keeps(sampler, c, d)
  const decidedHere = ids.sampled === undefined && sampled
  const trace = continuedTrace(
    a,
    b,
    c,
    d,
    (ids.random ? 2 : 0) | (sampled ? 1 : 0),
    decidedHere ? sampler.traceState : ids.traceState,
    nowMs,
  )
  trace.debug = ids.debug
  return new AgentSpan(trace, high, low, 0, 0, false, true, 0, Kind.Internal, '', nowMs, EMPTY_CONTEXT)
}

/** Stand-in for a sender that gave no ids but wants no trace; undefined when our sampler does not follow parents. */
export function deniedParent(nowMs: number): AgentSpan | undefined {
  if (!runtime.sampler.parentBased) return undefined
  const trace = new Trace(
    nonZeroBits(),
    randomBits(),
    randomBits(),
    randomBits(),
    false,
    0,
    '',
    clockAnchor(nowMs),
  )
  return new AgentSpan(trace, 0, 0, 0, 0, false, true, 0, Kind.Internal, '', nowMs, EMPTY_CONTEXT)
}

/** The same for a span context that some other code made. */
export function foreignParent(spanContext: SpanContext, nowMs: number): AgentSpan | undefined {
  if (!isSpanContextValid(spanContext)) return undefined
  const { traceId, spanId } = spanContext
  const part = (id: string, at: number): number => Number.parseInt(id.slice(at, at + 8), 16) | 0
  const trace = continuedTrace(
    part(traceId, 0),
    part(traceId, 8),
    part(traceId, 16),
    part(traceId, 24),
    spanContext.traceFlags & 3,
    spanContext.traceState?.serialize() ?? '',
    nowMs,
  )
  const remote = spanContext.isRemote === true
  return new AgentSpan(
    trace,
    part(spanId, 0),
    part(spanId, 8),
    0,
    0,
    false,
    remote,
    0,
    0,
    '',
    nowMs,
    EMPTY_CONTEXT,
  )
}

/**
 * A span under `parent` (or at the root of a new trace), without any of the API's checks: for our instrumentations.
 * `parentContext` is what the span's context answers from when it is asked for anything but itself.
 */
export function beginSpan(
  parent: AgentSpan | undefined,
  parentContext: Context,
  scope: number,
  kind: number,
  name: string,
  startMs: number,
): AgentSpan {
  const low = nonZeroBits()
  const high = randomBits()
  if (parent === undefined) {
    const trace = newTrace(startMs)
    trace.rootHigh = high
    trace.rootLow = low
    return new AgentSpan(trace, high, low, 0, 0, false, false, scope, kind, name, startMs, parentContext)
  }
  const trace = parent.trace
  if (trace.rootLow === 0) {
    trace.rootHigh = high
    trace.rootLow = low
  }
  return new AgentSpan(
    trace,
    high,
    low,
    parent.high,
    parent.low,
    parent.remote,
    false,
    scope,
    kind,
    name,
    startMs,
    parentContext,
  )
}

/** Our span in a context, undefined at the top, or `null` where nothing may be traced. */
export function spanOf(context: Context | undefined, nowMs: number): AgentSpan | undefined | null {
  if (context === undefined) return undefined
  if (context instanceof AgentSpan) return context
  if (context === SUPPRESSED_CONTEXT || context.getValue(SUPPRESS_TRACING_KEY) === true) return null
  const span = context.getValue(SPAN_KEY) as Span | undefined
  if (span === undefined || span === null) return undefined
  if (span instanceof AgentSpan) return span
  return foreignParent(span.spanContext(), nowMs)
}

const unsampledTrace = (nowMs: number): Trace => new Trace(1, 0, 0, 1, false, 0, '', clockAnchor(nowMs))

/** The API's tracer. */
export class AgentTracer implements Tracer {
  private readonly scope: number

  constructor(scope: number) {
    this.scope = scope
  }

  startSpan(name: string, options?: SpanOptions, context?: Context): Span {
    const nowMs = performance.now()
    const parentContext = context ?? active.getStore() ?? EMPTY_CONTEXT
    const found = spanOf(parentContext, nowMs)
    if (found === null) {
      return new AgentSpan(unsampledTrace(nowMs), 0, 0, 0, 0, false, true, 0, 0, '', nowMs, parentContext)
    }
    const parent = options?.root === true ? undefined : found
    const kind = options?.kind ?? Kind.Internal
    const span = beginSpan(
      parent,
      parentContext,
      this.scope,
      kind,
      String(name),
      startOf(options, parent, nowMs),
    )
    if (options !== undefined && span.recording) {
      if (options.attributes !== undefined) span.setAttributes(options.attributes)
      if (options.links !== undefined) span.addLinks(options.links)
    }
    return span
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    optionsOrFn: SpanOptions | F,
    contextOrFn?: Context | F,
    fn?: F,
  ): ReturnType<F> {
    let options: SpanOptions | undefined
    let context: Context | undefined
    let run: F
    if (typeof optionsOrFn === 'function') {
      run = optionsOrFn
    } else if (typeof contextOrFn === 'function') {
      options = optionsOrFn
      run = contextOrFn
    } else {
      options = optionsOrFn
      context = contextOrFn
      run = fn as F
    }
    const parentContext = context ?? active.getStore() ?? EMPTY_CONTEXT
    const span = this.startSpan(name, options, parentContext)
    return runIn(parentContext.setValue(SPAN_KEY, span), run, span) as ReturnType<F>
  }
}

function startOf(options: SpanOptions | undefined, parent: AgentSpan | undefined, nowMs: number): number {
  if (options?.startTime === undefined) return nowMs
  return toAnchorMs(options.startTime, parent?.trace.anchor ?? clockAnchor(nowMs))
}

/** Runs `fn(argument)` with `context` active. */
export function runIn<T, R>(context: Context, fn: (argument: T) => R, argument: T): R {
  const { touched, traceActivated } = runtime
  if (touched === null && traceActivated === null) return active.run(context, fn, argument)
  const span = context.getValue(SPAN_KEY)
  if (!(span instanceof AgentSpan)) return active.run(context, fn, argument)
  if (touched !== null) touched(span, performance.now())
  if (traceActivated === null) return active.run(context, fn, argument)
  const outside = active.getStore()?.getValue(SPAN_KEY)
  if (outside instanceof AgentSpan && outside.trace === span.trace) return active.run(context, fn, argument)
  return active.run(context, () => {
    traceActivated(span.trace)
    return fn(argument)
  })
}

/** The API's provider: hands out a tracer per scope; `scopeIndex` says where its spans are kept. */
export class AgentTracerProvider implements TracerProvider {
  private readonly scopeIndex: (name: string, version: string) => number
  /** Stands before the tracer of a scope whose spans must be fitted in with ours. */
  private readonly adapt: (name: string, tracer: Tracer) => Tracer

  constructor(
    scopeIndex: (name: string, version: string) => number,
    adapt: (name: string, tracer: Tracer) => Tracer = (_name, tracer) => tracer,
  ) {
    this.scopeIndex = scopeIndex
    this.adapt = adapt
  }

  getTracer(name: string, version?: string): Tracer {
    return this.adapt(name, new AgentTracer(this.scopeIndex(name || 'unknown', version ?? '')))
  }
}
