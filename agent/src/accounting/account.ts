import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { attr, hotspanAttribute } from '@hotspan/otlp'
import type { AgentSpan, LateAttributes } from '../core/span.ts'
import { Kind } from '../core/span.ts'
import { encodeKey } from '../encode/attribute-key.ts'
import { captureAttributes } from '../encode/captured-attributes.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'

const key = {
  queries: encodeKey(hotspanAttribute.requestQueries.name),
  queryTime: encodeKey(hotspanAttribute.requestQueryTime.name),
  calls: encodeKey(hotspanAttribute.requestCalls.name),
  callTime: encodeKey(hotspanAttribute.requestCallTime.name),
  bytesReceived: encodeKey(hotspanAttribute.requestBytesReceived.name),
  bytesSent: encodeKey(hotspanAttribute.requestBytesSent.name),
  cpuTime: encodeKey(hotspanAttribute.requestCpuTime.name),
}

const COUNTED = Symbol('hotspan.counted')

/** A connection that is kept serves many requests: what the earlier ones moved. */
interface CountedSocket extends Socket {
  [COUNTED]?: { received: number; sent: number }
}

type Nature = 'query' | 'call' | 'other'

/**
 * What one request used in this process, counted as its spans end: numbers that hardly vary between runs of the same code,
 * unlike times. Reached through the trace, which is one per request here.
 */
export class RequestAccount {
  private queries = 0
  private queryMs = 0
  private calls = 0
  private callMs = 0
  /** CPU time of the event loop's thread, ms; -1 when it is not followed. */
  cpuMs: number
  private readonly request: IncomingMessage
  private readonly socket: CountedSocket
  private readonly receivedBefore: number
  private readonly sentBefore: number

  constructor(request: IncomingMessage, socket: Socket, followsCpu: boolean) {
    this.request = request
    this.socket = socket
    this.cpuMs = followsCpu ? 0 : -1
    // The head has been read already: the count goes on where the last request of this connection stopped.
    const counted = this.socket[COUNTED]
    this.receivedBefore = counted?.received ?? 0
    this.sentBefore = counted?.sent ?? 0
  }

  /** A span of this request has ended; its references are still there. */
  ended(span: AgentSpan): void {
    if (span.kind !== Kind.Client || span.late === null) return
    const nature = natureOf(span.late, span)
    if (nature === 'query') {
      this.queries++
      this.queryMs += span.endMs - span.startMs
    } else if (nature === 'call') {
      this.calls++
      this.callMs += span.endMs - span.startMs
    }
  }

  write(encoder: SpanEncoder): void {
    encoder.int(key.queries, this.queries)
    if (this.queries > 0) encoder.double(key.queryTime, this.queryMs)
    encoder.int(key.calls, this.calls)
    if (this.calls > 0) encoder.double(key.callTime, this.callMs)
    const { socket } = this
    // A TLS socket counts what lies in the encryption; over HTTP/2 there is no socket of a request's own.
    if (typeof socket.bytesRead === 'number' && this.request.httpVersionMajor === 1) {
      const counted = { received: socket.bytesRead, sent: socket.bytesWritten }
      socket[COUNTED] = counted
      encoder.int(key.bytesReceived, counted.received - this.receivedBefore)
      encoder.int(key.bytesSent, counted.sent - this.sentBefore)
    }
    if (this.cpuMs >= 0) encoder.double(key.cpuTime, this.cpuMs)
  }
}

const natures = new Map<LateAttributes, Nature>()

/**
 * Whether an instrumentation's spans are queries or calls, told once from the names of the attributes that it writes: a
 * statement or an operation of a database, a request of HTTP or RPC. Waits for a connection are neither.
 */
function natureOf(late: LateAttributes, span: AgentSpan): Nature {
  const known = natures.get(late)
  if (known !== undefined) return known
  let written: string
  try {
    written = Buffer.from(captureAttributes((encoder) => late(encoder, span))).toString('latin1')
  } catch {
    // A getter of the app's object threw; the next span may tell.
    return 'other'
  }
  const nature: Nature =
    written.includes(attr.dbOperationName) || written.includes(attr.dbQueryText)
      ? 'query'
      : written.includes(attr.httpRequestMethod) || written.includes('rpc.')
        ? 'call'
        : 'other'
  natures.set(late, nature)
  return nature
}
