import type { EventEmitter } from 'node:events'
import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api'
import { active } from './runtime.ts'
import { runIn } from './tracer.ts'

const LISTENER_METHODS = ['addListener', 'on', 'once', 'prependListener', 'prependOnceListener'] as const

/** The API's context manager over the one AsyncLocalStorage. */
export class AgentContextManager implements ContextManager {
  active(): Context {
    return active.getStore() ?? ROOT_CONTEXT
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return runIn(context, () => fn.apply(thisArg as never, args), undefined)
  }

  bind<T>(context: Context, target: T): T {
    if (typeof target === 'function') return bindFunction(context, target as never) as T
    if (isEmitter(target)) bindEmitter(context, target)
    return target
  }

  enable(): this {
    return this
  }

  disable(): this {
    active.disable()
    return this
  }
}

const isEmitter = (target: unknown): target is EventEmitter =>
  typeof target === 'object' && target !== null && typeof (target as EventEmitter).on === 'function'

function bindFunction<T extends (...args: unknown[]) => unknown>(context: Context, fn: T): T {
  const bound = function (this: unknown, ...args: unknown[]) {
    return runIn(context, () => fn.apply(this, args), undefined)
  }
  Object.defineProperty(bound, 'length', { value: fn.length, configurable: true })
  Object.defineProperty(bound, 'name', { value: fn.name, configurable: true })
  return bound as T
}

type Listener = (...args: unknown[]) => void

/** Listeners that are added from now on run in `context`. Removing one works by the function that was given. */
function bindEmitter(context: Context, emitter: EventEmitter): void {
  const boundOf = new WeakMap<Listener, Listener>()
  const methods = emitter as unknown as Record<
    string,
    (event: string | symbol, listener: Listener) => EventEmitter
  >
  // `once` of Node calls `this.on`: what is bound already must not be bound again.
  let inside = false
  for (const method of LISTENER_METHODS) {
    const original = methods[method]
    if (original === undefined) continue
    methods[method] = function (this: EventEmitter, event, listener) {
      if (inside || typeof listener !== 'function') return original.call(this, event, listener)
      let bound = boundOf.get(listener)
      if (bound === undefined) {
        bound = bindFunction(context, listener)
        boundOf.set(listener, bound)
      }
      inside = true
      try {
        return original.call(this, event, bound)
      } finally {
        inside = false
      }
    }
  }
  for (const method of ['removeListener', 'off'] as const) {
    const original = methods[method]
    if (original === undefined) continue
    methods[method] = function (this: EventEmitter, event, listener) {
      return original.call(this, event, boundOf.get(listener) ?? listener)
    }
  }
}
