import { channel } from 'node:diagnostics_channel'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { attr, hotspanAttribute } from '@hotspan/otlp'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { active, runtime } from '../core/runtime.ts'
import { type AgentSpan, Kind, Status } from '../core/span.ts'
import { beginSpan, remoteParent } from '../core/tracer.ts'
import { encodeKey } from '../encode/attribute-key.ts'
import { captureAttributes, textAttribute } from '../encode/captured-attributes.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { fault, faultCount } from '../faults.ts'
import { incomingHeaders } from '../propagation/propagation.ts'
import { coldStart, takeColdStart, writeColdStart } from '../resource/cold-start.ts'
import {
  key,
  methodName,
  scrubQuery,
  writeFewValues,
  writeMethod,
  writeServer,
  writeStatus,
} from './http-attributes.ts'
import { head, readHead } from './raw-headers.ts'
import { FROM_BROWSER, SPAN_OF_RESPONSE, type TracedResponse } from './server-timing.ts'

const NAME = 'http-server'

const endedByAbort = textAttribute(encodeKey(hotspanAttribute.endedBy.name), 'abort')

interface StartMessage {
  request: IncomingMessage & { originalUrl?: string }
  response: TracedResponse
  socket: TracedSocket
  server: Server
}

/** A connection, encoded once for all its requests. Addresses are null where there is no other end, as on a unix socket. */
interface Connection {
  /** `client.address` where no proxy says better. */
  readonly asClient: Uint8Array | null
  /** `network.peer.*`. */
  readonly asPeer: Uint8Array | null
  host: string | undefined
  userAgent: string | undefined
  httpVersion: string
  /** What `writeConnection` writes, when the last two requests said the same of it. */
  repeated: Uint8Array | null
}

const CONNECTION = Symbol('hotspan.connection')

interface TracedSocket extends Socket {
  readonly encrypted?: boolean
  [CONNECTION]?: Connection
}

/**
 * A SERVER span per request, from the request's head to the response's `close`, active in everything that follows from it.
 * `http.server.response.finish` never fires when the client goes away; `close` always does.
 */
export function installHttpServer(): () => void {
  const started = channel('http.server.request.start')
  const count = faultCount(NAME)
  const onStart = (message: unknown): void => {
    if (count.off) return
    try {
      begin(message as StartMessage)
    } catch (error) {
      fault(NAME, error)
    }
  }
  started.subscribe(onStart)
  return () => started.unsubscribe(onStart)
}

function begin({ request, response, socket, server }: StartMessage): void {
  if (runtime.ownServer !== null && server === runtime.ownServer) return
  const startMs = performance.now()
  readHead(request.rawHeaders)
  const propagation = runtime.propagation
  let parent: AgentSpan | undefined
  let baggage: string | string[] | undefined
  if (propagation === null) {
    baggage = head.baggage
    if (head.traceParent !== undefined)
      parent = remoteParent(head.traceParent, head.traceState, baggage, startMs)
  } else {
    ;({ parent, baggage } = propagation.extract(incomingHeaders(request.headers), startMs))
  }
  const method = request.method ?? 'GET'
  const span = beginSpan(parent, EMPTY_CONTEXT, 0, Kind.Server, methodName(method), startMs)
  if (parent === undefined && baggage !== undefined) span.trace.baggage = String(baggage)
  response[SPAN_OF_RESPONSE] = span
  if (head.fromBrowser) span.number1 = FROM_BROWSER
  if (coldStart.awaited) takeColdStart(span)
  if (span.recording) {
    span.ref1 = repeatedPart(socket, request.httpVersion)
    span.ref2 = response
    span.late = writeServerSpan
    // Routers rewrite the URL, a closed socket forgets its peer: both are read now.
    span.text1 = request.url ?? '/'
    span.text2 = head.forwardedFor ?? ''
    if (runtime.accounting !== null) runtime.accounting.begin(span, request, socket)
  }
  response.on('close', onClose)
  active.enterWith(span)
  if (runtime.touched !== null) runtime.touched(span, startMs)
  if (runtime.traceActivated !== null) runtime.traceActivated(span.trace)
}

function onClose(this: TracedResponse): void {
  const span = this[SPAN_OF_RESPONSE]
  if (span === undefined) return
  this[SPAN_OF_RESPONSE] = undefined
  try {
    const nowMs = performance.now()
    if (span.recording || runtime.httpMetrics !== null) {
      const request = this.req
      const route = takeRoute(span) || span.knownRoute || expressRoute(request)
      if (route !== '') {
        span.route = route
        if (span.name === methodName(request.method ?? 'GET')) span.name = `${span.name} ${route}`
      }
      if (this.statusCode >= 500 && span.statusCode === Status.Unset) span.statusCode = Status.Error
      if (runtime.httpMetrics !== null) measure(span, this, route, nowMs)
    }
    span.endAt(nowMs, nowMs)
  } catch (error) {
    fault(NAME, error)
  }
}

