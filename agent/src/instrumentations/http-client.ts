import { channel } from 'node:diagnostics_channel'
import { errorMonitor } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { performance } from 'node:perf_hooks'
import { attr } from '@hotspan/otlp'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { formatTraceParent, outgoingBaggage } from '../core/propagator.ts'
import { active, runtime } from '../core/runtime.ts'
import { type AgentSpan, Kind, Status } from '../core/span.ts'
import { beginSpan, spanOf } from '../core/tracer.ts'
import { encodeKey } from '../encode/attribute-key.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { fault, faultCount } from '../faults.ts'
import { http, loadHttps } from '../node-modules.ts'
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

const NAME = 'http-client'
const SPAN = Symbol('hotspan.span')

interface TracedRequest extends ClientRequest {
  [SPAN]?: AgentSpan | undefined
}

const errorTypeKey = encodeKey(attr.errorType)
const count = faultCount(NAME)

/**
 * A CLIENT span per `http.request` and `https.request`, from the request object to its `close`. The channel that comes before
 * the headers are sent exists from Node 22.12; before that the two functions are wrapped.
 */
export function installHttpClient(): () => void {
  const answered = channel('http.client.response.finish')
  const onAnswer = (message: unknown): void => {
    const { request, response } = message as { request: TracedRequest; response: IncomingMessage }
    const span = request[SPAN]
    if (span === undefined) return
    span.ref2 = response
    if ((response.statusCode ?? 0) >= 400) span.statusCode = Status.Error
  }
  answered.subscribe(onAnswer)
  const stop = hasCreatedChannel() ? watchCreated() : wrapFunctions()
  return () => {
    answered.unsubscribe(onAnswer)
    stop()
  }
}

function hasCreatedChannel(): boolean {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
  return major > 23 || (major === 23 && minor >= 2) || (major === 22 && minor >= 12)
}

function watchCreated(): () => void {
  const created = channel('http.client.request.created')
  const onCreated = (message: unknown): void => begin((message as { request: TracedRequest }).request)
  created.subscribe(onCreated)
  return () => created.unsubscribe(onCreated)
}

type RequestFunction = (this: unknown, ...args: unknown[]) => ClientRequest

function wrapFunctions(): () => void {
  const restores: (() => void)[] = []
  for (const module of [http, loadHttps()] as unknown as Record<'request' | 'get', RequestFunction>[]) {
    const { request, get } = module
    module.request = function (this: unknown, ...args) {
      const created = request.apply(this, args)
      begin(created)
      return created
    }
    // Node's `get` calls its own `request` and sends the headers at once.
    module.get = function (this: unknown, ...args) {
      const created = request.apply(this, args)
      begin(created)
      created.end()
      return created
    }
    restores.push(() => {
      module.request = request
      module.get = get
    })
  }
  syncBuiltinESMExports()
  return () => {
    for (const restore of restores) restore()
    syncBuiltinESMExports()
  }
}

function begin(request: TracedRequest): void {
  if (count.off) return
  try {
    const startMs = performance.now()
    const context = active.getStore()
    const parent = spanOf(context, startMs)
    // Stock instrumentations or the app itself may have written a traceparent: it stays.
    if (parent === null || request[SPAN] !== undefined) return
    const span = beginSpan(
      parent,
      context ?? EMPTY_CONTEXT,
      0,
      Kind.Client,
      methodName(request.method),
      startMs,
    )
    if (runtime.propagation !== null) {
      if (!request.headersSent) runtime.propagation.inject(idsOf(span), baggageIn(context), outgoing(request))
    } else if (!request.headersSent && !request.hasHeader('traceparent')) {
      request.setHeader('traceparent', formatTraceParent(span))
      if (span.trace.traceState !== '') request.setHeader('tracestate', span.trace.traceState)
      const baggage = context === undefined ? '' : outgoingBaggage(span, context)
      if (baggage !== '' && !request.hasHeader('baggage')) request.setHeader('baggage', baggage)
    }
    if (!span.recording && runtime.httpMetrics === null) return
    request[SPAN] = span
    span.ref1 = request
    span.late = writeClientSpan
    request.on(errorMonitor, onError)
    request.on('close', onClose)
  } catch (error) {
    fault(NAME, error)
  }
}

const outgoing = (request: ClientRequest): OutgoingHeaders => ({
  has: (name) => request.hasHeader(name),
  set: (name, value) => request.setHeader(name, value),
})

function onError(this: TracedRequest, error: unknown): void {
  const span = this[SPAN]
  if (span === undefined) return
  span.text1 = errorTypeOf(error)
  span.statusCode = Status.Error
  if (error instanceof Error) span.statusMessage = error.message
}

function onClose(this: TracedRequest): void {
  const span = this[SPAN]
  if (span === undefined) return
  this[SPAN] = undefined
  try {
    const nowMs = performance.now()
    if (runtime.httpMetrics !== null) measure(span, this, nowMs)
    span.endAt(nowMs, nowMs)
  } catch (error) {
    fault(NAME, error)
  }
}

function measure(span: AgentSpan, request: ClientRequest, nowMs: number): void {
  const response = span.ref2 as IncomingMessage | null
  runtime.httpMetrics?.client(
    span,
    request.method,
    request.protocol === 'https:',
    hostOf(request),
    response?.statusCode ?? 0,
    span.text1,
    (nowMs - span.startMs) / 1000,
  )
}

function hostOf(request: ClientRequest): string {
  const header = request.getHeader('host')
  return typeof header === 'string' ? header : request.host
}

function writeClientSpan(encoder: SpanEncoder, span: AgentSpan): void {
  const request = span.ref1 as ClientRequest
  const response = span.ref2 as IncomingMessage | null
  const secure = request.protocol === 'https:'
  const host = hostOf(request)
  const { path } = request
  const question = path.indexOf('?')
  const bare = question < 0 ? path : path.slice(0, question)
  const query = question < 0 || question === path.length - 1 ? '' : `?${scrubQuery(path.slice(question + 1))}`
  writeMethod(encoder, request.method)
  encoder.text(key.urlFull, `${request.protocol}//${host}${bare}${query}`)
  writeServer(encoder, host, secure)
  const socket = response?.socket ?? request.socket
  if (socket?.remoteAddress !== undefined) {
    writeFewValues(encoder, 'peerAddress', socket.remoteAddress)
    if (socket.remotePort !== undefined) encoder.int(key.peerPort, socket.remotePort)
  }
  if (response !== null) {
    writeFewValues(encoder, 'protocolVersion', response.httpVersion)
    if (response.statusCode !== undefined)
      writeStatus(encoder, response.statusCode, span.text1 === '' ? 400 : NO_ERROR)
  }
  if (span.text1 !== '') encoder.text(errorTypeKey, span.text1)
}
