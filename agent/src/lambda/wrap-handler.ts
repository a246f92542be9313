import { performance } from 'node:perf_hooks'
import { attr, hotspanAttribute } from '@hotspan/otlp'
import { flush } from '../agent.ts'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { runtime } from '../core/runtime.ts'
import { type AgentSpan, Kind, Status } from '../core/span.ts'
import { beginSpan, remoteParent, runIn } from '../core/tracer.ts'
import { isDisabled } from '../disabled.ts'
import { fault } from '../faults.ts'
import { errorTypeOf } from '../instrumentations/error-type.ts'
import { incomingHeaders } from '../propagation/propagation.ts'
import { triggerOf } from './trigger.ts'

const NAME = 'lambda'

/** Lambda's own marks of a handler that streams its answer. */
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming')

/** What of Lambda's context object is read. */
export interface LambdaContext {
  readonly functionName?: string
  readonly invokedFunctionArn?: string
  readonly awsRequestId?: string
  getRemainingTimeInMillis?(): number
}

/** Time of the invocation that is left for the answer itself after a flush, ms. */
const LEFT_FOR_ANSWER_MS = 100
/** An invocation that is this near to its time limit is told before it is cut off, ms. */
const BEFORE_LIMIT_MS = 300
const MOST_FLUSH_MS = 3000

let invocations = 0
let initMs = 0

/** What loading and starting the agent took, for the first span. */
export function tookToStart(ms: number): void {
  initMs = ms
}

// biome-ignore lint/suspicious/noExplicitAny: any handler of the app's
type Handler = (...args: any[]) => any

/**
 * Wraps a Lambda handler, whether it returns a promise, takes a callback or streams: a SERVER span per invocation, the context
 * around everything that follows from it, and a flush before the answer is given, because the process is frozen after it.
 */
export function wrapHandler<H extends Handler>(handler: H): H {
  if (isDisabled(process.env)) return handler
  const streams = (handler as unknown as Record<symbol, unknown>)[STREAMING] !== undefined
  const wrapped = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
    const context = (args[streams ? 2 : 1] ?? {}) as LambdaContext
    let span: AgentSpan | undefined
    try {
      span = begin(args[0], context)
    } catch (error) {
      fault(NAME, error)
    }
    if (span === undefined) return call(handler, this, args, streams)
    const traced = span
    const limit = watchLimit(traced, context)
    try {
      const answer = await runIn(traced, () => call(handler, this, args, streams), undefined)
      end(traced, answer, undefined)
      return answer
    } catch (error) {
      end(traced, undefined, error ?? new Error('the handler failed'))
      throw error
    } finally {
      clearTimeout(limit)
      await flush(budgetMs(context))
    }
  }
  for (const mark of Object.getOwnPropertySymbols(handler)) {
    Object.defineProperty(wrapped, mark, Object.getOwnPropertyDescriptor(handler, mark)!)
  }
  return wrapped as unknown as H
}

/** The handler's answer as a promise; one that takes a callback (`(event, context, done)`) gets ours. */
function call(handler: Handler, self: unknown, args: unknown[], streams: boolean): Promise<unknown> {
  if (streams || handler.length < 3) return Promise.resolve(handler.apply(self, args))
  return new Promise((resolve, reject) => {
    const done = (error: unknown, answer: unknown): void => {
      if (error) reject(error)
      else resolve(answer)
    }
    const returned: unknown = handler.call(self, args[0], args[1], done)
    // Some do both; whichever comes first is the answer.
    if (typeof returned === 'object' && returned !== null && 'then' in returned) {
      Promise.resolve(returned).then(resolve, reject)
    }
  })
}

function begin(event: unknown, context: LambdaContext): AgentSpan {
  const startMs = performance.now()
  const trigger = triggerOf(event)
  const { headers } = trigger
  const parent =
    runtime.propagation === null
      ? remoteParent(headers.traceparent, headers.tracestate, headers.baggage, startMs)
      : runtime.propagation.extract(incomingHeaders(headers), startMs).parent
  const name = trigger.spanName ?? context.functionName ?? 'invocation'
  const span = beginSpan(parent, EMPTY_CONTEXT, 0, Kind.Server, name, startMs)
  const cold = invocations++ === 0
  span.setAttributes({
    ...trigger.attributes,
    [attr.faasTrigger]: trigger.kind,
    [attr.faasColdstart]: cold,
  })
  if (cold) span.setAttribute(hotspanAttribute.faasInitTime.name, initMs)
  if (context.awsRequestId !== undefined) span.setAttribute(attr.faasInvocationId, context.awsRequestId)
  const arn = context.invokedFunctionArn
  if (arn !== undefined) {
    span.setAttribute(attr.cloudResourceId, arn)
    const account = arn.split(':')[4]
    if (account !== undefined) span.setAttribute(attr.cloudAccountId, account)
  }
  return span
}

function end(span: AgentSpan, answer: unknown, error: unknown): void {
  try {
    const status = (answer as { statusCode?: unknown } | null | undefined)?.statusCode
    if (typeof status === 'number') {
      span.setAttribute(attr.httpResponseStatusCode, status)
      if (status >= 500) {
        span.setAttribute(attr.errorType, String(status))
        span.setStatus({ code: Status.Error })
      }
    }
    if (error !== undefined) {
      if (error instanceof Error) span.recordException(error)
      span.setAttribute(attr.errorType, errorTypeOf(error))
      span.setStatus({ code: Status.Error, message: error instanceof Error ? error.message : String(error) })
    }
    span.end()
  } catch (ours) {
    fault(NAME, ours)
  }
}

/** Ends and sends the span of an invocation that is about to be cut off: nothing runs after that. */
function watchLimit(span: AgentSpan, context: LambdaContext): NodeJS.Timeout | undefined {
  const remainingMs = context.getRemainingTimeInMillis?.()
  if (remainingMs === undefined || remainingMs <= BEFORE_LIMIT_MS) return undefined
  const timer = setTimeout(() => {
    span.setAttribute(attr.errorType, 'timeout')
    span.setStatus({ code: Status.Error, message: 'the time limit of the invocation was near' })
    span.end()
    void flush(BEFORE_LIMIT_MS)
  }, remainingMs - BEFORE_LIMIT_MS)
  timer.unref()
  return timer
}

function budgetMs(context: LambdaContext): number {
  const remainingMs = context.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY
  return Math.max(0, Math.min(MOST_FLUSH_MS, remainingMs - LEFT_FOR_ANSWER_MS))
}
