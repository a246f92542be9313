import type { Socket } from 'node:net'
import { attr, hotspanAttribute } from '@hotspan/otlp'
import { type AgentSpan, Kind } from '../core/span.ts'
import { runIn } from '../core/tracer.ts'
import { fault, faultCount } from '../faults.ts'
import { loadedFiles } from './loaded-files.ts'
import { beginIncoming, injectInto, objectHeaders } from './message-headers.ts'
import { beginOperation, endOperation } from './operation-span.ts'
import { isThenable, type Method, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'amqplib'

/** Messages of one channel whose span waits for an acknowledgement; beyond it a span ends with its callback. */
const MOST_UNSETTLED = 4096

const UNSETTLED = Symbol('hotspan.unsettled')

interface Channel {
  connection?: { connection?: { stream?: Stream }; stream?: Stream }
  once(event: string, listener: () => void): unknown
  /** Spans by delivery tag. */
  [UNSETTLED]?: Map<number, AgentSpan>
}

type Stream = Socket & { _host?: string | null }

interface PublishOptions {
  headers?: Record<string, unknown>
  messageId?: string
  [option: string]: unknown
}

interface Message {
  content?: { length: number }
  fields: { deliveryTag: number; exchange?: string; routingKey?: string; redelivered?: boolean }
  properties: { headers?: Record<string, unknown>; messageId?: unknown }
}

/** Header with the sender's time, epoch ms: RabbitMQ notes none, and the protocol's own has whole seconds. */
const SENT_MS = 'hotspan-sent-ms'

const count = faultCount(NAME)
/** A confirming channel publishes through the plain one: that is no second message. */
let confirming = false

/**
 * `publish {exchange}` for a message that goes out, until the broker has confirmed it where the channel confirms, and
 * `process {queue}` for one that a consumer takes, as its child. That ends when the consumer's promise settles; a consumer
 * that returns none ends it with its acknowledgement.
 */
export function instrumentAmqplib(_exports: unknown): void {
  for (const model of ['lib/channel_model.js', 'lib/callback_model.js']) {
    for (const file of loadedFiles(NAME, model)) {
      const { Channel, ConfirmChannel } = file as Record<string, WrappableClass | undefined>
      if (Channel !== undefined) {
        wrapPublish(Channel.prototype)
        wrapConsume(Channel.prototype)
        wrapSettling(Channel.prototype)
      }
      if (ConfirmChannel !== undefined) wrapConfirmedPublish(ConfirmChannel.prototype)
    }
  }
}

function wrapPublish(prototype: object): void {
  wrapMethod(
    prototype,
    'publish',
    (original) =>
      function publish(this: unknown, ...args: unknown[]): unknown {
        const span = confirming ? null : beginPublish(this as Channel, args)
        if (span === null) return original.apply(this, args)
        return published(span, () => original.apply(this, args), true)
      },
  )
}

function wrapConfirmedPublish(prototype: object): void {
  wrapMethod(
    prototype,
    'publish',
    (original) =>
      function publish(this: unknown, ...args: unknown[]): unknown {
        const span = beginPublish(this as Channel, args)
        if (span === null) return original.apply(this, args)
        const confirmed = args[4]
        if (typeof confirmed === 'function') {
          args[4] = function (this: unknown, ...results: unknown[]): unknown {
            endOperation(NAME, span, results[0] ?? undefined)
            return runIn(span.parentContext, () => confirmed.apply(this, results), undefined)
          }
        }
        const outside = confirming
        confirming = true
        try {
          return published(span, () => original.apply(this, args), typeof confirmed !== 'function')
        } finally {
          confirming = outside
        }
      },
  )
}

function published(span: AgentSpan, call: Method, ends: boolean): unknown {
  try {
    const result = call()
    if (ends) endOperation(NAME, span)
    return result
  } catch (error) {
    endOperation(NAME, span, error)
    throw error
  }
}

/** Puts the span's identity into a copy of the options. */
function beginPublish(channel: Channel, args: unknown[]): AgentSpan | null {
  if (count.off) return null
  try {
    const [exchange, routingKey, content, options] = args as [
      string,
      string,
      Message['content'],
      PublishOptions?,
    ]
    // What goes to the default exchange goes to the queue of that name.
    const destination = exchange === '' ? routingKey : exchange
    const span = beginOperation(Kind.Producer, `publish ${shown(destination)}`)
    if (span === null) return null
    const headers: Record<string, unknown> = { ...options?.headers }
    injectInto(span, objectHeaders(headers))
    headers[SENT_MS] = Date.now()
    args[3] = { ...options, headers }
    if (!span.recording) return span
    noteMessage(span, channel, 'publish', destination, routingKey, content)
    if (typeof options?.messageId === 'string') span.setAttribute(attr.messagingMessageId, options.messageId)
    return span
  } catch (error) {
    fault(NAME, error)
    return null
  }
}

/** Names that the broker has made up are many. */
const shown = (destination: string): string =>
  destination.startsWith('amq.gen-') ? '(anonymous)' : destination

function noteMessage(
  span: AgentSpan,
  channel: Channel,
  operation: 'publish' | 'process',
  destination: string,
  routingKey: string | undefined,
  content: Message['content'],
): void {
  span.setAttribute(attr.messagingSystem, 'rabbitmq')
  span.setAttribute(attr.messagingOperationName, operation)
  span.setAttribute(attr.messagingOperationType, operation === 'publish' ? 'send' : 'process')
  span.setAttribute(attr.messagingDestinationName, destination)
  if (routingKey) span.setAttribute(attr.messagingRabbitmqDestinationRoutingKey, routingKey)
  if (typeof content?.length === 'number') span.setAttribute(attr.messagingMessageBodySize, content.length)
  const stream = channel.connection?.stream ?? channel.connection?.connection?.stream
  if (stream?.remoteAddress === undefined) return
  span.setAttribute(attr.serverAddress, stream._host ?? stream.remoteAddress)
  span.setAttribute(attr.networkPeerAddress, stream.remoteAddress)
  if (stream.remotePort === undefined) return
  span.setAttribute(attr.serverPort, stream.remotePort)
  span.setAttribute(attr.networkPeerPort, stream.remotePort)
}

function wrapConsume(prototype: object): void {
  wrapMethod(
    prototype,
    'consume',
    (original) =>
      function consume(this: unknown, ...args: unknown[]): unknown {
        const [queue, callback, options] = args
        if (typeof callback === 'function') {
          const noAck = (options as { noAck?: boolean } | undefined)?.noAck === true
          args[1] = tracedConsumer(this as Channel, String(queue), callback as Method, noAck)
        }
        return original.apply(this, args)
      },
  )
}

function tracedConsumer(channel: Channel, queue: string, callback: Method, noAck: boolean): Method {
  return function consumer(this: unknown, ...args: unknown[]): unknown {
    const message = args[0] as Message | null
    if (count.off || message === null) return callback.apply(this, args)
    let span: AgentSpan
    try {
      span = beginProcessing(channel, queue, message)
      if (!noAck) awaitSettling(channel, message.fields.deliveryTag, span)
    } catch (error) {
      fault(NAME, error)
      return callback.apply(this, args)
    }
    let result: unknown
    try {
      result = runIn(span, () => callback.apply(this, args), undefined)
    } catch (error) {
      endOperation(NAME, span, error)
      throw error
    }
    if (isThenable(result)) {
      channel[UNSETTLED]?.delete(message.fields.deliveryTag)
      // On the side: what becomes of the promise is between the consumer and the library.
      result.then(
        () => endOperation(NAME, span),
        (error) => endOperation(NAME, span, error ?? new Error('failed')),
      )
    } else if (channel[UNSETTLED]?.get(message.fields.deliveryTag) !== span) endOperation(NAME, span)
    return result
  }
}

function beginProcessing(channel: Channel, queue: string, message: Message): AgentSpan {
  const { fields, properties, content } = message
  const span = beginIncoming(
    Kind.Consumer,
    `process ${shown(queue)}`,
    objectHeaders(properties.headers ?? {}),
  )
  if (!span.recording) return span
  noteMessage(span, channel, 'process', queue, fields.routingKey, content)
  if (typeof properties.messageId === 'string')
    span.setAttribute(attr.messagingMessageId, properties.messageId)
  const sentMs = Number(properties.headers?.[SENT_MS])
  // Delivered before, it has lain ready since nobody knows when.
  if (sentMs > 0 && fields.redelivered !== true)
    span.setAttribute(hotspanAttribute.messagingQueueWait.name, Math.max(0, Date.now() - sentMs))
  return span
}

function awaitSettling(channel: Channel, tag: number, span: AgentSpan): void {
  let unsettled = channel[UNSETTLED]
  if (unsettled === undefined) {
    const waiting = new Map<number, AgentSpan>()
    unsettled = channel[UNSETTLED] = waiting
    channel.once('close', () => {
      for (const left of waiting.values()) {
        left.setAttribute(hotspanAttribute.endedBy.name, 'shutdown')
        endOperation(NAME, left)
      }
      waiting.clear()
    })
  }
  if (unsettled.size < MOST_UNSETTLED) unsettled.set(tag, span)
}

/** `ack`, `nack` and `reject` of one message, of all up to it, or of all. */
function wrapSettling(prototype: object): void {
  const settles = (
    method: string,
    isError: boolean,
    reach: (args: unknown[]) => readonly [tag: number, upTo: boolean],
  ) =>
    wrapMethod(
      prototype,
      method,
      (original) =>
        function settle(this: unknown, ...args: unknown[]): unknown {
          const result = original.apply(this, args)
          try {
            settled(this as Channel, method, isError, ...reach(args))
          } catch (error) {
            fault(NAME, error)
          }
          return result
        },
    )
  const tagOf = (message: unknown): number => (message as Message).fields.deliveryTag
  settles('ack', false, ([message, upTo]) => [tagOf(message), upTo === true])
  settles('nack', true, ([message, upTo]) => [tagOf(message), upTo === true])
  settles('reject', true, ([message]) => [tagOf(message), false])
  settles('ackAll', false, () => [Number.POSITIVE_INFINITY, true])
  settles('nackAll', true, () => [Number.POSITIVE_INFINITY, true])
}

function settled(channel: Channel, method: string, isError: boolean, tag: number, upTo: boolean): void {
  const unsettled = channel[UNSETTLED]
  if (unsettled === undefined) return
  for (const known of upTo ? [...unsettled.keys()] : [tag]) {
    const span = known <= tag ? unsettled.get(known) : undefined
    if (span === undefined) continue
    unsettled.delete(known)
    endOperation(NAME, span, isError ? { name: method } : undefined)
  }
}
