import { findCause } from '../core/cause.ts'
import { attempt, guard } from '../core/guard.ts'
import type { Attributes } from '../core/otlp-json.ts'
import { scrubText } from '../core/scrub.ts'
import { emitEvent, view } from '../core/tracer.ts'

const MAX_STACK = 8000
const MAX_MESSAGE = 1000
const MAX_PER_VIEW = 50

/** Sends an `exception` event; the same stack once a view, 50 a view. Never throws, whatever was thrown. */
export const recordError = guard((error: unknown, attributes: Attributes = {}): void => {
  if (!view) return
  // Anything can be thrown: without a prototype, with getters that throw, or a symbol.
  const read = (key: keyof Error) =>
    attempt(() => {
      const value = (error as Error)[key]
      return value === undefined ? value : scrubText(String(value))
    })
  const text = read('message') ?? attempt(() => scrubText(String(error))) ?? typeof error
  const stack = read('stack')
  const key = stack ?? text
  const { errors } = view
  if (errors.has(key) || errors.size >= MAX_PER_VIEW) return
  errors.add(key)
  emitEvent(
    'exception',
    {
      'exception.type': read('name') ?? 'Error',
      'exception.message': text.slice(0, MAX_MESSAGE),
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
