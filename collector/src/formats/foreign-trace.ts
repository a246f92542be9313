import { createHash } from 'node:crypto'
import type { AnyValue, KeyValue, ResourceSpans, Span, SpanEvent, SpanLink } from '@hotspan/otlp'

/** A document of another tracing system that is not of its form. The message says where and what was expected. */
export class ForeignFormatError extends Error {}

export type JsonRecord = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Text of a string or a number, `''` for anything else. */
export const scalarText = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : ''

/** Throws `ForeignFormatError` for what is not JSON. */
export function parseJson(body: string | Uint8Array): unknown {
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body)
  try {
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text)
  } catch (cause) {
    throw new ForeignFormatError(
      text.trim() === '' ? 'it is empty' : `not JSON (${(cause as Error).message})`,
    )
  }
}

/** Hex id of `digits`, filled with zeros in front: 64-bit trace ids become 128-bit ones. */
export function paddedId(value: unknown, digits: number, where: string): string {
  const id = textOf(value).toLowerCase()
  if (!/^[0-9a-f]+$/.test(id) || id.length > digits) {
    throw new ForeignFormatError(
      `${where} is ${JSON.stringify(value)?.slice(0, 60)}; expected up to ${digits} hex digits`,
    )
  }
  return id.padStart(digits, '0')
}

/** Microseconds as nanoseconds; fractions are kept to the nanosecond. */
export function nanosOfMicros(value: unknown, where: string): bigint {
  // Number() of a hostile object calls what stands in it.
  const micros = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN
  if (!Number.isFinite(micros) || micros < 0 || micros > 9e15) {
    throw new ForeignFormatError(`${where} is ${JSON.stringify(value)?.slice(0, 60)}; expected microseconds`)
  }
  const whole = Math.floor(micros)
  return BigInt(whole) * 1000n + BigInt(Math.round((micros - whole) * 1000))
}

export const attribute = (key: string, value: AnyValue): KeyValue => ({ key, value })

/** An id of 16 hex digits that is the same for the same text. */
export function derivedId(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** Parts of a span that foreign systems tell; the rest is empty. */
export function spanOf(
  parts: Pick<Span, 'traceId' | 'spanId' | 'parentSpanId' | 'name' | 'kind' | 'startTimeUnixNano'> & {
    readonly durationNs: bigint
    readonly attributes: readonly KeyValue[]
    readonly events?: readonly SpanEvent[]
    readonly links?: readonly SpanLink[]
    readonly traceState?: string
    readonly status?: Span['status']
  },
): Span {
  const { durationNs, events, links, traceState, status, ...rest } = parts
  return {
    ...rest,
    traceState: traceState ?? '',
    flags: 0,
    endTimeUnixNano: parts.startTimeUnixNano + durationNs,
    droppedAttributesCount: 0,
    events: events ?? [],
    droppedEventsCount: 0,
    links: links ?? [],
    droppedLinksCount: 0,
    status: status ?? { code: 0, message: '' },
  }
}

/** Collects spans under their resource and scope. */
export class SpanGroups {
  private readonly groups = new Map<
    string,
    { resource: readonly KeyValue[]; scope: [string, string]; spans: Span[] }
  >()

  add(resource: readonly KeyValue[], scope: [name: string, version: string], span: Span): void {
    const key = JSON.stringify([resource, scope], (_, value) =>
      typeof value === 'bigint' ? `${value}n` : value,
    )
    let group = this.groups.get(key)
    if (group === undefined) {
      group = { resource, scope, spans: [] }
      this.groups.set(key, group)
    }
    group.spans.push(span)
  }

  finish(): ResourceSpans[] {
    return [...this.groups.values()].map(({ resource, scope, spans }) => ({
      resource: { attributes: resource, droppedAttributesCount: 0 },
      schemaUrl: '',
      scopeSpans: [
        {
          scope: { name: scope[0], version: scope[1], attributes: [], droppedAttributesCount: 0 },
          schemaUrl: '',
          spans,
        },
      ],
    }))
  }
}
