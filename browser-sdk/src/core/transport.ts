import { packChunks, utf8Bytes } from './chunks.ts'
import { guard } from './guard.ts'
import { randomHex } from './ids.ts'
import { onHide, whenIdle } from './lifecycle.ts'
import { options } from './options.ts'
import { keyValues } from './otlp-json.ts'
import { drainStorage, forgetChunk, storeChunk } from './storage.ts'

/** Chromium refuses keepalive bodies beyond 64 KiB in flight, shared by the page; `fetchLater` has as much again. */
const MAX_CHUNK_BYTES = 48_000
const MAX_FLIGHT_BYTES = 60_000
const MAX_WAITING_BYTES = 1_000_000
const MAX_QUEUED = 2000
const FLUSH_ITEMS = 64
const FLUSH_MS = 3000
const MAX_TRIES = 5
/** Below, compression costs more than it saves. */
const MIN_PACKED_BYTES = 4000
const VERSION = '0.1.0'

export type Signal = 'traces' | 'logs'

export interface Chunk {
  readonly id: string
  readonly path: Signal
  readonly body: string
  readonly bytes: number
  readonly bornMs: number
  tries: number
}

type DropReason = 'queue' | 'size' | 'status' | 'storage'

const { stringify } = JSON
let nativeFetch: typeof fetch
let fetchLater: ((url: string, init: object) => { readonly activated: boolean }) | undefined
try {
  nativeFetch = fetch.bind(globalThis)
  fetchLater = (globalThis as { fetchLater?: typeof fetchLater }).fetchLater?.bind(globalThis)
} catch {}

const queued: Record<Signal, object[]> = { traces: [], logs: [] }
const waiting: Chunk[] = []
/** Chunks on their way and the bytes that they take there. */
const flying = new Map<Chunk, number>()
/** Those of them that are being compressed and have not left yet. */
const packing = new Set<Chunk>()
let later: { readonly bytes: number; readonly result: { readonly activated: boolean } }[] = []
const drops: Partial<Record<DropReason, number>> = {}
let reportedDrops = ''
let timer: ReturnType<typeof setTimeout> | undefined
let pausedUntilMs = 0
let stopped = false
/** 0 gzip, 1 plain, 2 without keepalive: receivers refuse content-encoding by CORS, some TV browsers keepalive. */
let caution = 0
let delivered = 0
let failing = false

const sum = (numbers: Iterable<number>): number => {
  let total = 0
  for (const number of numbers) total += number
  return total
}

const drop = (reason: DropReason, count = 1): void => {
  drops[reason] = (drops[reason] ?? 0) + count
}

const keep = (chunk: Chunk): void => {
  if (!storeChunk(chunk)) drop('storage')
}

const stop = (): void => {
  stopped = true
  queued.traces = []
  queued.logs = []
  waiting.length = 0
}

