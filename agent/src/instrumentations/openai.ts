import { attr, hotspanAttribute } from '@hotspan/otlp'
import { type AgentSpan, Kind } from '../core/span.ts'
import { runIn } from '../core/tracer.ts'
import { fault, faultCount } from '../faults.ts'
import { noteRequest, noteResult } from './openai-attributes.ts'
import { beginOperation, endOperation } from './operation-span.ts'
import { isThenable, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'openai'

interface Resource {
  _client?: { baseURL?: string }
}

/** The client's own promise: the answer is parsed only when somebody asks for it. */
interface ApiPromise extends Promise<unknown> {
  responsePromise?: Promise<unknown>
  parseResponse?: (...args: unknown[]) => Promise<unknown>
  asResponse?: () => Promise<unknown>
  _thenUnwrap?: (transform: unknown) => unknown
}

interface ApiStream {
  iterator?: () => AsyncIterator<unknown>
  controller?: AbortController
}

interface Classes {
  Chat?: { Completions?: WrappableClass }
  Completions?: WrappableClass
  Responses?: WrappableClass
  Embeddings?: WrappableClass
}

const count = faultCount(NAME)

/**
 * A CLIENT span per call of a model through the `openai` package, whoever answers it, from the call to the answer or to the
 * end of its stream. The HTTP requests of the call, retries too, are its children. Neither prompts nor answers are captured.
 */
export function instrumentOpenai(exports: unknown): void {
  const { OpenAI, default: main } = exports as { OpenAI?: Classes; default?: Classes }
  const classes = OpenAI ?? main
  if (classes === undefined) return
  wrapCreate(classes.Chat?.Completions, 'chat')
  wrapCreate(classes.Responses, 'chat')
  wrapCreate(classes.Completions, 'text_completion')
  wrapCreate(classes.Embeddings, 'embeddings')
}

function wrapCreate(type: WrappableClass | undefined, operation: string): void {
  if (type?.prototype === undefined) return
  wrapMethod(
    type.prototype,
    'create',
    (original) =>
      function create(this: unknown, ...args: unknown[]): unknown {
        const span = count.off ? null : begin(this as Resource, operation, args[0])
        if (span === null) return original.apply(this, args)
        let result: unknown
        try {
          result = runIn(span, () => original.apply(this, args), undefined)
        } catch (error) {
          endOperation(NAME, span, error)
          throw error
        }
        try {
          follow(result, span)
        } catch (error) {
          fault(NAME, error)
        }
        return result
      },
  )
}

function begin(resource: Resource, operation: string, body: unknown): AgentSpan | null {
  try {
    const request = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
    const model = typeof request.model === 'string' ? request.model : ''
    const span = beginOperation(Kind.Client, model === '' ? operation : `${operation} ${model}`)
    if (span === null || !span.recording) return null
    span.setAttribute(attr.genAiOperationName, operation)
    noteRequest(span, request, resource._client?.baseURL)
    return span
  } catch (error) {
    fault(NAME, error)
    return null
  }
}

/**
 * Watches the answer being parsed, without asking for it: the promise of another client, or of a later version without these
 * fields, is waited for.
 */
function follow(result: unknown, span: AgentSpan): void {
  const promise = result as ApiPromise
  const { responsePromise, parseResponse, asResponse } = promise
  if (!isThenable(responsePromise) || typeof parseResponse !== 'function') {
    if (isThenable(result)) result.then(...settled(span))
    else endOperation(NAME, span)
    return
  }
  let parsed = false
  promise.parseResponse = async (...args) => {
    parsed = true
    const [answered, failed] = settled(span)
    try {
      const value = await parseResponse.apply(promise, args)
      answered(value)
      return value
    } catch (error) {
      failed(error)
      throw error
    }
  }
  responsePromise.then(undefined, settled(span)[1])
  const { _thenUnwrap: unwrap } = promise
  // Helpers hand on a promise that is derived from this one; since version 7 it does not parse through it.
  if (Object.hasOwn(promise, '_thenUnwrap') && typeof unwrap === 'function') {
    promise._thenUnwrap = (transform) => {
      const derived = unwrap.call(promise, transform)
      follow(derived, span)
      return derived
    }
  }
  if (typeof asResponse !== 'function') return
  promise.asResponse = () => {
    const raw = asResponse.call(promise)
    // Whoever takes only the raw response reads its body unseen.
    raw.then(
      () => {
        if (!parsed) endOperation(NAME, span)
      },
      () => {},
    )
    return raw
  }
}

const settled = (span: AgentSpan) =>
  [
    (value: unknown): void => {
      try {
        if (isStream(value)) followStream(value, span)
        else {
          noteResult(span, value)
          endOperation(NAME, span)
        }
      } catch (error) {
        fault(NAME, error)
      }
    },
    (error: unknown): void => endOperation(NAME, span, error ?? new Error('failed')),
  ] as const

const isStream = (value: unknown): value is ApiStream & { iterator: () => AsyncIterator<unknown> } =>
  typeof (value as ApiStream | null)?.iterator === 'function'

/** Ends the span with the stream: read to its end, broken off, aborted or failed. */
function followStream(stream: ApiStream & { iterator: () => AsyncIterator<unknown> }, span: AgentSpan): void {
  const { iterator, controller } = stream
  let chunks = 0
  let waiting = 0
  const breakOff = (): void => {
    // Whoever waits for a chunk hears it too, and knows better: a stream that fails is aborted by the client itself.
    if (waiting > 0) return
    span.setAttribute(hotspanAttribute.endedBy.name, 'abort')
    endOperation(NAME, span)
  }
  controller?.signal.addEventListener('abort', breakOff, { once: true })
  const finish = (error?: unknown): void => {
    controller?.signal.removeEventListener('abort', breakOff)
    endOperation(NAME, span, error)
  }
  const note = (chunk: unknown): void => {
    try {
      if (chunks++ === 0) {
        const seconds = (performance.now() - span.startMs) / 1000
        span.setAttribute(attr.genAiResponseTimeToFirstChunk, seconds)
      }
      noteResult(span, chunk)
    } catch (error) {
      fault(NAME, error)
    }
  }
  stream.iterator = function (this: unknown) {
    const source = iterator.call(this)
    const watched: AsyncIterableIterator<unknown> = {
      async next() {
        let step: IteratorResult<unknown>
        waiting++
        try {
          step = await source.next()
        } catch (error) {
          finish(error ?? new Error('failed'))
          throw error
        } finally {
          waiting--
        }
        if (step.done !== true) note(step.value)
        else if (controller?.signal.aborted === true) breakOff()
        else finish()
        return step
      },
      async return(value) {
        if (!span.ended) breakOff()
        return source.return === undefined ? { done: true, value } : source.return(value)
      },
      async throw(error) {
        finish(error)
        if (source.throw === undefined) throw error
        return source.throw(error)
      },
      [Symbol.asyncIterator]() {
        return watched
      },
    }
    return watched
  }
}
