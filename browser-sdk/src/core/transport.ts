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

export type Signal = 'traces' | 'logs'

export interface Chunk {
  readonly id: string
  readonly path: Signal
  readonly body: string
  readonly bytes: number
  readonly bornMs: number
  tries: number
}

type DropReason = 'queue' | 'size' | 'status' | 'storage' | 'stopped'

const nativeStringify = JSON.stringify
let nativeFetch: typeof fetch | undefined
let fetchLater: ((url: string, init: object) => { readonly activated: boolean }) | undefined
try {
  nativeFetch = globalThis.fetch
  fetchLater = (globalThis as { fetchLater?: typeof fetchLater }).fetchLater
} catch {}

const queued: Record<Signal, object[]> = { traces: [], logs: [] }
const waiting: Chunk[] = []
const flying = new Set<Chunk>()
let later: { readonly bytes: number; readonly result: { readonly activated: boolean } }[] = []
const drops: Partial<Record<DropReason, number>> = {}
let reportedDrops = ''
let timer: ReturnType<typeof setTimeout> | undefined
let pausedUntilMs = 0
let stopped = false
let keepalive = true
let delivered = 0
let networkErrors = 0
let failing = false

const sumBytes = (list: Iterable<{ readonly bytes: number }>): number => {
  let bytes = 0
  for (const item of list) bytes += item.bytes
  return bytes
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

/** Drops by reason as one text, e.g. `queue=3,size=1`; chunks for `storage` and `status`, records for the rest. */
const dropText = (): string =>
  Object.entries(drops)
    .map((entry) => entry.join('='))
    .join()

const encode = (): void => {
  const text = dropText()
  if (text !== reportedDrops) {
    reportedDrops = text
    const timeUnixNano = `${Date.now()}000000`
    const attributes = keyValues({ 'hotspan.drops': text })
    queued.logs.push({ timeUnixNano, severityNumber: 13, eventName: 'hotspan.drops', attributes })
  }
  for (const path of ['traces', 'logs'] as const) {
    const traces = path === 'traces'
    const items = queued[path].map((item) => nativeStringify(item))
    queued[path] = []
    const resource = {
      'service.name': options.service,
      'service.version': options.version,
      'telemetry.sdk.name': 'hotspan',
      'telemetry.sdk.language': 'webjs',
      'telemetry.sdk.version': '0.1.0',
      ...options.resource,
    }
    const head = nativeStringify({
      [traces ? 'resourceSpans' : 'resourceLogs']: [
        {
          resource: { attributes: keyValues(resource) },
          [traces ? 'scopeSpans' : 'scopeLogs']: [
            { scope: { name: '@hotspan/browser', version: '0.1.0' }, [traces ? 'spans' : 'logRecords']: [] },
          ],
        },
      ],
    })
    const { bodies, tooLarge } = packChunks(items, head.slice(0, -6), head.slice(-6), MAX_CHUNK_BYTES)
    if (tooLarge) drop('size', tooLarge)
    for (const body of bodies)
      waiting.push({ id: randomHex(8), path, body, bytes: utf8Bytes(body), bornMs: Date.now(), tries: 0 })
  }
}

const request = (chunk: Chunk): [string, RequestInit] => [
  `${options.endpoint}/v1/${chunk.path}?chunk=${chunk.id}`,
  {
    method: 'POST',
    body: chunk.body,
    headers: { ...options.headers, 'content-type': 'application/json' },
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
    setTimeout(pump, waitMs)
  }
}

const backoffMs = (chunk: Chunk): number => 1000 * 2 ** chunk.tries * (0.8 + 0.4 * Math.random())

const send = async (chunk: Chunk): Promise<void> => {
  flying.add(chunk)
  try {
    const response = await nativeFetch!.apply(globalThis, request(chunk))
    const { status, headers } = response
    // Chromium gives the quota back when the body has been read, not before.
    await response.arrayBuffer().catch(() => 0)
    flying.delete(chunk)
    if (status === 403) stop()
    else if (status === 429 || (status > 501 && status < 505))
      retry(chunk, Number(headers.get('retry-after')) * 1000 || backoffMs(chunk))
    else {
      failing = false
      delivered++
      forgetChunk(chunk)
      if (status > 299) drop('status')
    }
  } catch {
    flying.delete(chunk)
    // Some TV browsers refuse keepalive together with a preflight: try once without and remember.
    if (keepalive && !delivered && !networkErrors) keepalive = false
    else if (++networkErrors > 2 && !delivered) {
      for (const left of [chunk, ...waiting]) keep(left)
      stop()
      return
    }
    retry(chunk, keepalive || networkErrors ? backoffMs(chunk) : 0)
  }
  pump()
}

const pump = guard('transport', (leaving?: boolean): void => {
  if (stopped) return
  while (waiting.length) {
    const chunk = waiting[0]!
    const paused = Date.now() < pausedUntilMs || navigator.onLine === false
    if (leaving ? !failing && !paused : !paused)
      if (sumBytes(flying) + chunk.bytes <= MAX_FLIGHT_BYTES) {
        waiting.shift()
        send(chunk)
        continue
      }
    if (!leaving) break
    waiting.shift()
    later = later.filter(({ result }) => !result.activated)
    try {
      if (failing || !fetchLater || sumBytes(later) + chunk.bytes > MAX_FLIGHT_BYTES) throw 0
      const [url, init] = request(chunk)
      const result = fetchLater.call(globalThis, url, { ...init, keepalive: undefined, activateAfter: 0 })
      later.push({ bytes: chunk.bytes, result })
    } catch {
      keep(chunk)
    }
  }
  while (sumBytes(waiting) > MAX_WAITING_BYTES) keep(waiting.shift()!)
  if (!waiting.length && queued.traces.length + queued.logs.length >= FLUSH_ITEMS) flush()
})

/** Sends what is queued; `leaving` says that nothing of this page may run again. */
export const flush = guard('transport', (leaving?: boolean): void => {
  clearTimeout(timer)
  timer = undefined
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
    if (failing) for (const chunk of flying) storeChunk(chunk)
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
