import { attr, hotspanAttribute } from '@hotspan/otlp'
import { type AgentSpan, Kind } from '../core/span.ts'
import { fault, faultCount } from '../faults.ts'
import { beginIncoming, injectInto, objectHeaders } from './message-headers.ts'
import { beginOperation, runOperation } from './operation-span.ts'
import { type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'bullmq'

/** Set on a parent of a flow, which is not ready before its children are done: the time since it was added is no wait. */
const AFTER_CHILDREN = 'hotspan-after-children'

interface JobOptions {
  telemetry?: { metadata?: string; omitContext?: boolean }
  [option: string]: unknown
}

interface NewJob {
  name: string
  opts?: JobOptions
}

interface FlowJob extends NewJob {
  queueName: string
  children?: FlowJob[]
}

interface Job {
  id?: string
  name?: string
  opts?: JobOptions
  timestamp?: number
  delay?: number
  processedOn?: number
  attemptsMade?: number
}

/** Queue, Worker or FlowProducer. */
interface Owner {
  name?: string
  opts?: { telemetry?: unknown }
}

const count = faultCount(NAME)

/**
 * `send {queue}` for what adds jobs, `process {queue}` for a worker's run of one: a child of the sender's span, which travels
 * in the job's options where BullMQ's own telemetry keeps it. Queues with that telemetry are left to it.
 */
export function instrumentBullmq(exports: unknown): void {
  const { Queue, Worker, FlowProducer } = exports as Record<string, WrappableClass | undefined>
  if (Queue !== undefined) {
    wrapSending(Queue.prototype, 'add', sendOne)
    wrapSending(Queue.prototype, 'addBulk', sendMany)
  }
  if (FlowProducer !== undefined) {
    wrapSending(FlowProducer.prototype, 'add', sendFlow)
    wrapSending(FlowProducer.prototype, 'addBulk', sendFlows)
  }
  if (Worker !== undefined) wrapProcessing(Worker.prototype)
}

/** Begins the span of a call that adds jobs and gives the arguments that carry it. */
type Sending = (owner: Owner, args: unknown[]) => { span: AgentSpan; args: unknown[] } | null

function wrapSending(prototype: object, method: string, sending: Sending): void {
  wrapMethod(
    prototype,
    method,
    (original) =>
      function send(this: unknown, ...args: unknown[]): unknown {
        let sent: ReturnType<Sending> = null
        if (!count.off && (this as Owner).opts?.telemetry === undefined) {
          try {
            sent = sending(this as Owner, args)
          } catch (error) {
            fault(NAME, error)
          }
        }
        if (sent === null) return original.apply(this, args)
        const { span, args: carrying } = sent
        return runOperation(NAME, span, () => original.apply(this, carrying), noteSent)
      },
  )
}

function wrapProcessing(prototype: object): void {
  wrapMethod(
    prototype,
    'callProcessJob',
    (original) =>
      function callProcessJob(this: unknown, ...args: unknown[]): unknown {
        let span: AgentSpan | null = null
        if (!count.off && (this as Owner).opts?.telemetry === undefined) {
          try {
            span = beginProcessing(this as Owner, args[0] as Job)
          } catch (error) {
            fault(NAME, error)
          }
        }
        return span === null
          ? original.apply(this, args)
          : runOperation(NAME, span, () => original.apply(this, args))
      },
  )
}

function beginSending(queue: string | undefined): AgentSpan | null {
  const span = beginOperation(Kind.Producer, `send ${queue ?? ''}`.trimEnd())
  if (span === null) return null
  noteOperation(span, 'send', queue)
  return span
}

function noteOperation(span: AgentSpan, operation: string, queue: string | undefined): void {
  span.setAttribute(attr.messagingSystem, 'bullmq')
  span.setAttribute(attr.messagingOperationName, operation)
  span.setAttribute(attr.messagingOperationType, operation)
  if (queue !== undefined) span.setAttribute(attr.messagingDestinationName, queue)
}

function noteSent(span: AgentSpan, value: unknown): void {
  const id = (value as Job | null | undefined)?.id ?? (value as { job?: Job } | null | undefined)?.job?.id
  if (typeof id === 'string') span.setAttribute(attr.messagingMessageId, id)
}

const sendOne: Sending = (queue, args) => {
  const span = beginSending(queue.name)
  if (span === null) return null
  span.setAttribute(hotspanAttribute.messagingJobName.name, String(args[0]))
  return {
    span,
    args: [args[0], args[1], carrying(span, args[2] as JobOptions | undefined), ...args.slice(3)],
  }
}

const sendMany: Sending = (queue, args) => {
  const jobs = args[0] as NewJob[]
  const span = beginSending(queue.name)
  if (span === null) return null
  span.setAttribute(attr.messagingBatchMessageCount, jobs.length)
  return { span, args: [jobs.map((job) => ({ ...job, opts: carrying(span, job.opts) })), ...args.slice(1)] }
}

const sendFlow: Sending = (_producer, args) => {
  const flow = args[0] as FlowJob
  const span = beginSending(flow.queueName)
  if (span === null) return null
  span.setAttribute(hotspanAttribute.messagingJobName.name, flow.name)
  const jobs = countOf(flow)
  if (jobs > 1) span.setAttribute(attr.messagingBatchMessageCount, jobs)
  return { span, args: [carryingFlow(span, flow), ...args.slice(1)] }
}

const sendFlows: Sending = (_producer, args) => {
  const flows = args[0] as FlowJob[]
  const queues = new Set(flows.map(({ queueName }) => queueName))
  const span = beginSending(queues.size === 1 ? flows[0]?.queueName : undefined)
  if (span === null) return null
  span.setAttribute(
    attr.messagingBatchMessageCount,
    flows.reduce((sum, flow) => sum + countOf(flow), 0),
  )
  return { span, args: [flows.map((flow) => carryingFlow(span, flow)), ...args.slice(1)] }
}

const countOf = (flow: FlowJob): number =>
  (flow.children ?? []).reduce((sum, child) => sum + countOf(child), 1)

const carryingFlow = (span: AgentSpan, flow: FlowJob): FlowJob => ({
  ...flow,
  opts: carrying(span, flow.opts, (flow.children?.length ?? 0) > 0),
  ...(flow.children === undefined
    ? {}
    : { children: flow.children.map((child) => carryingFlow(span, child)) }),
})

/** A copy of the options with the span's identity; what the app has put there stays. A job that repeats is nobody's child. */
function carrying(span: AgentSpan, options: JobOptions | undefined, afterChildren = false): JobOptions {
  const { telemetry } = options ?? {}
  const asked = telemetry?.metadata !== undefined || telemetry?.omitContext === true
  if (options !== undefined && (asked || options.repeat !== undefined)) return options
  const carrier: Record<string, string> = {}
  injectInto(span, objectHeaders(carrier))
  if (afterChildren) carrier[AFTER_CHILDREN] = '1'
  return { ...options, telemetry: { ...telemetry, metadata: JSON.stringify(carrier) } }
}

function beginProcessing(worker: Owner, job: Job): AgentSpan {
  const carrier = carrierOf(job)
  const span = beginIncoming(Kind.Consumer, `process ${worker.name ?? ''}`.trimEnd(), objectHeaders(carrier))
  if (!span.recording) return span
  noteOperation(span, 'process', worker.name)
  if (job.id !== undefined) span.setAttribute(attr.messagingMessageId, job.id)
  if (job.name !== undefined) span.setAttribute(hotspanAttribute.messagingJobName.name, job.name)
  const attempt = (job.attemptsMade ?? 0) + 1
  span.setAttribute(hotspanAttribute.messagingAttempt.name, attempt)
  // From the second attempt on nobody knows since when the job was ready.
  if (attempt === 1 && carrier[AFTER_CHILDREN] === undefined) {
    const readyMs =
      (job.timestamp ?? Number.NaN) + (job.opts?.delay === undefined ? 0 : Number(job.opts.delay))
    const waitMs = (job.processedOn ?? Date.now()) - readyMs
    if (Number.isFinite(waitMs))
      span.setAttribute(hotspanAttribute.messagingQueueWait.name, Math.max(0, waitMs))
  }
  return span
}

function carrierOf(job: Job): Record<string, unknown> {
  const text = job.opts?.telemetry?.metadata
  if (typeof text !== 'string') return {}
  try {
    const carrier: unknown = JSON.parse(text)
    return typeof carrier === 'object' && carrier !== null ? (carrier as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
