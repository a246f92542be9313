import { performance } from 'node:perf_hooks'
import { attr } from '@hotspan/otlp'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { active } from '../core/runtime.ts'
import { type AgentSpan, Status } from '../core/span.ts'
import { beginSpan, runIn, spanOf } from '../core/tracer.ts'
import { fault } from '../faults.ts'
import { errorTypeOf } from './error-type.ts'
import { isThenable, type Method } from './wrap-method.ts'

/** A span under what is active here; null where nothing may be traced. One that is not sampled still passes its trace on. */
export function beginOperation(kind: number, name: string): AgentSpan | null {
  const startMs = performance.now()
  const context = active.getStore()
  const parent = spanOf(context, startMs)
  if (parent === null) return null
  return beginSpan(parent, context ?? EMPTY_CONTEXT, 0, kind, name, startMs)
}

/** Ends the span, with the error if there is one. A second end does nothing. Never throws. */
export function endOperation(instrumentation: string, span: AgentSpan, error?: unknown): void {
  try {
    if (error !== undefined) {
      span.statusCode = Status.Error
      span.statusMessage = error instanceof Error ? error.message : ''
      span.setAttribute(attr.errorType, errorTypeOf(error))
    }
    const nowMs = performance.now()
    span.endAt(nowMs, nowMs)
  } catch (ours) {
    fault(instrumentation, ours)
  }
}

/**
 * Runs `call` with the span active and ends it with what comes of it, of a promise too; `note` reads the value before. What
 * the caller gets, value, promise or error, is what `call` gives.
 */
export function runOperation(
  instrumentation: string,
  span: AgentSpan,
  call: Method,
  note?: (span: AgentSpan, value: unknown) => void,
): unknown {
  return settled(
    () => runIn(span, call, undefined),
    (value) => {
      try {
        note?.(span, value)
      } catch (error) {
        fault(instrumentation, error)
      }
      endOperation(instrumentation, span)
    },
    (error) => endOperation(instrumentation, span, error),
  )
}

/** Runs `call` and tells how it ends, once; neither of the two may throw. */
export function settled(
  call: Method,
  done: (value: unknown) => void,
  failed: (error: unknown) => void,
): unknown {
  let result: unknown
  try {
    result = call()
  } catch (error) {
    failed(error ?? new Error('failed'))
    throw error
  }
  if (!isThenable(result)) {
    done(result)
    return result
  }
  return result.then(
    (value) => {
      done(value)
      return value
    },
    (error) => {
      failed(error ?? new Error('failed'))
      throw error
    },
  )
}
