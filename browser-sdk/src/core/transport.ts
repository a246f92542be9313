import { add } from './add.ts'
import { packChunks, utf8, utf8Bytes } from './chunks.ts'
import { consent } from './consent.ts'
import { guard } from './guard.ts'
import { randomHex } from './ids.ts'
import { onHide } from './lifecycle.ts'
import { options } from './options.ts'
import { keyValues } from './otlp-json.ts'
import { session } from './session.ts'

/** Chromium refuses keepalive bodies beyond 64 KiB in flight, shared by the page; `fetchLater` has as much again. */
const MAX_CHUNK_BYTES = 48_000
const MAX_FLIGHT_BYTES = 60_000
/** Chunks: 1 MB. */
const MAX_WAITING = 20
const MAX_QUEUED = 2000
const FLUSH_ITEMS = 64
const FLUSH_MS = 3000
const MAX_TRIES = 5
/** Below, a page has better to do than to compress. */
const MIN_PACKED_BYTES = 20_000
const VERSION = '0.1.0'

export type Signal = 'traces' | 'logs'

export interface Chunk {
  readonly id: string
  readonly path: Signal
  readonly body: string
  readonly bytes: number
  readonly bornMs: number
  tries: number
  packed?: Uint8Array<ArrayBuffer>
}

type DropReason = 'queue' | 'size' | 'status' | 'storage'

const { stringify } = JSON
let nativeFetch: typeof fetch
let fetchLater: ((url: string, init: object) => unknown) | undefined
try {
  nativeFetch = fetch.bind(globalThis)
  fetchLater = (globalThis as { fetchLater?: typeof fetchLater }).fetchLater?.bind(globalThis)
} catch {}

const queued: Record<Signal, object[]> = { traces: [], logs: [] }
const waiting: Chunk[] = []
/** Chunks on their way and the bytes that they take there. */
const flying = new Map<Chunk, number>()
const drops: Partial<Record<DropReason, number>> = {}
let timer: ReturnType<typeof setTimeout> | undefined
let pausedUntilMs = 0
let stopped = false
/** 0 gzip, 1 plain, 2 without keepalive: receivers refuse content-encoding by CORS, some TV browsers keepalive. */
let caution = 0
let delivered = 0
/** The receiver has taken a compressed body. */
let unpacks = false
let failing = false

const queuedRecords = (): number => queued.traces.length + queued.logs.length

interface Keeper {
  /** False when it cannot. */
  store(chunk: Chunk): boolean
  forget(chunk: Chunk): void
}

let keeper: Keeper | undefined

let pack: ((body: Uint8Array) => Uint8Array<ArrayBuffer>) | undefined

export const setPacker = (given: typeof pack): void => {
  pack = given
}

/** Who keeps what was not taken for the next visit; without one it is dropped and counted. */
export const setKeeper = (given: Keeper): void => {
  keeper = given
}

const keep = (chunk: Chunk): void => {
  if (!keeper?.store(chunk)) add(drops, 'storage')
}

const stop = (): void => {
  stopped = true
  queued.traces = []
  queued.logs = []
  waiting.length = 0
}

const encode = (): void => {
  const resource = stringify(
    keyValues({
      'service.name': options.service,
      'service.version': options.version,
      'telemetry.sdk.name': 'hotspan',
      'telemetry.sdk.language': 'webjs',
      'session.id': session(true).id,
      ...globalThis.HOTSPAN_BUILD,
      'hotspan.drops': `${Object.entries(drops)}` || null,
      ...options.resource,
    }),
  )
  for (const path of ['traces', 'logs'] as const) {
    const [kind, list] = path === 'traces' ? ['Spans', 'spans'] : ['Logs', 'logRecords']
    const { bodies, tooLarge } = packChunks(
      queued[path].map((item) => stringify(item)),
      `{"resource${kind}":[{"resource":{"attributes":${resource}},"scope${kind}":[{"scope":{"name":"@hotspan/browser","version":"${VERSION}"},"${list}":[`,
      ']}]}]}',
      MAX_CHUNK_BYTES,
    )
    queued[path] = []
    if (tooLarge) add(drops, 'size', tooLarge)
    for (const body of bodies)
      waiting.push({ id: randomHex(8), path, body, bytes: utf8Bytes(body), bornMs: Date.now(), tries: 0 })
  }
}

const request = (
  chunk: Chunk,
  packed?: Uint8Array<ArrayBuffer>,
  keepalive = caution < 2,
): [string, RequestInit] => [
  `${options.endpoint}/v1/${chunk.path}?chunk=${chunk.id}`,
  {
    method: 'POST',
    body: packed ?? chunk.body,
    headers: {
      ...(options.key && { authorization: `Bearer ${options.key}` }),
      ...options.headers,
      'content-type': 'application/json',
      ...(packed && { 'content-encoding': 'gzip' }),
    },
    credentials: 'omit',
    priority: 'low',
    keepalive,
  },
]

