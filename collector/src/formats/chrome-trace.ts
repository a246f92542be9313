import { createHash } from 'node:crypto'
import { type KeyValue, SpanKind, type TracesData } from '@hotspan/otlp'
import {
  attribute,
  derivedId,
  ForeignFormatError,
  isRecord,
  type JsonRecord,
  nanosOfMicros,
  SpanGroups,
  scalarText,
  spanOf,
  textOf,
} from './foreign-trace.ts'

export interface ChromeTraceOptions {
  /** Name of the root span, and what the trace id comes from beside the events. */
  readonly name: string
  /** Epoch ms of the end, used when the document does not tell when it was recorded: its clock starts anywhere. */
  readonly endMs: number
}

/** A stretch of one thread, or of one asynchronous operation. Times in µs of the document's clock. */
interface Slice {
  readonly name: string
  readonly category: string
  readonly startUs: number
  endUs: number
  readonly args: unknown
  /** `pid/tid`, or `pid/async/id` for what is on no thread. */
  readonly track: string
  readonly pid: string
}

/**
 * A Chrome trace (Trace Event Format: an array of events, or an object with `traceEvents`) as one trace: a root that spans all,
 * below it each thread's slices, nested as they enclose each other. Complete events (X), pairs (B, E) and asynchronous pairs
 * (b, e) become spans; names of processes and threads are used; counters, flows and instants are left out.
 * Throws `ForeignFormatError`.
 */
export function tracesOfChrome(document: unknown, options: ChromeTraceOptions): TracesData {
  const list = isRecord(document) ? document.traceEvents : document
  if (!Array.isArray(list)) throw new ForeignFormatError('expected an array of trace events, or traceEvents')
  const events = list.filter(isRecord)
  const slices = slicesOf(events)
  if (slices.length === 0) return { resourceSpans: [] }
  const names = namesOf(events)
  let firstUs = Infinity
  let lastUs = 0
  for (const { startUs, endUs } of slices) {
    firstUs = Math.min(firstUs, startUs)
    lastUs = Math.max(lastUs, endUs)
  }
  const startNs = startOf(document, options, lastUs - firstUs)
  const nanos = (us: number): bigint => startNs + nanosOfMicros(us - firstUs, 'ts')
  const traceId = createHash('sha256')
    .update(`${options.name}:${firstUs}:${lastUs}:${slices.length}:${slices[0]!.name}`)
    .digest('hex')
    .slice(0, 32)
  const rootId = derivedId(`${traceId} root`)
  const groups = new SpanGroups()
  const scope: [string, string] = ['chrome-trace', '']
  groups.add(
    [attribute('service.name', 'chrome')],
    scope,
    spanOf({
      traceId,
      spanId: rootId,
      parentSpanId: '',
      name: options.name,
      kind: SpanKind.Internal,
      startTimeUnixNano: startNs,
      durationNs: nanosOfMicros(lastUs - firstUs, 'ts'),
      attributes: [],
    }),
  )
  for (const [track, own] of byTrack(slices)) {
    const resource = [
      attribute('service.name', names.get(`process ${own[0]!.pid}`) ?? 'chrome'),
      attribute('process.pid', own[0]!.pid),
    ]
    const thread = names.get(`thread ${track}`)
    for (const { slice, id, parentId } of nested(own, traceId, track, rootId)) {
      groups.add(
        resource,
        scope,
        spanOf({
          traceId,
          spanId: id,
          parentSpanId: parentId,
          name: slice.name,
          kind: SpanKind.Internal,
          startTimeUnixNano: nanos(slice.startUs),
          durationNs: nanosOfMicros(slice.endUs - slice.startUs, 'dur'),
          attributes: attributesOf(slice, thread),
        }),
      )
    }
  }
  return { resourceSpans: groups.finish() }
}

