import { channel } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { formatTraceParent, outgoingBaggage } from '../core/propagator.ts'
import { active, runtime } from '../core/runtime.ts'
import { type AgentSpan, Kind, Status } from '../core/span.ts'
import { beginSpan, spanOf } from '../core/tracer.ts'
import { encodeKey } from '../encode/attribute-key.ts'
import { BoundedCache } from '../encode/bounded-cache.ts'
import { captureAttributes } from '../encode/captured-attributes.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { fault, faultCount } from '../faults.ts'
import type { OutgoingHeaders } from '../propagation/format.ts'
import { baggageIn, idsOf } from '../propagation/propagation.ts'
import { errorTypeOf } from './error-type.ts'
import {
  key,
  methodName,
  NO_ERROR,
  scrubQuery,
  writeFewValues,
  writeMethod,
  writeServer,
  writeStatus,
} from './http-attributes.ts'

const NAME = 'undici'
const SPAN = Symbol('hotspan.span')

const PEER = Symbol('hotspan.peer')

interface TracedSocket extends Socket {
  alpnProtocol?: string | false
  /** What a span says of this connection, encoded once for all its requests. */
  [PEER]?: Uint8Array
}

function encodePeer({ remoteAddress, remotePort, alpnProtocol }: TracedSocket): Uint8Array {
  return captureAttributes((encoder) => {
    encoder.text(key.protocolVersion, alpnProtocol === 'h2' ? '2' : '1.1')
    if (remoteAddress === undefined) return
    encoder.text(key.peerAddress, remoteAddress)
    if (remotePort !== undefined) encoder.int(key.peerPort, remotePort)
  })
}

interface UndiciRequest {
  origin: string | URL
  path: string
  method: string
  headers: string | (string | string[])[]
  addHeader(name: string, value: string): unknown
  [SPAN]?: AgentSpan | undefined
}

/**
 * A CLIENT span per undici request: global `fetch` and the undici package share these channels. It ends with the body's
 * end (`trailers`) or with an error, aborts included.
 */
