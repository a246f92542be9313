import type { ServerResponse } from 'node:http'
import { formatTraceParent } from '../core/propagator.ts'
import type { AgentSpan } from '../core/span.ts'
import { fault, faultCount } from '../faults.ts'
import { http } from '../node-modules.ts'

const NAME = 'server-timing'

/** Where the HTTP server instrumentation keeps a response's span. */
export const SPAN_OF_RESPONSE = Symbol('hotspan.span')

/** `number1` of a server span whose request comes from a browser. */
export const FROM_BROWSER = 1

export interface TracedResponse extends ServerResponse {
  [SPAN_OF_RESPONSE]?: AgentSpan | undefined
}

type Headers = Record<string, unknown>

/**
 * Tells a browser which trace served it: `Server-Timing: traceparent;desc="00-..."`. Only on pages and API answers to
 * browsers, and never on what a shared cache may store, or one trace would collect all visitors.
 */
export function installServerTiming(): () => void {
  const prototype = http.ServerResponse.prototype
  const original = prototype.writeHead as (this: ServerResponse, ...args: unknown[]) => ServerResponse
  const count = faultCount(NAME)
  function writeHead(this: TracedResponse, ...args: unknown[]): ServerResponse {
    const span = this[SPAN_OF_RESPONSE]
    if (span !== undefined && !count.off && !this.headersSent) {
      try {
        if (span.number1 === FROM_BROWSER) addHeader(this, span, args)
      } catch (error) {
        fault(NAME, error)
      }
    }
    return original.apply(this, args)
  }
  prototype.writeHead = writeHead as typeof prototype.writeHead
  return () => {
    if (prototype.writeHead === (writeHead as typeof prototype.writeHead)) {
      prototype.writeHead = original as typeof prototype.writeHead
    }
  }
}

function addHeader(response: ServerResponse, span: AgentSpan, args: unknown[]): void {
  const at = typeof args[1] === 'string' ? 2 : 1
  const given = args[at]
  // Raw header lists are left alone: merging them would change which headers of setHeader survive.
  if (Array.isArray(given)) return
  const headers = (given ?? {}) as Headers
  const value = (name: string): string => String(fromObject(headers, name) ?? response.getHeader(name) ?? '')
  if (!mayCarry(value, response.statusCode)) return
  const existing = value('server-timing')
  const own = `traceparent;desc="${formatTraceParent(span)}"`
  const whole = existing === '' ? own : `${existing}, ${own}`
  if (given === undefined || given === null) {
    response.setHeader('server-timing', whole)
    return
  }
  // A copy: the object is the app's and may serve other answers too.
  const copy: Headers = {}
  for (const name of Object.keys(headers)) {
    if (name.toLowerCase() !== 'server-timing') copy[name] = headers[name]
  }
  copy['server-timing'] = whole
  args[at] = copy
}

function fromObject(headers: Headers, name: string): unknown {
  const direct = headers[name]
  if (direct !== undefined) return direct
  for (const key of Object.keys(headers))
    if (key.length === name.length && key.toLowerCase() === name) return headers[key]
  return undefined
}

/** A page or an API answer that no shared cache may store (RFC 9111, 3 and 4.2.2). */
function mayCarry(value: (name: string) => string, status: number): boolean {
  const type = value('content-type').toLowerCase()
  const carries =
    type.startsWith('text/html') || type.startsWith('application/json') || type.includes('+json')
  if (!carries || status === 304) return false
  const control = value('cache-control').toLowerCase()
  if (control.includes('private') || control.includes('no-store')) return true
  if (control.includes('public') || control.includes('s-maxage') || /max-age=\s*"?0*[1-9]/.test(control))
    return false
  if (control.includes('no-cache') || control.includes('max-age')) return true
  // Without a rule a cache may guess a lifetime from these.
  return value('expires') === '' && value('last-modified') === ''
}
