import { performance } from 'node:perf_hooks'
import { attr, hotspanAttribute } from '@hotspan/otlp'
import { type AgentSpan, Kind } from '../core/span.ts'
import { fault, faultCount } from '../faults.ts'
import { beginIncoming, injectInto, objectHeaders, senderOf } from './message-headers.ts'
import { beginOperation, endOperation, runOperation, settled } from './operation-span.ts'
import { type Method, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'kafkajs'

/** Links of one batch's span; more senders than that are not told. */
const MOST_LINKS = 128

interface Message {
  headers?: Record<string, unknown>
  timestamp?: string
  offset?: string
  value?: { length: number } | null
}

interface TopicMessages {
  topic: string
  messages: Message[]
}

interface OneMessage {
  topic: string
  partition: number
  message: Message
}

interface Batch {
  batch: { topic: string; partition: number; messages: Message[] }
}

const count = faultCount(NAME)

/**
 * `send {topic}` for each topic of a call that sends; `process {topic}` for a message that a consumer takes, as the child of
 * its sender, or for a whole batch, which links to the senders of its messages.
 */
export function instrumentKafkajs(exports: unknown): void {
  const { Kafka } = exports as { Kafka?: WrappableClass }
  if (Kafka === undefined) return
  wrapMethod(
    Kafka.prototype,
    'producer',
    (original) =>
      function producer(this: unknown, ...args: unknown[]): unknown {
        return guarded(original.apply(this, args), wrapProducer)
      },
  )
  wrapMethod(
    Kafka.prototype,
    'consumer',
    (original) =>
      function consumer(this: unknown, ...args: unknown[]): unknown {
        const group = (args[0] as { groupId?: unknown } | undefined)?.groupId
        return guarded(original.apply(this, args), (made) => wrapConsumer(made, String(group ?? '')))
      },
  )
}

function guarded(made: unknown, wrap: (made: object) => void): unknown {
  try {
    wrap(made as object)
  } catch (error) {
    fault(NAME, error)
  }
  return made
}

function wrapProducer(producer: object): void {
  wrapSending(producer)
  wrapMethod(
    producer,
    'transaction',
    (original) =>
      async function transaction(this: unknown, ...args: unknown[]): Promise<unknown> {
        return guarded(await original.apply(this, args), wrapSending)
      },
  )
}

function wrapSending(sender: object): void {
  wrapMethod(
    sender,
    'send',
    (original) =>
      function send(this: unknown, ...args: unknown[]): unknown {
        return sent([args[0] as TopicMessages], ([carrying]) =>
          original.call(this, carrying, ...args.slice(1)),
        )
      },
  )
  wrapMethod(
    sender,
    'sendBatch',
    (original) =>
      function sendBatch(this: unknown, ...args: unknown[]): unknown {
        const batch = args[0] as { topicMessages?: TopicMessages[] }
        return sent(batch?.topicMessages, (topicMessages) =>
          original.call(this, { ...batch, topicMessages }, ...args.slice(1)),
        )
      },
  )
}

/** Sends copies of the messages with their topic's span in the headers. What is no list of messages goes on as it is. */
function sent(given: TopicMessages[] | undefined, send: (carrying: TopicMessages[]) => unknown): unknown {
  const spans: AgentSpan[] = []
  let carrying = given ?? []
  try {
    if (!count.off && given?.every((entry) => Array.isArray(entry?.messages)))
      carrying = given.map((entry) => carryingTopic(entry, spans))
  } catch (error) {
    fault(NAME, error)
  }
  const end = (error?: unknown): void => {
    for (const span of spans) endOperation(NAME, span, error)
  }
  return settled(
    () => (given === undefined ? send(given as never) : send(carrying)),
    () => end(),
    end,
  )
}

function carryingTopic(entry: TopicMessages, spans: AgentSpan[]): TopicMessages {
  const span = beginOperation(Kind.Producer, `send ${entry.topic}`)
  if (span === null) return entry
  spans.push(span)
  noteOperation(span, 'send', entry.topic)
  if (entry.messages.length > 1) span.setAttribute(attr.messagingBatchMessageCount, entry.messages.length)
  const messages = entry.messages.map((message) => {
    const headers = { ...message.headers }
    injectInto(span, objectHeaders(headers))
    return { ...message, headers }
  })
  return { ...entry, messages }
}

function noteOperation(span: AgentSpan, operation: 'send' | 'process', topic: string): void {
  span.setAttribute(attr.messagingSystem, 'kafka')
  span.setAttribute(attr.messagingOperationName, operation)
  span.setAttribute(attr.messagingOperationType, operation)
  span.setAttribute(attr.messagingDestinationName, topic)
}

function wrapConsumer(consumer: object, group: string): void {
  wrapMethod(
    consumer,
    'run',
    (original) =>
      function run(this: unknown, ...args: unknown[]): unknown {
        const { eachMessage, eachBatch } = (args[0] ?? {}) as { eachMessage?: Method; eachBatch?: Method }
        const traced: Record<string, Method> = {}
        if (typeof eachMessage === 'function')
          traced.eachMessage = processing(eachMessage, (payload) =>
            beginMessage(payload as OneMessage, group),
          )
        if (typeof eachBatch === 'function')
          traced.eachBatch = processing(eachBatch, (payload) => beginBatch(payload as Batch, group))
        return original.call(this, { ...(args[0] as object), ...traced }, ...args.slice(1))
      },
  )
}

function processing(handler: Method, begin: (payload: unknown) => AgentSpan): Method {
  return function handle(this: unknown, ...args: unknown[]): unknown {
    if (count.off) return handler.apply(this, args)
    let span: AgentSpan
    try {
      span = begin(args[0])
    } catch (error) {
      fault(NAME, error)
      return handler.apply(this, args)
    }
    return runOperation(NAME, span, () => handler.apply(this, args))
  }
}

function beginMessage({ topic, partition, message }: OneMessage, group: string): AgentSpan {
  const span = beginIncoming(Kind.Consumer, `process ${topic}`, objectHeaders(message.headers ?? {}))
  if (!span.recording) return span
  noteProcessing(span, topic, partition, group)
  if (message.offset !== undefined) span.setAttribute(attr.messagingKafkaOffset, Number(message.offset))
  if (typeof message.value?.length === 'number')
    span.setAttribute(attr.messagingMessageBodySize, message.value.length)
  noteWait(span, message)
  return span
}

function noteProcessing(span: AgentSpan, topic: string, partition: number, group: string): void {
  noteOperation(span, 'process', topic)
  span.setAttribute(attr.messagingDestinationPartitionId, String(partition))
  if (group !== '') span.setAttribute(attr.messagingConsumerGroupName, group)
}

/** Since the message's own time: its sender's clock, or the broker's where the topic says so. */
function noteWait(span: AgentSpan, message: Message | undefined): void {
  const sentMs = Number(message?.timestamp)
  if (sentMs > 0)
    span.setAttribute(hotspanAttribute.messagingQueueWait.name, Math.max(0, Date.now() - sentMs))
}

/** A batch has many senders: links, and the wait of its oldest message. */
function beginBatch({ batch }: Batch, group: string): AgentSpan {
  const span = beginIncoming(Kind.Consumer, `process ${batch.topic}`, objectHeaders({}))
  if (!span.recording) return span
  noteProcessing(span, batch.topic, batch.partition, group)
  span.setAttribute(attr.messagingBatchMessageCount, batch.messages.length)
  noteWait(span, batch.messages[0])
  const nowMs = performance.now()
  const linked = new Set<string>()
  for (const message of batch.messages) {
    if (linked.size >= MOST_LINKS) break
    const { parent } = senderOf(objectHeaders(message.headers ?? {}), nowMs)
    if (parent === undefined || linked.has(parent.spanId)) continue
    linked.add(parent.spanId)
    span.addLink({ context: parent.spanContext() })
  }
  return span
}
