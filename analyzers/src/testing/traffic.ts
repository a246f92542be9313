import { randomUUID } from 'node:crypto'
import {
  type AnyValue,
  encodeTraces,
  type KeyValue,
  type Span,
  SpanKind,
  StatusCode,
  type TracesData,
} from '@hotspan/otlp'
import { seededRandom } from '../statistics/random.ts'

/** A span of made-up traffic, with its children; times in ms since the request's start. */
export interface MadeSpan {
  readonly name: string
  readonly kind?: keyof typeof SpanKind
  readonly service?: string
  readonly startMs: number
  readonly durationMs: number
  readonly attributes?: Readonly<Record<string, string | number>>
  readonly resource?: Readonly<Record<string, string>>
  readonly isError?: boolean
  readonly events?: readonly {
    readonly name: string
    readonly attributes: Readonly<Record<string, string | number>>
  }[]
  readonly children?: readonly MadeSpan[]
  /** Leave the span out of what is sent: its children miss their parent. */
  readonly isLost?: boolean
}

export interface MadeTrace {
  readonly atMs: number
  readonly root: MadeSpan
  readonly traceState?: string
}

const processStartMs = Date.UTC(2026, 0, 1)

/** Labelled traffic from a seed: the same seed gives the same requests, with ids of their own unless a namer is given. */
export class Traffic {
  readonly random: () => number
  readonly traces: MadeTrace[] = []

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  /** Adds `count` requests, evenly over the minutes, each made by `make`. */
  add(count: number, overMinutes: number, make: (i: number) => MadeSpan, traceState = ''): this {
    const stepMs = (overMinutes * 60_000) / count
    for (let i = 0; i < count; i++)
      this.traces.push({ atMs: i * stepMs + this.random() * stepMs * 0.5, root: make(i), traceState })
    return this
  }

  /** Around `ms`, with the right-hand tail that latencies have: a median of `ms`, a tenth above 1.3 times. */
  around(ms: number): number {
    const z = Math.sqrt(-2 * Math.log(1 - this.random())) * Math.cos(2 * Math.PI * this.random())
    return ms * Math.exp(0.2 * z)
  }

  whole(min: number, max: number): number {
    return min + Math.floor(this.random() * (max - min + 1))
  }
}

/** OTLP of the traces, their times counted from `fromMs`. */
export function toTracesData(
  traces: readonly MadeTrace[],
  fromMs: number,
  options: { repeat?: number } = {},
): TracesData {
  const byResource = new Map<string, { attributes: Record<string, string>; spans: Span[] }>()
  for (const trace of traces) {
    const traceId = randomUUID().replaceAll('-', '')
    flatten(
      trace.root,
      fromMs + trace.atMs,
      '',
      '',
      { traceId, traceState: trace.traceState ?? '' },
      (resource, span) => {
        const key = JSON.stringify(resource)
        const known = byResource.get(key) ?? { attributes: resource, spans: [] }
        known.spans.push(span)
        byResource.set(key, known)
      },
    )
  }
  const resourceSpans = [...byResource.values()].map(({ attributes, spans }) => ({
    resource: { attributes: keyValues(attributes), droppedAttributesCount: 0 },
    schemaUrl: '',
    scopeSpans: [
      {
        scope: {
          name: attributes['service.name'] === 'web' ? '@hotspan/browser' : 'test',
          version: '',
          attributes: [],
          droppedAttributesCount: 0,
        },
        schemaUrl: '',
        spans,
      },
    ],
  }))
  return { resourceSpans: Array.from({ length: options.repeat ?? 1 }, () => resourceSpans).flat() }
}

function flatten(
  made: MadeSpan,
  originMs: number,
  parentSpanId: string,
  inherited: string,
  trace: { traceId: string; traceState: string },
  emit: (resource: Record<string, string>, span: Span) => void,
): void {
  const service = made.service ?? (inherited || 'api')
  const spanId = randomUUID().replaceAll('-', '').slice(0, 16)
  const startNs = BigInt(Math.round((originMs + made.startMs) * 1000)) * 1000n
  const span: Span = {
    traceId: trace.traceId,
    spanId,
    traceState: trace.traceState,
    parentSpanId,
    flags: 1,
    name: made.name,
    kind: SpanKind[made.kind ?? 'Internal'],
    startTimeUnixNano: startNs,
    endTimeUnixNano: startNs + BigInt(Math.round(made.durationMs * 1e6)),
    attributes: keyValues(made.attributes ?? {}),
    droppedAttributesCount: 0,
    events: (made.events ?? []).map(({ name, attributes }) => ({
      timeUnixNano: startNs,
      name,
      attributes: keyValues(attributes),
      droppedAttributesCount: 0,
    })),
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: made.isError ? StatusCode.Error : StatusCode.Unset, message: '' },
  }
  if (!made.isLost) emit({ ...resourceOf(service), ...made.resource }, span)
  for (const child of made.children ?? []) flatten(child, originMs, spanId, service, trace, emit)
}

function resourceOf(service: string): Record<string, string> {
  if (service === 'web')
    return { 'service.name': 'web', 'telemetry.sdk.language': 'webjs', 'telemetry.sdk.name': 'hotspan' }
  return {
    'service.name': service,
    'service.instance.id': `${service}-1`,
    'telemetry.sdk.name': 'hotspan',
    'telemetry.sdk.language': 'nodejs',
    'process.creation.time': new Date(processStartMs).toISOString(),
  }
}

const keyValues = (record: Readonly<Record<string, string | number>>): KeyValue[] =>
  Object.entries(record).map(([key, value]) => ({ key, value: anyValueOf(value) }))

const anyValueOf = (value: string | number): AnyValue =>
  typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value

/** Sends OTLP protobuf to a receiver, as an exporter would. */
export async function send(otlpUrl: string, data: TracesData): Promise<void> {
  const response = await fetch(`${otlpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: encodeTraces(data) as Uint8Array<ArrayBuffer>,
  })
  if (!response.ok) throw new Error(`the receiver answered ${response.status}: ${await response.text()}`)
}
