import { performance } from 'node:perf_hooks'
import type {
  Attributes,
  AttributeValue,
  Context,
  Exception,
  Link,
  Span,
  SpanContext,
  SpanStatus,
  TimeInput,
} from '@opentelemetry/api'
import { createTraceState } from '@opentelemetry/api'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { parseBaggage } from './baggage.ts'
import { toAnchorMs } from './clock.ts'
import { BAGGAGE_KEY, RPC_METADATA_KEY, SPAN_KEY } from './context-keys.ts'
import { LinkedContext } from './linked-context.ts'
import { runtime } from './runtime.ts'
import { hex32, type Trace } from './trace.ts'

/** Writes an instrumentation's attributes when the span ends; until then the span only holds references. */
export type LateAttributes = (encoder: SpanEncoder, span: AgentSpan) => void

export interface SpanEventRecord {
  readonly name: string
  /** Milliseconds on the trace's anchor. */
  readonly atMs: number
  readonly attributes: Attributes | undefined
}

/** OpenTelemetry API kinds (the OTLP number is one more). */
export const Kind = { Internal: 0, Server: 1, Client: 2, Producer: 3, Consumer: 4 } as const

/** OTLP status codes. */
export const Status = { Unset: 0, Ok: 1, Error: 2 } as const

/**
 * A span that is also the context in which it is active, so that activating it allocates nothing. Every field is set in the
 * constructor: one hidden class. `ref*` and `text*` belong to the instrumentation whose `late` function reads them.
 */
export class AgentSpan implements Span, Context {
  readonly trace: Trace
  readonly high: number
  readonly low: number
  readonly parentHigh: number
  readonly parentLow: number
  /** The parent came from another process. */
  readonly parentRemote: boolean
  /** Not ours but a remote parent's stand-in. */
  readonly remote: boolean
  readonly recording: boolean
  readonly scope: number
  readonly kind: number
  readonly startMs: number
  readonly parentContext: Context
  name: string
  endMs = 0
  ended = false
  statusCode = 0
  statusMessage = ''
  /** key, value, key, value ... */
  attributes: unknown[] | null = null
  droppedAttributes = 0
  events: SpanEventRecord[] | null = null
  droppedEvents = 0
  links: Link[] | null = null
  droppedLinks = 0
  late: LateAttributes | null = null
  ref1: unknown = null
  ref2: unknown = null
  text1 = ''
  text2 = ''
  number1 = 0
  route = ''
  private rpc: { type: string; span: Span; route?: string } | null = null
  private publicContext: SpanContext | null = null

  constructor(
    trace: Trace,
    high: number,
    low: number,
    parentHigh: number,
    parentLow: number,
    parentRemote: boolean,
    remote: boolean,
    scope: number,
    kind: number,
    name: string,
    startMs: number,
    parentContext: Context,
  ) {
    this.trace = trace
    this.high = high | 0
    this.low = low | 0
    this.parentHigh = parentHigh | 0
    this.parentLow = parentLow | 0
    this.parentRemote = parentRemote
    this.remote = remote
    this.recording = trace.sampled && !remote
    this.scope = scope
    this.kind = kind
    this.name = name
    this.startMs = startMs
    this.parentContext = parentContext
  }

  // --- Context ---

  getValue(key: symbol): unknown {
    if (key === SPAN_KEY) return this
    if (key === RPC_METADATA_KEY && this.kind === Kind.Server && !this.remote) {
      this.rpc ??= { type: 'http', span: this }
      return this.rpc
    }
    if (
      key === BAGGAGE_KEY &&
      this.trace.baggage !== '' &&
      (this.remote || this.low === this.trace.rootLow)
    ) {
      return parseBaggage(this.trace.baggage)
    }
    return this.parentContext.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    if (key === SPAN_KEY && value instanceof AgentSpan && value.parentContext === this) return value
    return new LinkedContext(this, key, value)
  }

  deleteValue(key: symbol): Context {
    return new LinkedContext(this, key, undefined)
  }

  /** Route that a stock router instrumentation wrote, or ours. */
  get knownRoute(): string {
    return this.route !== '' ? this.route : (this.rpc?.route ?? '')
  }

  // --- Span ---

  get spanId(): string {
    return hex32(this.high) + hex32(this.low)
  }

  spanContext(): SpanContext {
    if (this.publicContext === null) {
      this.publicContext = {
        traceId: this.trace.traceId,
        spanId: this.spanId,
        traceFlags: this.trace.flags,
        ...(this.remote ? { isRemote: true } : {}),
        ...(this.trace.traceState !== '' ? { traceState: createTraceState(this.trace.traceState) } : {}),
      }
    }
    return this.publicContext
  }