const encode = (): void => {
  const text = `${Object.entries(drops)}`
  if (text !== reportedDrops) {
    reportedDrops = text
    const attributes = keyValues({ 'hotspan.drops': text })
    queued.logs.push({ timeUnixNano: `${Date.now()}000000`, eventName: 'hotspan.drops', attributes })
  }
  const resource = stringify(
    keyValues({
      'service.name': options.service,
      'service.version': options.version,
      'telemetry.sdk.name': 'hotspan',
      'telemetry.sdk.language': 'webjs',
      'telemetry.sdk.version': VERSION,
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
    if (tooLarge) drop('size', tooLarge)
    for (const body of bodies)
      waiting.push({ id: randomHex(8), path, body, bytes: utf8Bytes(body), bornMs: Date.now(), tries: 0 })
  }
}

const request = (chunk: Chunk, packed?: ArrayBuffer): [string, RequestInit] => [
  `${options.endpoint}/v1/${chunk.path}?chunk=${chunk.id}`,
  {
    method: 'POST',
    body: packed ?? chunk.body,
    headers: {
      ...options.headers,
      'content-type': 'application/json',
      ...(packed && { 'content-encoding': 'gzip' }),
    },
    credentials: 'omit',
    priority: 'low',
    keepalive: caution < 2,
  },
]

const retry = (chunk: Chunk, waitMs: number): void => {
  failing = true
  if (++chunk.tries >= MAX_TRIES) keep(chunk)
  else {
    waiting.unshift(chunk)
    pausedUntilMs = Date.now() + waitMs
    setTimeout(pump, waitMs)
  }
}

const send = async (chunk: Chunk, leaving?: boolean): Promise<void> => {
  const backoffMs = 1000 * 2 ** chunk.tries * (0.8 + 0.4 * Math.random())
  const tried = caution
  flying.set(chunk, chunk.bytes)
  try {
    let packed: ArrayBuffer | undefined
    // When the page leaves there is no time to compress; before, 48 kB become 4 and make room for the rest.
    if (!leaving && !caution && chunk.bytes > MIN_PACKED_BYTES) {
      packing.add(chunk)
      const stream = new Blob([chunk.body]).stream().pipeThrough(new CompressionStream('gzip'))
      packed = await new Response(stream).arrayBuffer()
      // It left uncompressed meanwhile, with the page.
      if (!packing.delete(chunk)) return
      flying.set(chunk, packed.byteLength)
      pump()
    }
    const response = await nativeFetch(...request(chunk, packed))
    const { status, headers } = response
    // Chromium gives the quota back when the body has been read, not before.
    await response.arrayBuffer().catch(() => 0)
    flying.delete(chunk)
    if (status === 403) stop()
    else if (status === 429 || (status > 501 && status < 505))
      retry(chunk, Number(headers.get('retry-after')) * 1000 || backoffMs)
    else {
      failing = false
      delivered++
      forgetChunk(chunk)
      if (status > 299) drop('status')
    }
  } catch {
    flying.delete(chunk)
    packing.delete(chunk)
    if (!delivered && tried > 1) {
      // Refused every way there is: an ad blocker, a policy, or nobody there.
      for (const left of [chunk, ...waiting]) keep(left)
      stop()
    } else {
      // Bodies that flew together fail together: one step for all of them.
      if (!delivered && tried === caution) caution++
      retry(chunk, tried || delivered ? backoffMs : 0)
    }
  }
  pump()
}

const pump = guard('transport', (leaving?: boolean): void => {
  while (waiting.length) {
    const chunk = waiting[0]!
    const paused = Date.now() < pausedUntilMs || navigator.onLine === false || (leaving && failing)
    if (!paused && sum(flying.values()) + chunk.bytes <= MAX_FLIGHT_BYTES) {
      waiting.shift()
      send(chunk, leaving)
    } else if (leaving) {
      waiting.shift()
      later = later.filter(({ result }) => !result.activated)
      try {
        if (paused || sum(later.map(({ bytes }) => bytes)) + chunk.bytes > MAX_FLIGHT_BYTES) throw 0
        const [url, init] = request(chunk)
        // Zero: at once where the page lives on, when it goes otherwise.
        const result = fetchLater!(url, { ...init, keepalive: undefined, activateAfter: 0 })
        later.push({ bytes: chunk.bytes, result })
      } catch {
        keep(chunk)
      }
    } else break
  }
  while (sum(waiting.map(({ bytes }) => bytes)) > MAX_WAITING_BYTES) keep(waiting.shift()!)
  if (!waiting.length && queued.traces.length + queued.logs.length >= FLUSH_ITEMS) flush()
})

/** Sends what is queued; `leaving` says that nothing of this page may run again. */
export const flush = guard('transport', (leaving?: boolean): void => {
  clearTimeout(timer)
  timer = undefined
  if (leaving) {
    waiting.unshift(...packing)
    for (const chunk of packing) flying.delete(chunk)
    packing.clear()
  }
  // While bodies wait for room, spans stay objects: they are packed tighter later.
  if (leaving || !waiting.length) encode()
  pump(leaving)
})

export const enqueue = (path: Signal, record: object): void => {
  if (stopped) return
  if (queued[path].length >= MAX_QUEUED) drop('queue')
  else queued[path].push(record)
  if (queued.traces.length + queued.logs.length >= FLUSH_ITEMS) flush()
  else timer ??= setTimeout(flush, FLUSH_MS)
}

export const startTransport = (): void => {
  onHide(() => {
    flush(true)
    // A receiver that fails now may fail those on the way as well: their answers will find nobody.
    if (failing) for (const chunk of flying.keys()) storeChunk(chunk)
  })
  addEventListener('online', () => pump())
  whenIdle(() =>
    drainStorage((chunk) => {
      waiting.push({ ...chunk, bytes: utf8Bytes(chunk.body) })
      pump()
    }),
  )
}

export interface TransportStats {
  readonly deliveredChunks: number
  readonly queuedRecords: number
  /** Chunks for `storage` and `status`, records for the rest. */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>
  readonly stopped: boolean
}

export const transportStats = (): TransportStats => ({
  deliveredChunks: delivered,
  queuedRecords: queued.traces.length + queued.logs.length,
  dropped: { ...drops },
  stopped,
})

export const stopTransport = stop
