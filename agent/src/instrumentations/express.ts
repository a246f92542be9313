import type { IncomingMessage, ServerResponse } from 'node:http'
import { fault, faultCount } from '../faults.ts'
import { serverSpanOf } from './server-span.ts'
import { type Method, type WrappableClass, wrapMethod } from './wrap-method.ts'

const NAME = 'express'
const MOUNT = Symbol('hotspan.mount')

type Path = string | RegExp | readonly Path[]

interface RoutedRequest extends IncomingMessage {
  baseUrl?: string
  [MOUNT]?: Mount | undefined
}

/** Where a router hangs: what the request has there, and the patterns that it was mounted under. */
interface Mount {
  readonly base: string
  readonly template: string
}

interface Layer {
  handle: Method
}

const count = faultCount(NAME)

/**
 * Express 4 and 5 dispatch a request to a route with its template at hand: the server span takes it there, so that an error,
 * after which Express forgets the mount points, has its route too. No span of its own.
 */
export function instrumentExpress(exports: unknown): void {
  const { Route, Router } = exports as { Route?: WrappableClass; Router?: Partial<WrappableClass> }
  if (Route?.prototype !== undefined) wrapDispatch(Route.prototype)
  // A Router of Express 4 is a function whose prototype is `express.Router` itself.
  const router =
    (Router?.prototype as { use?: unknown } | undefined)?.use === undefined ? Router : Router?.prototype
  if (router !== undefined) wrapUse(router)
}

function wrapDispatch(prototype: object): void {
  wrapMethod(
    prototype,
    'dispatch',
    (original) =>
      function dispatch(this: unknown, ...args: unknown[]): unknown {
        if (!count.off) {
          try {
            const span = serverSpanOf(args[1] as ServerResponse)
            const path = (this as { path?: Path }).path
            if (span?.recording && path !== undefined)
              span.route = joined(templateAt(args[0] as RoutedRequest), text(path))
          } catch (error) {
            fault(NAME, error)
          }
        }
        return original.apply(this, args)
      },
  )
}

/** `baseUrl` has the values that a mount point's pattern matched, so the patterns are noted. */
function wrapUse(router: object): void {
  wrapMethod(
    router,
    'use',
    (original) =>
      function use(this: unknown, ...args: unknown[]): unknown {
        const { stack } = this as { stack?: Layer[] }
        const before = stack?.length ?? 0
        const result = original.apply(this, args)
        try {
          const path = args[0] as Path
          if (stack !== undefined && isPath(path) && path !== '/')
            for (const layer of stack.slice(before)) noteMount(layer, joined('', text(path)))
        } catch (error) {
          fault(NAME, error)
        }
        return result
      },
  )
}

const isPath = (path: unknown): path is Path =>
  typeof path === 'string' ||
  path instanceof RegExp ||
  (Array.isArray(path) && path.length > 0 && path.every(isPath))

const text = (path: Path): string => (Array.isArray(path) ? path.flat(9).map(String).join(',') : String(path))

function noteMount(layer: Layer, pattern: string): void {
  const { handle } = layer
  if (typeof handle !== 'function' || handle.length > 3) return
  const noted = function (this: unknown, request: RoutedRequest, response: unknown, next: Method): unknown {
    const outside = request[MOUNT]
    request[MOUNT] = { base: request.baseUrl ?? '', template: (outside?.template ?? '') + pattern }
    return handle.call(this, request, response, (...args: unknown[]) => {
      request[MOUNT] = outside
      return next(...args)
    })
  }
  Object.defineProperty(noted, 'name', { value: handle.name, configurable: true })
  Object.defineProperty(noted, 'length', { value: handle.length, configurable: true })
  layer.handle = noted as Method
}

/** Templates of the mount points around; a router that was mounted before we watched leaves its `baseUrl`. */
function templateAt(request: RoutedRequest): string {
  const base = request.baseUrl ?? ''
  const mount = request[MOUNT]
  return mount?.base === base ? mount.template : base
}

function joined(base: string, path: string): string {
  const whole = base + path
  return whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole
}
