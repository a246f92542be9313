import { performance } from 'node:perf_hooks'
import { attr } from '@hotspan/otlp'
import { EMPTY_CONTEXT } from '../core/linked-context.ts'
import { active } from '../core/runtime.ts'
import { type AgentSpan, Status } from '../core/span.ts'
import { beginSpan, spanOf } from '../core/tracer.ts'
import { fault } from '../faults.ts'
import { errorTypeOf } from './error-type.ts'

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
