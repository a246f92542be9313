import { performance } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'
import { attr } from '@hotspan/otlp'
import { SPAN_KEY } from '../core/context-keys.ts'
import { active } from '../core/runtime.ts'
import { AgentSpan, Status } from '../core/span.ts'
import { errorTypeOf } from '../instrumentations/error-type.ts'
import type { Endpoint } from '../send/post.ts'
import type { SpanQueue } from '../send/span-queue.ts'
import { sendBeforeDeath } from './last-words.ts'

/**
 * An uncaught error: the spans in which it was thrown end with it. When nobody handles it, the process is about to die
 * without another turn of its loop, and what waits is sent by a process of its own. Only watches: Node prints and exits as
 * it does without us. Returns a function that ends the watch.
 */
export function watchCrash(queue: SpanQueue, endpoint: Endpoint, deadlineMs: number): () => void {
  const onUncaught = (error: unknown): void => {
    try {
      endSpansOf(error)
      if (isMainThread && process.listenerCount('uncaughtException') === 0) {
        sendBeforeDeath(queue, endpoint, deadlineMs)
      }
    } catch {
      // The app's error is the one that counts.
    }
  }
  process.on('uncaughtExceptionMonitor', onUncaught)
  return () => process.off('uncaughtExceptionMonitor', onUncaught)
}

/** The active span and those around it, innermost first. */
function endSpansOf(error: unknown): void {
  const nowMs = performance.now()
  let span = active.getStore()?.getValue(SPAN_KEY)
  let first = true
  while (span instanceof AgentSpan && !span.remote) {
    if (!span.ended && span.recording) {
      if (first && error instanceof Error) span.recordException(error)
      first = false
      span.setAttribute(attr.errorType, errorTypeOf(error))
      span.setStatus({ code: Status.Error, message: error instanceof Error ? error.message : String(error) })
      span.endAt(nowMs, nowMs)
    }
    span = span.parentContext.getValue(SPAN_KEY)
  }
}
