import type { ServerResponse } from 'node:http'
import { fault, faultCount } from '../faults.ts'
import { serverSpanOf } from './server-span.ts'

const NAME = 'koa'
const MATCHED = Symbol('hotspan.matched')

interface KoaContext {
  res: ServerResponse
  path: string
  originalUrl: string
  matched?: readonly { path: unknown; methods: readonly string[] }[]
  [MATCHED]?: unknown
}

const count = faultCount(NAME)
const patched = new WeakSet<object>()

/**
 * `@koa/router` and `koa-router` leave the template of the matched route in `ctx._matchedRoute`. All contexts inherit from
 * one object: there the name becomes a pair of accessors that hands it to the server span. No span of its own.
 */
export function instrumentKoa(exports: unknown): void {
  const Application = ((exports as { default?: unknown }).default ?? exports) as {
    new (): { context: object }
  }
  if (typeof Application !== 'function') return
  const base = Object.getPrototypeOf(new Application().context) as object
  if (patched.has(base)) return
  patched.add(base)
  Object.defineProperty(base, '_matchedRoute', {
    configurable: true,
    enumerable: false,
    get(this: KoaContext) {
      return this[MATCHED]
    },
    set(this: KoaContext, value: unknown) {
      this[MATCHED] = value
      if (count.off) return
      try {
        note(this, value)
      } catch (error) {
        fault(NAME, error)
      }
    },
  })
}

function note(context: KoaContext, value: unknown): void {
  // Middleware of a router has a path too, but no method: that is not what was asked for.
  const layer = context.matched?.find(({ path, methods }) => path === value && methods.length > 0)
  if (context.matched !== undefined && layer === undefined) return
  const span = serverSpanOf(context.res)
  if (!span?.recording || (typeof value !== 'string' && !(value instanceof RegExp))) return
  span.route = mountOf(context) + String(value)
}

/** Prefix that `koa-mount` has cut off. */
function mountOf({ originalUrl, path }: KoaContext): string {
  const question = originalUrl.indexOf('?')
  const whole = question < 0 ? originalUrl : originalUrl.slice(0, question)
  return whole.length > path.length && whole.endsWith(path) ? whole.slice(0, whole.length - path.length) : ''
}