function slicesOf(events: readonly JsonRecord[]): Slice[] {
  const slices: Slice[] = []
  const open = new Map<string, Slice[]>()
  const begin = (key: string, slice: Slice) => {
    const stack = open.get(key)
    if (stack === undefined) open.set(key, [slice])
    else stack.push(slice)
  }
  const end = (key: string, endUs: number) => {
    const slice = open.get(key)?.pop()
    if (slice === undefined) return
    slice.endUs = Math.max(endUs, slice.startUs)
    slices.push(slice)
  }
  // Events of several threads stand in any order; a pair is found by time.
  const timed = events
    .filter((event) => typeof event.ts === 'number' && Number.isFinite(event.ts))
    .sort((a, b) => (a.ts as number) - (b.ts as number))
  for (const event of timed) {
    const ts = event.ts as number
    const pid = scalarText(event.pid)
    const thread = `${pid}/${scalarText(event.tid)}`
    const asynchronous = `${pid}/async/${textOf(event.cat)}/${idOf(event)}`
    const slice = (track: string, endUs: number): Slice => ({
      name: textOf(event.name) || 'unnamed',
      category: textOf(event.cat),
      startUs: ts,
      endUs,
      args: event.args,
      track,
      pid,
    })
    if (event.ph === 'X')
      slices.push(slice(thread, ts + (typeof event.dur === 'number' ? Math.max(0, event.dur) : 0)))
    else if (event.ph === 'B') begin(thread, slice(thread, ts))
    else if (event.ph === 'E') end(thread, ts)
    else if (event.ph === 'b') begin(asynchronous, slice(asynchronous, ts))
    else if (event.ph === 'e') end(asynchronous, ts)
  }
  return slices
}

function idOf(event: JsonRecord): string {
  const own = isRecord(event.id2) ? (event.id2.local ?? event.id2.global) : event.id
  return scalarText(own)
}

function namesOf(events: readonly JsonRecord[]): Map<string, string> {
  const names = new Map<string, string>()
  for (const event of events) {
    if (event.ph !== 'M' || !isRecord(event.args)) continue
    const name = textOf(event.args.name)
    if (name === '') continue
    if (event.name === 'process_name') names.set(`process ${scalarText(event.pid)}`, name)
    if (event.name === 'thread_name')
      names.set(`thread ${scalarText(event.pid)}/${scalarText(event.tid)}`, name)
  }
  return names
}

/** When the document began, epoch ns: DevTools writes it, other programs do not. */
function startOf(document: unknown, options: ChromeTraceOptions, lengthUs: number): bigint {
  const metadata = isRecord(document) && isRecord(document.metadata) ? document.metadata : {}
  const told = Date.parse(textOf(metadata.startTime))
  const ms = Number.isNaN(told) ? Math.max(0, options.endMs - lengthUs / 1000) : told
  return BigInt(Math.round(ms * 1000)) * 1000n
}

function byTrack(slices: readonly Slice[]): Map<string, Slice[]> {
  const tracks = new Map<string, Slice[]>()
  for (const slice of slices) {
    const track = tracks.get(slice.track)
    if (track === undefined) tracks.set(slice.track, [slice])
    else track.push(slice)
  }
  return tracks
}

function* nested(
  slices: readonly Slice[],
  traceId: string,
  track: string,
  rootId: string,
): Generator<{ slice: Slice; id: string; parentId: string }> {
  // Of two that start together the longer one is outside.
  const sorted = [...slices].sort((a, b) => a.startUs - b.startUs || b.endUs - a.endUs)
  const stack: { id: string; endUs: number }[] = []
  for (const [index, slice] of sorted.entries()) {
    while (stack.length > 0 && stack.at(-1)!.endUs < slice.endUs) stack.pop()
    const id = derivedId(`${traceId} ${track} ${index}`)
    yield { slice, id, parentId: stack.at(-1)?.id ?? rootId }
    stack.push({ id, endUs: slice.endUs })
  }
}

function attributesOf(slice: Slice, thread: string | undefined): KeyValue[] {
  const attributes: KeyValue[] = []
  if (slice.category !== '') attributes.push(attribute('cat', slice.category))
  if (thread !== undefined) attributes.push(attribute('thread.name', thread))
  for (const [key, value] of Object.entries(isRecord(slice.args) ? slice.args : {})) {
    attributes.push(attribute(`args.${key}`, typeof value === 'string' ? value : JSON.stringify(value)))
  }
  return attributes
}
