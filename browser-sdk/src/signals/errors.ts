import { findCause } from '../core/cause.ts'
import { guard } from '../core/guard.ts'
import type { Attributes } from '../core/otlp-json.ts'
import { emitEvent, view } from '../core/tracer.ts'

const MAX_STACK = 8000
const MAX_MESSAGE = 1000
const MAX_PER_VIEW = 50

/** Sends an `exception` event; the same stack once a view, 50 a view. Never throws, whatever was thrown. */
export const recordError = guard((error: unknown, attributes: Attributes = {}): void => {
  if (!view) return
  const { name, message, stack } = (error ?? {}) as Partial<Error>
  const text = `${message ?? error}`.slice(0, MAX_MESSAGE)
  const key = stack ?? text
  const { errors } = view
  if (errors.has(key) || errors.size >= MAX_PER_VIEW) return
  errors.add(key)
  emitEvent(
    'exception',
    {
      'exception.type': name ?? 'Error',
      'exception.message': text,
      'exception.stacktrace': stack?.slice(0, MAX_STACK),
      ...attributes,
    },
    findCause().parent,
    true,
  )
})

/** Uncaught errors and unhandled rejections. */
export const errors = (): void => {
  addEventListener('error', ({ error, message }) => recordError(error ?? message))
  addEventListener('unhandledrejection', ({ reason }) => recordError(reason))
}
