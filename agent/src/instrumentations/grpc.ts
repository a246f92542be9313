import { attr } from '@hotspan/otlp'
import { AgentContextManager } from '../core/context-manager.ts'
import { active } from '../core/runtime.ts'
import { type AgentSpan, Kind } from '../core/span.ts'
import { runIn } from '../core/tracer.ts'
import { fault, faultCount } from '../faults.ts'
import type { IncomingHeaders, OutgoingHeaders } from '../propagation/format.ts'
import { GRPC_CANCELLED, GRPC_OK, GRPC_UNKNOWN, notePeer, noteServer, noteStatus } from './grpc-status.ts'
import { loadedFiles } from './loaded-files.ts'
import { beginIncoming, injectInto } from './message-headers.ts'
import { beginOperation, endOperation } from './operation-span.ts'
import { type Method, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = '@grpc/grpc-js'

interface Metadata {
  get(name: string): unknown[]
  set(name: string, value: string): void
  getMap(): Record<string, unknown>
  clone(): Metadata
}

interface StatusObject {
  code?: number
  details?: string
}

type Listener = Record<'onReceiveMetadata' | 'onReceiveMessage' | 'onReceiveStatus', Method>

interface OutgoingCall {
  start(metadata: Metadata, listener: Partial<Listener>): void
  getPeer?: () => string
}

interface IncomingCall {
  metadata?: Metadata
  getPeer?: () => string
  getHost?: () => string
  once(event: string, listener: Method): unknown
}

const count = faultCount(NAME)
const contexts = new AgentContextManager()

/**
 * A CLIENT span per call, made where all four kinds of calls of all clients pass, and a SERVER span per call of a registered
 * method, from its handler's start to its status. The trace travels in the metadata.
 */
export function instrumentGrpc(exports: unknown): void {
  for (const file of loadedFiles(NAME, 'build/src/client-interceptors.js')) wrapClient(file as object)
  const { Server } = exports as { Server?: WrappableClass }
  if (Server !== undefined) wrapRegister(Server.prototype)
}

function wrapClient(file: object): void {
  wrapMethod(
    file,
    'getInterceptingCall',
    (original) =>
      function getInterceptingCall(this: unknown, ...args: unknown[]): unknown {
        const call = original.apply(this, args)
        if (count.off) return call
        try {
          const [, definition, , channel] = args as [
            unknown,
            { path?: string },
            unknown,
            { getTarget?: () => string },
          ]
          watchCall(call as OutgoingCall, definition.path ?? '', channel?.getTarget?.())
        } catch (error) {
          fault(NAME, error)
        }
        return call
      },
  )
}

/** The span begins when the call starts; what the listener hears is heard in the caller's context. */
function watchCall(call: OutgoingCall, path: string, target: string | undefined): void {
  const start = call.start
  call.start = (metadata, listener) => {
    let span: AgentSpan | null = null
    let carrying = metadata
    let bound = listener
    try {
      const caller = active.getStore()
      span = beginCall(Kind.Client, path)
      if (span !== null) {
        noteServer(span, target)
        // The app may use its metadata for another call.
        carrying = metadata.clone()
        injectInto(span, metadataHeaders(carrying))
        const whole = span
        bound = inContext(
          listener,
          (heard) => {
            if (caller === undefined) return active.exit(heard)
            return runIn(caller, heard, undefined)
          },
          (status) => {
            notePeer(whole, call.getPeer?.())
            noteStatus(whole, status.code, status.details, false)
            endOperation(NAME, whole)
          },
        )
      }
    } catch (error) {
      fault(NAME, error)
    }
    if (span === null) return start.call(call, metadata, listener)
    return runIn(span, () => start.call(call, carrying, bound), undefined)
  }
}

function inContext(
  listener: Partial<Listener>,
  run: (heard: () => unknown) => unknown,
  onStatus: (status: StatusObject) => void,
): Partial<Listener> {
  const heard =
    (name: keyof Listener, before?: (argument: unknown) => void): Method =>
    (argument) => {
      try {
        before?.(argument)
      } catch (error) {
        fault(NAME, error)
      }
      return run(() => listener[name]?.(argument))
    }
  return {
    onReceiveMetadata: heard('onReceiveMetadata'),
    onReceiveMessage: heard('onReceiveMessage'),
    onReceiveStatus: heard('onReceiveStatus', (status) => onStatus(status as StatusObject)),
  }
}

function beginCall(kind: number, path: string): AgentSpan | null {
  const method = path.replace(/^\//, '')
  const span = beginOperation(kind, method)
  if (span !== null) noteMethod(span, method)
  return span
}

function noteMethod(span: AgentSpan, method: string): void {
  span.setAttribute(attr.rpcSystemName, 'grpc')
  span.setAttribute(attr.rpcMethod, method)
}

function wrapRegister(prototype: object): void {
  wrapMethod(
    prototype,
    'register',
    (original) =>
      function register(this: unknown, ...args: unknown[]): unknown {
        const [path, handler, , , type] = args
        if (typeof path === 'string' && typeof handler === 'function')
          args[1] = tracedHandler(path.replace(/^\//, ''), handler as Method, String(type))
        return original.apply(this, args)
      },
  )
}

/** `unary` and `clientStream` answer through a callback, `serverStream` and `bidi` by ending the call. */
function tracedHandler(method: string, handler: Method, type: string): Method {
  const answersByCallback = type === 'unary' || type === 'clientStream'
  return function handle(this: unknown, ...args: unknown[]): unknown {
    if (count.off) return handler.apply(this, args)
    let span: AgentSpan
    try {
      span = beginHandling(method, args[0] as IncomingCall)
      if (answersByCallback) args[1] = endingCallback(span, args[1] as Method)
      else endWithStream(span, args[0] as IncomingCall)
      ;(args[0] as IncomingCall).once('cancelled', () => finish(span, { code: GRPC_CANCELLED }))
      // Messages come out of the connection, whose context is none of this call's.
      if (type !== 'unary') contexts.bind(span, args[0])
    } catch (error) {
      fault(NAME, error)
      return handler.apply(this, args)
    }
    try {
      return runIn(span, () => handler.apply(this, args), undefined)
    } catch (error) {
      finish(span, { code: GRPC_UNKNOWN, details: error instanceof Error ? error.message : '' })
      throw error
    }
  }
}

function beginHandling(method: string, call: IncomingCall): AgentSpan {
  const span = beginIncoming(Kind.Server, method, metadataHeaders(call.metadata))
  if (!span.recording) return span
  noteMethod(span, method)
  noteServer(span, call.getHost?.())
  notePeer(span, call.getPeer?.())
  return span
}

function endingCallback(span: AgentSpan, callback: Method): Method {
  return function (this: unknown, ...results: unknown[]): unknown {
    finish(span, statusOf(results[0]))
    return callback.apply(this, results)
  }
}

function endWithStream(span: AgentSpan, call: IncomingCall): void {
  call.once('finish', () => finish(span, { code: GRPC_OK }))
  call.once('error', (error) => finish(span, statusOf(error ?? new Error('failed'))))
}

const statusOf = (error: unknown): StatusObject => {
  if (error === null || error === undefined) return { code: GRPC_OK }
  const { code, details, message } = error as { code?: unknown; details?: unknown; message?: unknown }
  const text = typeof details === 'string' ? details : message
  return {
    code: typeof code === 'number' ? code : GRPC_UNKNOWN,
    details: typeof text === 'string' ? text : '',
  }
}

function finish(span: AgentSpan, status: StatusObject): void {
  if (span.ended) return
  try {
    noteStatus(span, status.code, status.details, true)
  } catch (error) {
    fault(NAME, error)
  }
  endOperation(NAME, span)
}

const metadataHeaders = (metadata: Metadata | undefined): IncomingHeaders & OutgoingHeaders => ({
  get(name) {
    const values = metadata?.get(name) ?? []
    return values.length === 0 ? undefined : values.map(String).join(',')
  },
  names: () => Object.keys(metadata?.getMap() ?? {}),
  has: (name) => (metadata?.get(name).length ?? 0) > 0,
  set: (name, value) => metadata?.set(name, value),
})
