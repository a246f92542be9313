import type { ServerResponse } from 'node:http'
import { fault, faultCount } from '../faults.ts'
import { activeServerSpan, serverSpanOf } from './server-span.ts'
import { wrapMethod } from './wrap-method.ts'

const NAME = 'hono'
/** Hono's own mark of a handler that it has wrapped for a sub-app's error handler. */
const COMPOSED = '__COMPOSED_HANDLER'

type Handler = ((...args: unknown[]) => unknown) & { [COMPOSED]?: Handler }

interface HonoContext {
  env?: { outgoing?: ServerResponse }
}

const count = faultCount(NAME)
const noted = new WeakSet<object>()

/**
 * Hono hands each handler with its whole path to `router.add`. There a handler that answers (not middleware) is wrapped, to
 * tell the server span its route. No span of its own. Takes the exports of Hono's entries and of its routers.
 */
export function instrumentHono(exports: unknown): void {
  for (const value of Object.values(exports as Record<string, unknown>)) {
    if (typeof value !== 'function') continue
    const prototype = value.prototype as { add?: unknown; match?: unknown; route?: unknown } | undefined
    if (prototype === undefined) continue
    if (typeof prototype.add === 'function') wrapAdd(prototype)
    else if (typeof prototype.route === 'function') {
      const { router } = new (value as { new (): { router?: object } })()
      if (router !== undefined) wrapAdd(Object.getPrototypeOf(router))
    }
  }
}

function wrapAdd(prototype: object): void {
  wrapMethod(
    prototype,
    'add',
    (original) =>
      function add(this: unknown, ...args: unknown[]): unknown {
        try {
          args[2] = noting(args[0], args[1], args[2])
        } catch (error) {
          fault(NAME, error)
        }
        return original.apply(this, args)
      },
  )
}

/** The pair of handler and route with the handler wrapped. A router that tries others hands it on: once is enough. */
function noting(method: unknown, path: unknown, entry: unknown): unknown {
  if (!Array.isArray(entry) || typeof entry[0] !== 'function' || noted.has(entry)) return entry
  const handler = entry[0] as Handler
  if (method === 'ALL' && (handler[COMPOSED] ?? handler).length > 1) return entry
  const route = String(path)
  const wrapped: Handler = function (this: unknown, context: unknown, next: unknown): unknown {
    if (!count.off) {
      try {
        const span = serverSpanOf((context as HonoContext).env?.outgoing) ?? activeServerSpan()
        if (span?.recording) span.route = route
      } catch (error) {
        fault(NAME, error)
      }
    }
    return handler.call(this, context, next)
  }
  if (handler[COMPOSED] !== undefined) wrapped[COMPOSED] = handler[COMPOSED]
  Object.defineProperty(wrapped, 'name', { value: handler.name, configurable: true })
  Object.defineProperty(wrapped, 'length', { value: handler.length, configurable: true })
  const copy = [wrapped, ...entry.slice(1)]
  noted.add(copy)
  return copy
}
