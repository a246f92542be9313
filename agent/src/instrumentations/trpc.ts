import { attr } from '@hotspan/otlp'
import { type AgentSpan, Kind, Status } from '../core/span.ts'
import { runIn } from '../core/tracer.ts'
import { fault, faultCount } from '../faults.ts'
import { beginOperation, endOperation } from './operation-span.ts'
import { activeServerSpan } from './server-span.ts'
import { wrapMethod } from './wrap-method.ts'

const NAME = '@trpc/server'

interface Call {
  readonly path?: string
  readonly type?: string
  /** One function for all middleware of a call. */
  readonly getRawInput?: unknown
  next(): Promise<Result>
}

type Result = { ok?: boolean; error?: { code?: unknown; message?: unknown; cause?: unknown } } | undefined

interface ProcedureBuilder {
  use?: (middleware: (call: Call) => Promise<Result>) => unknown
}

const count = faultCount(NAME)
const begun = new WeakSet<object>()

/**
 * `{type} {procedure}` for every call of a procedure, several per request when the client batches them, through a middleware
 * that stands before those of the app. The request's route ends in the procedure's name, or in `:batch`.
 */
export function instrumentTrpc(exports: unknown): void {
  const { initTRPC } = exports as { initTRPC?: object }
  if (initTRPC === undefined) return
  wrapMethod(
    Object.getPrototypeOf(initTRPC) as object,
    'create',
    (original) =>
      function create(this: unknown, ...args: unknown[]): unknown {
        const root = original.apply(this, args) as { procedure?: ProcedureBuilder }
        try {
          if (typeof root.procedure?.use === 'function')
            root.procedure = root.procedure.use(traced) as ProcedureBuilder
        } catch (error) {
          fault(NAME, error)
        }
        return root
      },
  )
}

async function traced(call: Call): Promise<Result> {
  const span = count.off ? null : begin(call)
  if (span === null) return call.next()
  try {
    const result = await runIn(span, () => call.next(), undefined)
    finish(span, result)
    return result
  } catch (error) {
    endOperation(NAME, span, error)
    throw error
  }
}

function begin({ path = '', type = '', getRawInput }: Call): AgentSpan | null {
  try {
    // Builders that were put together from two have our middleware twice.
    if (typeof getRawInput === 'function') {
      if (begun.has(getRawInput)) return null
      begun.add(getRawInput)
    }
    const server = activeServerSpan()
    if (server?.recording) noteRoute(server, path)
    const span = beginOperation(Kind.Internal, `${type} ${path}`.trim())
    span?.setAttribute(attr.rpcSystemName, 'trpc').setAttribute(attr.rpcMethod, path)
    return span
  } catch (error) {
    fault(NAME, error)
    return null
  }
}

/** `text1` is the URL as it came. Adapters hang under a wildcard, which says nothing. */
function noteRoute(server: AgentSpan, procedure: string): void {
  const question = server.text1.indexOf('?')
  const path = question < 0 ? server.text1 : server.text1.slice(0, question)
  const slash = path.lastIndexOf('/')
  const called = path.slice(slash + 1)
  if (called === procedure) server.route = path
  else if (called.includes(',') || called.includes('%2C')) server.route = `${path.slice(0, slash)}/:batch`
}

/** Errors of the client's own doing are told as such, by code, and are no errors of the server. */
function finish(span: AgentSpan, result: Result): void {
  try {
    if (result?.ok === false) {
      const { code, message } = result.error ?? {}
      const name = typeof code === 'string' ? code : 'UNKNOWN'
      span.setAttribute(attr.rpcResponseStatusCode, name)
      if (name.startsWith('INTERNAL') || name === 'UNKNOWN' || SERVER_FAULTS.has(name)) {
        span.setAttribute(attr.errorType, name)
        span.setStatus({ code: Status.Error, message: typeof message === 'string' ? message : '' })
      }
    }
  } catch (error) {
    fault(NAME, error)
  }
  endOperation(NAME, span)
}

const SERVER_FAULTS = new Set(['NOT_IMPLEMENTED', 'BAD_GATEWAY', 'SERVICE_UNAVAILABLE', 'GATEWAY_TIMEOUT'])