export function installUndici(): () => void {
  const count = faultCount(NAME)
  const listen = (name: string, handle: (message: never) => void): (() => void) => {
    const target = channel(name)
    const listener = (message: unknown): void => {
      if (count.off) return
      try {
        handle(message as never)
      } catch (error) {
        fault(NAME, error)
      }
    }
    target.subscribe(listener)
    return () => target.unsubscribe(listener)
  }
  const stops = [
    listen('undici:request:create', begin),
    listen(
      'undici:client:sendHeaders',
      ({ request, socket }: { request: UndiciRequest; socket: TracedSocket }) => {
        const span = request[SPAN]
        if (span === undefined) return
        socket[PEER] ??= encodePeer(socket)
        span.ref2 = socket[PEER]
      },
    ),
    listen(
      'undici:request:headers',
      ({ request, response }: { request: UndiciRequest; response: { statusCode: number } }) => {
        const span = request[SPAN]
        if (span === undefined) return
        span.number1 = response.statusCode
        if (response.statusCode >= 400) span.statusCode = Status.Error
      },
    ),
    listen('undici:request:trailers', ({ request }: { request: UndiciRequest }) => finish(request)),
    listen('undici:request:error', ({ request, error }: { request: UndiciRequest; error: unknown }) => {
      const span = request[SPAN]
      if (span === undefined) return
      span.text1 = errorTypeOf(error)
      span.statusCode = Status.Error
      if (error instanceof Error) span.statusMessage = error.message
      finish(request)
    }),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

function begin({ request }: { request: UndiciRequest }): void {
  const startMs = performance.now()
  const context = active.getStore()
  const parent = spanOf(context, startMs)
  if (parent === null || request.method === 'CONNECT') return
  const span = beginSpan(
    parent,
    context ?? EMPTY_CONTEXT,
    0,
    Kind.Client,
    methodName(request.method),
    startMs,
  )
  if (runtime.propagation !== null) {
    runtime.propagation.inject(idsOf(span), baggageIn(context), outgoing(request))
  } else if (!hasHeader(request.headers, 'traceparent')) {
    request.addHeader('traceparent', formatTraceParent(span))
    if (span.trace.traceState !== '') request.addHeader('tracestate', span.trace.traceState)
    const baggage = context === undefined ? '' : outgoingBaggage(span, context)
    if (baggage !== '' && !hasHeader(request.headers, 'baggage')) request.addHeader('baggage', baggage)
  }
  if (!span.recording && runtime.httpMetrics === null) return
  request[SPAN] = span
  span.ref1 = request
  span.late = writeClientSpan
}

const outgoing = (request: UndiciRequest): OutgoingHeaders => ({
  has: (name) => hasHeader(request.headers, name),
  set: (name, value) => void request.addHeader(name, value),
})

function finish(request: UndiciRequest): void {
  const span = request[SPAN]
  if (span === undefined) return
  request[SPAN] = undefined
  const nowMs = performance.now()
  if (runtime.httpMetrics !== null) {
    const { secure, host } = originOf(request)
    const durationSec = (nowMs - span.startMs) / 1000
    runtime.httpMetrics.client(span, request.method, secure, host, span.number1, span.text1, durationSec)
  }
  span.endAt(nowMs, nowMs)
}

interface Origin {
  readonly secure: boolean
  readonly host: string
  /** `url.scheme` and `server.*`. */
  readonly encoded: Uint8Array
}

const origins = new BoundedCache<Origin>()

function originOf(request: UndiciRequest): Origin {
  const origin = typeof request.origin === 'string' ? request.origin : request.origin.origin
  return origins.get(origin) ?? origins.set(origin, describeOrigin(origin))
}

function describeOrigin(origin: string): Origin {
  const secure = origin.startsWith('https:')
  const host = origin.slice(origin.indexOf('//') + 2).replace(/^[^@/]*@/, '')
  const encoded = captureAttributes((encoder) => {
    writeFewValues(encoder, 'urlScheme', secure ? 'https' : 'http')
    writeServer(encoder, host, secure)
  })
  return { secure, host, encoded }
}

/** undici keeps headers as `name: value\r\n` text (version 5) or as a flat list. */
function headerOf(headers: UndiciRequest['headers'], name: string): string | undefined {
  if (typeof headers === 'string') {
    const literal = name.replaceAll(/[^a-z0-9-]/gi, '\\$&')
    const match = new RegExp(`(?:^|\\r\\n)${literal}: ([^\\r]*)`, 'i').exec(headers)
    return match?.[1]
  }
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const found = headers[i]
    if (typeof found === 'string' && found.length === name.length && found.toLowerCase() === name) {
      const value = headers[i + 1]
      return Array.isArray(value) ? value[0] : value
    }
  }
  return undefined
}

const hasHeader = (headers: UndiciRequest['headers'], name: string): boolean =>
  headerOf(headers, name) !== undefined

const errorTypeKey = encodeKey('error.type')

function writeClientSpan(encoder: SpanEncoder, span: AgentSpan): void {
  const request = span.ref1 as UndiciRequest
  writeMethod(encoder, request.method)
  const { secure, host, encoded } = originOf(request)
  const { path } = request
  const question = path.indexOf('?')
  const bare = question < 0 ? path : path.slice(0, question)
  const query = question < 0 || question === path.length - 1 ? '' : scrubQuery(path.slice(question + 1))
  encoder.text(key.urlFull, `${secure ? 'https' : 'http'}://${host}${bare}${query === '' ? '' : `?${query}`}`)
  encoder.raw(encoded)
  encoder.text(key.urlPath, bare)
  if (query !== '') encoder.text(key.urlQuery, query)
  const agent = headerOf(request.headers, 'user-agent')
  if (agent !== undefined) writeFewValues(encoder, 'userAgent', agent)
  if (span.ref2 !== null) encoder.raw(span.ref2 as Uint8Array)
  if (span.number1 !== 0) writeStatus(encoder, span.number1, span.text1 === '' ? 400 : NO_ERROR)
  if (span.text1 !== '') encoder.text(errorTypeKey, span.text1)
}
