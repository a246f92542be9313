import { clockAnchor, toAnchorMs } from '../core/clock.ts'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { AgentSpan } from '../core/span.ts'
import { Trace } from '../core/trace.ts'
import type { ReadableSpan } from './readable-span.ts'

const word = (hex: string, at: number): number => Number.parseInt(hex.slice(at, at + 8), 16) | 0

/** An ended span of the stock SDK as ours, ready to be encoded; undefined for one whose ids are not hex. */
export function fromReadable(readable: ReadableSpan, scope: number): AgentSpan | undefined {
  const { traceId, spanId, traceFlags, traceState } = readable.spanContext()
  if (!/^[0-9a-f]{32}$/.test(traceId) || !/^[0-9a-f]{16}$/.test(spanId)) return undefined
  const anchor = clockAnchor(performance.now())
  const trace = new Trace(
    word(traceId, 0),
    word(traceId, 8),
    word(traceId, 16),
    word(traceId, 24),
    true,
    traceFlags & 0xff,
    traceState?.serialize() ?? '',
    anchor,
  )
  const parent = readable.parentSpanContext
  // Version 1 of the SDK has the id alone.
  const parentId = parent?.spanId ?? (readable as { parentSpanId?: string }).parentSpanId ?? ''
  const span = new AgentSpan(
    trace,
    word(spanId, 0),
    word(spanId, 8),
    parentId === '' ? 0 : word(parentId, 0),
    parentId === '' ? 0 : word(parentId, 8),
    parent?.isRemote === true,
    false,
    scope,
    readable.kind,
    readable.name,
    toAnchorMs(readable.startTime, anchor),
    EMPTY_CONTEXT,
  )
  span.endMs = toAnchorMs(readable.endTime, anchor)
  span.statusCode = readable.status.code
  span.statusMessage = readable.status.message ?? ''
  span.attributes = Object.entries(readable.attributes).flat()
  span.droppedAttributes = readable.droppedAttributesCount
  span.events = readable.events.map(({ name, time, attributes }) => ({
    name,
    atMs: toAnchorMs(time, anchor),
    attributes,
  }))
  span.droppedEvents = readable.droppedEventsCount
  span.links = readable.links
  span.droppedLinks = readable.droppedLinksCount
  return span
}