const retry = (chunk: Chunk, waitMs: number): void => {
  failing = true
  if (++chunk.tries >= MAX_TRIES) keep(chunk)
  else {
    waiting.unshift(chunk)
    pausedUntilMs = Date.now() + waitMs
    // Timers may fire a little early, and then nobody would ask again.
    setTimeout(pump, waitMs + 20)
  }
}

const send = async (chunk: Chunk, packed?: Uint8Array<ArrayBuffer>, keepalive?: boolean): Promise<void> => {
  const backoffMs = 1000 * 2 ** chunk.tries * (0.8 + 0.4 * Math.random())
  const tried = caution
  flying.set(chunk, packed?.length ?? chunk.bytes)
  try {
    const response = await nativeFetch(...request(chunk, packed, keepalive))
    const { status, headers } = response
    // Chromium gives the quota back when the body has been read, not before.
    await response.arrayBuffer().catch(() => 0)
    flying.delete(chunk)
    if (status === 403) stop()
    else if (status === 429 || (status > 501 && status < 505))
      retry(chunk, +headers.get('retry-after')! * 1000 || backoffMs)
    else {
      failing = false
      delivered++
      if (packed) unpacks = true
      keeper?.forget(chunk)
      if (status > 299) add(drops, 'status')
    }
  } catch {
    flying.delete(chunk)
    if (packed && !unpacks) {
      caution ||= 1
      retry(chunk, 0)
    } else if (!delivered && tried > 1) {
      // Refused every way there is: an ad blocker, a policy, or nobody there.
      for (const left of [chunk, ...waiting]) keep(left)
      stop()
    } else {
      // Bodies that flew together fail together: one step for all of them.
      if (!delivered && tried === caution) caution++
      retry(chunk, backoffMs)
    }
  }
  pump()
}

const pump = guard((leaving?: boolean): void => {
  while (waiting.length) {
    const chunk = waiting[0]!
    const paused = Date.now() < pausedUntilMs || navigator.onLine === false || (leaving && failing)
    let roomBytes = MAX_FLIGHT_BYTES
    for (const bytes of flying.values()) roomBytes -= bytes
    // Whether the receiver takes compressed bodies is not known at first: a page that leaves risks it only for want of room.
    if (pack && !paused && !caution && chunk.bytes > (leaving && !unpacks ? roomBytes : MIN_PACKED_BYTES))
      chunk.packed ??= pack(utf8(chunk.body))
    const packed = caution ? undefined : chunk.packed
    if (!paused && (packed?.length ?? chunk.bytes) <= roomBytes) {
      waiting.shift()
      send(chunk, packed)
    } else if (leaving) {
      waiting.shift()
      try {
        if (paused) throw 0
        const [url, init] = request(chunk, packed)
        // Throws when its quota is spent. Zero: at once where the page lives on, when it goes otherwise.
        fetchLater!(url, { ...init, activateAfter: 0 })
      } catch {
        keep(chunk)
        // Hidden pages often live on: then this arrives, and the copy for the next visit is forgotten.
        if (!paused) send(chunk, packed, false)
      }
    } else break
  }
  while (waiting.length > MAX_WAITING) keep(waiting.shift()!)
  if (!waiting.length && queuedRecords() >= FLUSH_ITEMS) flush()
})

/** Sends what is queued; `leaving` says that nothing of this page may run again. */
export const flush = guard((leaving?: boolean): void => {
  clearTimeout(timer)
  timer = undefined
  // Until the visitor has agreed, everything waits in memory.
  if (consent !== 'granted') return
  // While bodies wait for room, spans stay objects: they are packed tighter later.
  if (leaving || !waiting.length) encode()
  pump(leaving)
})

export const enqueue = (path: Signal, record: object): void => {
  if (stopped || consent === 'denied') return
  if (queued[path].length >= MAX_QUEUED) add(drops, 'queue')
  else queued[path].push(record)
  if (queuedRecords() >= FLUSH_ITEMS) flush()
  else timer ??= setTimeout(flush, FLUSH_MS)
}

/** Takes back a chunk of an earlier visit. */
export const resend = (chunk: Chunk): void => {
  waiting.push(chunk)
  pump()
}

export const startTransport = (): void => {
  addEventListener('online', () => pump())
  onHide(() => {
    flush(true)
    // A receiver that fails now may fail those on the way as well: their answers will find nobody.
    if (failing) for (const chunk of flying.keys()) keeper?.store(chunk)
  })
}

export interface TransportStats {
  readonly deliveredChunks: number
  readonly queuedRecords: number
  /** Packed and not on their way: no room, or to be tried again. */
  readonly waitingChunks: number
  /** Chunks for `storage` and `status`, records for the rest. */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>
  readonly stopped: boolean
}

export const transportStats = (): TransportStats => ({
  deliveredChunks: delivered,
  queuedRecords: queuedRecords(),
  waitingChunks: waiting.length,
  dropped: { ...drops },
  stopped,
})

export const stopTransport = stop