function measure(span: AgentSpan, response: ServerResponse, route: string, nowMs: number): void {
  const { method, socket, httpVersion } = response.req
  const secure = (socket as Socket & { encrypted?: boolean }).encrypted === true
  const status = response.headersSent ? response.statusCode : 0
  const durationSec = (nowMs - span.startMs) / 1000
  runtime.httpMetrics?.server(span, method ?? 'GET', secure, httpVersion, status, route, durationSec)
}

/** `http.route` that the app or its framework has set through the API: it wins, and is written once. */
function takeRoute({ attributes }: AgentSpan): string {
  if (attributes === null) return ''
  for (let i = 0; i < attributes.length; i += 2) {
    if (attributes[i] === attr.httpRoute) return String(attributes.splice(i, 2)[1])
  }
  return ''
}

/** Express leaves the matched route on the request; nothing needs to be wrapped. */
function expressRoute(request: IncomingMessage): string {
  const { route, baseUrl } = request as IncomingMessage & { route?: { path?: unknown }; baseUrl?: unknown }
  if (route === undefined || route === null || typeof route.path !== 'string') return ''
  const path = (typeof baseUrl === 'string' ? baseUrl : '') + route.path
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

function writeServerSpan(encoder: SpanEncoder, span: AgentSpan): void {
  const response = span.ref2 as TracedResponse
  const request = response.req
  const socket = request.socket as TracedSocket
  writeMethod(encoder, request.method ?? 'GET')
  const url = span.text1
  const question = url.indexOf('?')
  encoder.text(key.urlPath, question < 0 ? url : url.slice(0, question))
  if (question >= 0 && question < url.length - 1)
    encoder.text(key.urlQuery, scrubQuery(url.slice(question + 1)))
  const connection = socket[CONNECTION]
  if (span.ref1 !== null) encoder.raw(span.ref1 as Uint8Array)
  else {
    readHead(request.rawHeaders)
    writeConnection(encoder, socket, head.host, head.userAgent, request.httpVersion)
  }
  if (connection !== undefined && connection.asClient !== null) {
    if (span.text2 === '') encoder.raw(connection.asClient)
    else encoder.text(key.clientAddress, firstOf(span.text2))
  }
  if (span.route !== '') writeFewValues(encoder, 'route', span.route)
  if (response.headersSent) writeStatus(encoder, response.statusCode, 500)
  if (!response.writableFinished) encoder.raw(endedByAbort)
  if (coldStart.span === span) writeColdStart(encoder)
  const { account } = span.trace
  if (account !== null && runtime.accounting !== null) runtime.accounting.write(encoder, account)
}

/** Scheme, server, peer, protocol and user agent: nearly always those of the request before on this connection. */
function writeConnection(
  encoder: SpanEncoder,
  socket: TracedSocket,
  host: string | undefined,
  userAgent: string | undefined,
  httpVersion: string,
): void {
  const secure = socket.encrypted === true
  writeFewValues(encoder, 'urlScheme', secure ? 'https' : 'http')
  if (host !== undefined) writeServer(encoder, host, secure)
  const asPeer = socket[CONNECTION]?.asPeer
  if (asPeer) encoder.raw(asPeer)
  writeFewValues(encoder, 'protocolVersion', httpVersion)
  if (userAgent !== undefined) writeFewValues(encoder, 'userAgent', userAgent)
}

/** All of that in one piece, when it is as it was; null when it is another and has to be written one by one. */
function repeatedPart(socket: TracedSocket, httpVersion: string): Uint8Array | null {
  socket[CONNECTION] ??= connectionOf(socket)
  const connection = socket[CONNECTION]
  const { host, userAgent } = head
  if (
    connection.host !== host ||
    connection.userAgent !== userAgent ||
    connection.httpVersion !== httpVersion
  ) {
    connection.host = host
    connection.userAgent = userAgent
    connection.httpVersion = httpVersion
    connection.repeated = null
  } else {
    connection.repeated ??= captureAttributes((encoder) =>
      writeConnection(encoder, socket, host, userAgent, httpVersion),
    )
  }
  return connection.repeated
}

function firstOf(forwarded: string): string {
  const comma = forwarded.indexOf(',')
  return comma < 0 ? forwarded : forwarded.slice(0, comma)
}

function connectionOf(socket: Socket): Connection {
  const { remoteAddress, remotePort } = socket
  const known = remoteAddress !== undefined && remoteAddress !== ''
  return {
    asClient: known ? textAttribute(key.clientAddress, remoteAddress) : null,
    asPeer: known
      ? captureAttributes((encoder) => {
          encoder.text(key.peerAddress, remoteAddress)
          encoder.int(key.peerPort, remotePort ?? 0)
        })
      : null,
    host: undefined,
    userAgent: undefined,
    httpVersion: '',
    repeated: null,
  }
}