  isRecording(): boolean {
    return this.recording && !this.ended
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (!this.recording || this.ended || value === undefined || typeof key !== 'string' || key === '')
      return this
    const attributes = this.attributes
    if (attributes === null) {
      if (runtime.limits.attributes > 0) this.attributes = [key, value]
      else this.droppedAttributes++
      return this
    }
    for (let i = 0; i < attributes.length; i += 2) {
      if (attributes[i] === key) {
        attributes[i + 1] = value
        return this
      }
    }
    if (attributes.length >= 2 * runtime.limits.attributes) this.droppedAttributes++
    else attributes.push(key, value)
    return this
  }

  setAttributes(attributes: Attributes): this {
    if (!this.recording || this.ended || attributes === null || typeof attributes !== 'object') return this
    for (const key of Object.keys(attributes)) this.setAttribute(key, attributes[key])
    return this
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (!this.recording || this.ended) return this
    if (runtime.limits.events === 0) {
      this.droppedEvents++
      return this
    }
    const isTime = isTimeInput(attributesOrTime)
    const atMs = toAnchorMs(isTime ? attributesOrTime : time, this.trace.anchor)
    this.events ??= []
    if (this.events.length >= runtime.limits.events) {
      this.events.shift()
      this.droppedEvents++
    }
    this.events.push({ name: String(name), atMs, attributes: isTime ? undefined : { ...attributesOrTime } })
    return this
  }

  addLink(link: Link): this {
    if (!this.recording || this.ended || !link?.context) return this
    if (runtime.limits.links === 0) {
      this.droppedLinks++
      return this
    }
    this.links ??= []
    if (this.links.length >= runtime.limits.links) {
      this.links.shift()
      this.droppedLinks++
    }
    this.links.push(link)
    return this
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link)
    return this
  }

  setStatus(status: SpanStatus): this {
    if (!this.recording || this.ended || status.code === Status.Unset || this.statusCode === Status.Ok)
      return this
    this.statusCode = status.code
    this.statusMessage = status.code === Status.Error ? String(status.message ?? '') : ''
    return this
  }

  updateName(name: string): this {
    if (this.recording && !this.ended) this.name = String(name)
    return this
  }

  recordException(exception: Exception, time?: TimeInput): void {
    if (!this.recording || this.ended) return
    const attributes: Attributes = {}
    if (typeof exception === 'string') {
      attributes['exception.message'] = exception
    } else if (exception) {
      if (exception.code) attributes['exception.type'] = String(exception.code)
      else if (exception.name) attributes['exception.type'] = exception.name
      if (exception.message) attributes['exception.message'] = exception.message
      if (exception.stack) attributes['exception.stacktrace'] = exception.stack
    }
    if (attributes['exception.type'] || attributes['exception.message'])
      this.addEvent('exception', attributes, time)
  }

  end(endTime?: TimeInput): void {
    if (this.ended) return
    const nowMs = performance.now()
    this.endAt(endTime === undefined ? nowMs : toAnchorMs(endTime, this.trace.anchor), nowMs)
  }

  /** `end` for our own code, which has read the clock already. */
  endAt(endMs: number, nowMs: number): void {
    if (this.ended) return
    this.ended = true
    this.endMs = Math.max(endMs, this.startMs)
    if (runtime.touched !== null) runtime.touched(this, nowMs)
    this.leave()
  }

  /** `end` of a span that was made up afterwards: it says nothing about what runs now. */
  endQuietly(endMs: number): void {
    this.ended = true
    this.endMs = Math.max(endMs, this.startMs)
    this.leave()
  }

  private leave(): void {
    if (this.recording) {
      const { account, tail } = this.trace
      if (account !== null) account.ended(this)
      if (tail !== null && runtime.tail !== null) {
        runtime.tail.ended(this, tail)
        return
      }
      runtime.ended(this)
    }
    this.forget()
  }

  /** Lets go of what the span refers to, once it has been written. */
  forget(): void {
    // An idle keep-alive socket retains its last span through the async context, and with it all that hangs here.
    this.late = null
    this.ref1 = null
    this.ref2 = null
    this.attributes = null
    this.events = null
    this.links = null
  }
}

function isTimeInput(value: unknown): value is TimeInput {
  return (
    typeof value === 'number' ||
    value instanceof Date ||
    (Array.isArray(value) &&
      value.length === 2 &&
      typeof value[0] === 'number' &&
      typeof value[1] === 'number')
  )
}
