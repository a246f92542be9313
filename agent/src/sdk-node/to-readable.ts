import { type AnyValue, decodeTraces, type KeyValue, type Span } from '@hotspan/otlp'
import { ByteWriter } from '@hotspan/otlp/wire'
import {
  type Attributes,
  type AttributeValue,
  createTraceState,
  type HrTime,
  type SpanContext,
} from '@opentelemetry/api'
import type { AgentSpan } from '../core/span.ts'
import { CHUNK_BYTES, SpanEncoder } from '../encode/span-encoder.ts'
import { AGENT_VERSION } from '../version.ts'
import type { ReadableSpan } from './readable-span.ts'

const encoder = new SpanEncoder((_full, wantedBytes) => ({ bytes: new Uint8Array(wantedBytes), at: 0 }))
const chunk = { bytes: new Uint8Array(CHUNK_BYTES), at: 0 }

/**
 * An ended span of ours as the stock SDK has it. Our instrumentations write their attributes as bytes, so the span goes through
 * the encoder and the reference decoder: some ten microseconds, the price of another SDK's pipeline.
 */
export function toReadable(span: AgentSpan, resource: unknown): ReadableSpan {
  chunk.at = 0
  const written = encoder.write(chunk, span)
  const writer = new ByteWriter(written.at + 16)
  writer.message(1, () => {
    writer.message(2, () => {
      writer.ensure(written.at)
      writer.bytes.set(written.bytes.subarray(0, written.at), writer.at)
      writer.at += written.at
    })
  })
  const decoded = decodeTraces(writer.finish()).resourceSpans[0]!.scopeSpans[0]!.spans[0]!
  const context = contextOf(decoded)
  const durationNs = decoded.endTimeUnixNano - decoded.startTimeUnixNano
  return {
    name: decoded.name,
    kind: decoded.kind - 1,
    spanContext: () => context,
    ...(decoded.parentSpanId === ''
      ? {}
      : {
          parentSpanContext: {
            traceId: decoded.traceId,
            spanId: decoded.parentSpanId,
            traceFlags: context.traceFlags,
            isRemote: span.parentRemote,
          },
        }),
    startTime: hrTime(decoded.startTimeUnixNano),
    endTime: hrTime(decoded.endTimeUnixNano),
    duration: hrTime(durationNs),
    status: { code: decoded.status.code, message: decoded.status.message },
    attributes: attributesOf(decoded.attributes),
    events: decoded.events.map((event) => ({
      time: hrTime(event.timeUnixNano),
      name: event.name,
      attributes: attributesOf(event.attributes),
      droppedAttributesCount: event.droppedAttributesCount,
    })),
    links: decoded.links.map((link) => ({
      context: contextOf(link),
      attributes: attributesOf(link.attributes),
      droppedAttributesCount: link.droppedAttributesCount,
    })),
    ended: true,
    resource,
    instrumentationScope: { name: '@hotspan/agent', version: AGENT_VERSION },
    droppedAttributesCount: decoded.droppedAttributesCount,
    droppedEventsCount: decoded.droppedEventsCount,
    droppedLinksCount: decoded.droppedLinksCount,
  }
}

const hrTime = (ns: bigint): HrTime => [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)]

function contextOf(of: Pick<Span, 'traceId' | 'spanId' | 'flags' | 'traceState'>): SpanContext {
  return {
    traceId: of.traceId,
    spanId: of.spanId,
    traceFlags: of.flags & 0xff,
    ...(of.traceState === '' ? {} : { traceState: createTraceState(of.traceState) }),
  }
}

const attributesOf = (pairs: readonly KeyValue[]): Attributes =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, plainValue(value)]))

function plainValue(value: AnyValue): AttributeValue | undefined {
  if (typeof value === 'bigint') return Number(value)
  if (value === null) return undefined
  if (typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map((item) => plainValue(item as AnyValue)) as AttributeValue
  return JSON.stringify(value)
}
