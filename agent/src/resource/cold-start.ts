import { attr } from '@hotspan/otlp'
import type { AgentSpan } from '../core/span.ts'
import { encodeKey } from '../encode/attribute-key.ts'
import { captureAttributes } from '../encode/captured-attributes.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'

/**
 * Marks the first request of an instance that a platform starts on demand (Lambda, Cloud Run, Cloud Functions). Elsewhere
 * nothing is marked: a server that is started before it is asked has no cold start in the convention's sense.
 */
export const coldStart = {
  /** No server span has been made yet in such an instance. */
  awaited: false,
  /** The first server span, until it has been written. */
  span: null as AgentSpan | null,
}

const mark = captureAttributes((encoder) => encoder.boolean(encodeKey(attr.faasColdstart), true))

/** Waits for the first server span when the resource is that of a function. */
export function awaitColdStart(resource: Readonly<Record<string, unknown>>): void {
  coldStart.awaited = resource[attr.faasName] !== undefined
}

/** Called with the first server span. */
export function takeColdStart(span: AgentSpan): void {
  coldStart.awaited = false
  coldStart.span = span
}

/** `faas.coldstart = true` on that span. */
export function writeColdStart(encoder: SpanEncoder): void {
  coldStart.span = null
  encoder.raw(mark)
}
