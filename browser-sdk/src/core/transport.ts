import { add } from './add.ts'
import { packChunks, utf8, utf8Bytes } from './chunks.ts'
import { consent } from './consent.ts'
import { attempt, guard, setSilent, silent } from './guard.ts'
import { randomHex } from './ids.ts'
import { onHide } from './lifecycle.ts'
import { type OtlpRecord, options } from './options.ts'
import { keyValues } from './otlp-json.ts'
import { session } from './session.ts'

/**
 * Chromium refuses keepalive bodies beyond 64 KiB in flight, shared with the page's own beacons: so `keepalive` is for a page that
 * leaves, and then a quarter stays the page's. `fetchLater` has as much again. The bound holds without it, too.
 */
const MAX_CHUNK_BYTES = 48_000
const MAX_FLIGHT_BYTES = 48_000
/** Chunks: 1 MB. */
const MAX_WAITING = 20
const MAX_QUEUED = 2000
const FLUSH_ITEMS = 64
const FLUSH_MS = 3000
const MAX_TRIES = 5
/** A receiver that takes a body and says nothing has failed. */
const ANSWER_MS = 10_000
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
  /** On its way so that it outlives the page. */
  leaves?: boolean
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
let waiting: Chunk[] = []
/** Chunks on their way and the bytes that they take there. */
const flying = new Map<Chunk, number>()
const drops: Partial<Record<DropReason, number>> = {}
let timer: ReturnType<typeof setTimeout> | undefined
let pausedUntilMs = 0
let stopped = false
/** No gzip: receivers refuse content-encoding by CORS. */
let plain = false
let delivered = 0
/** The receiver has taken a compressed body. */
let unpacks = false
/** Failures since the last success; each doubles the pause, up to 4 minutes. */
let misses = 0

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

/** Forgets what waits and silences everything, or ends that; `forGood` is until the next load. */
export const hush = (off: boolean, forGood = stopped): void => {
  stopped = forGood
  setSilent(off || stopped)
  if (!silent) return
  queued.traces = []
  queued.logs = []
  waiting = []
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

const request = (chunk: Chunk, packed?: Uint8Array<ArrayBuffer>): [string, RequestInit] => [
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
  },
]

/** After the time that the receiver asked for, or longer each time. */
const retry = (chunk: Chunk, askedMs?: number): void => {
  const waitMs = askedMs || 1000 * 2 ** Math.min(misses, 8) * (0.8 + 0.4 * Math.random())
  misses++
  if (++chunk.tries >= MAX_TRIES) keep(chunk)
  else waiting.unshift(chunk)
  pausedUntilMs = Date.now() + waitMs
  // Timers may fire a little early, and then nobody would ask again.
  setTimeout(pump, waitMs + 20)
}

const send = async (chunk: Chunk, packed?: Uint8Array<ArrayBuffer>, keepalive = false): Promise<void> => {
  flying.set(chunk, packed?.length ?? chunk.bytes)
  chunk.leaves = keepalive
  try {
    const [url, init] = request(chunk, packed)
    const response = await nativeFetch(url, { ...init, keepalive, signal: AbortSignal.timeout(ANSWER_MS) })
    const { status, headers } = response
    // Chromium gives the quota back when the body has been read, not before.
    await response.arrayBuffer().catch(() => 0)
    flying.delete(chunk)
    if (status === 403) hush(true, true)
    else if (status === 401 || status === 429 || (status > 501 && status < 505))
      retry(chunk, +headers.get('retry-after')! * 1000)
    else {
      misses = 0
      delivered++
      if (packed) unpacks = true
      keeper?.forget(chunk)
      if (status > 299) add(drops, 'status')
    }
  } catch {
    // The page left meanwhile: it went out once more, and that one counts.
    if (!flying.delete(chunk)) return
    const refused = !!packed && !unpacks
    plain ||= refused
    retry(chunk, +refused)
  }
  pump()
}

const pump = guard((leaving?: boolean): void => {
  while (waiting.length) {
    const chunk = waiting[0]!
    const paused = Date.now() < pausedUntilMs || navigator.onLine === false || (leaving && !!misses)
    let roomBytes = MAX_FLIGHT_BYTES
    for (const bytes of flying.values()) roomBytes -= bytes
    // Whether the receiver takes compressed bodies is not known at first: a page that leaves risks it only for want of room.
    if (pack && !paused && !plain && chunk.bytes > (leaving && !unpacks ? roomBytes : MIN_PACKED_BYTES))
      chunk.packed ??= pack(utf8(chunk.body))
    const packed = plain ? undefined : chunk.packed
    if (!paused && (packed?.length ?? chunk.bytes) <= roomBytes) {
      waiting.shift()
      send(chunk, packed, leaving)
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
        if (!paused) send(chunk, packed)
      }
    } else break
  }
  while (waiting.length > MAX_WAITING) keep(waiting.shift()!)
  // The rest in slices of its own.
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
  // What is on its way would not outlive the page: once more, so that it does. The receiver drops the chunk that comes twice.
  if (leaving)
    for (const chunk of flying.keys()) if (!chunk.leaves && flying.delete(chunk)) waiting.unshift(chunk)
  pump(leaving)
})

export const enqueue = (path: Signal, given: object): void => {
  if (stopped || consent === 'denied') return
  const { beforeSend } = options
  const record = beforeSend ? attempt(() => beforeSend(given as OtlpRecord, path)) : given
  if (!record) return
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
  addEventListener('online', () => {
    pausedUntilMs = 0
    pump()
  })
  onHide(() => flush(true))
}

export interface TransportStats {
  readonly deliveredChunks: number
  readonly queuedRecords: number
  /** Packed and not on their way: no room, or to be tried again. */
  readonly waitingChunks: number
  /** Chunks for `storage` and `status`, records for the rest. */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>
  /** For good (403, `shutdown`, refused), or blocked for some minutes. */
  readonly stopped: boolean
}

export const transportStats = (): TransportStats => ({
  deliveredChunks: delivered,
  queuedRecords: queuedRecords(),
  waitingChunks: waiting.length,
  dropped: { ...drops },
  stopped: stopped || (!delivered && misses > 2),
})
