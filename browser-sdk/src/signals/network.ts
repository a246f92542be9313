import { findCause, noteCause } from '../core/cause.ts'
import { utf8Bytes } from '../core/chunks.ts'
import { consent } from '../core/consent.ts'
import { guard } from '../core/guard.ts'
import { nowMs } from '../core/ids.ts'
import { onHide } from '../core/lifecycle.ts'
import { observe } from '../core/observe.ts'
import { options } from '../core/options.ts'
import { patch } from '../core/patch.ts'
import { scrubUrl } from '../core/scrub.ts'
import { session } from '../core/session.ts'
import { callSite, framesBelow } from '../core/stack.ts'
import { CLIENT, endSpan, type LiveSpan, startSpan } from '../core/tracer.ts'

/** How long a request with headers waits for its resource entry, which comes with the last byte: streams take their time. */
const ENTRY_WAIT_MS = 30_000

interface Call {
  readonly span: LiveSpan
  /** As resource timing spells it. */
  readonly url: string
  headersMs?: number
  entry?: PerformanceResourceTiming
}

const open = new Set<Call>()

const end = guard((call: Call, endMs: number): void => {
  const { span, entry } = call
  if (!open.delete(call)) return
  span.attributes['http.response.body.size'] = entry?.encodedBodySize || null
  endSpan(span, endMs)
})

/** Still under way, and no longer waited for. */
const cutOff = (call: Call, why: string): void => {
  call.span.attributes['hotspan.ended_by'] = why
  end(call, nowMs())
}

/** Headers have come, or nothing will. */
const settle = guard((call: Call, failure?: unknown, { status }: { readonly status?: number } = {}): void => {
  const { span, entry } = call
  const { attributes } = span
  call.headersMs = nowMs()
  attributes['http.response.status_code'] = status || null
  const name = (failure as Error | undefined)?.name
  if (name === 'AbortError') attributes['hotspan.ended_by'] = 'abort'
  else if (failure || status! > 399) {
    attributes['error.type'] = status ? `${status}` : (name ?? '_OTHER')
    span.status = { code: 2 }
  }
  if (failure || entry) end(call, entry?.responseEnd ?? call.headersMs)
  else setTimeout(cutOff, ENTRY_WAIT_MS, call, 'timeout')
})

/** Told where it costs nothing to know: not of forms and streams. */
const bodyBytes = (body: unknown): number | undefined => {
  const { size, byteLength } = (body ?? {}) as { size?: number; byteLength?: number }
  return typeof body === 'string' || body instanceof URLSearchParams
    ? utf8Bytes(`${body}`)
    : (size ?? byteLength)
}

/** Starts the span of a request and hands the headers that may be added to it to `addHeader`. */
const begin = (
  givenMethod: string,
  rawUrl: string | URL,
  above: (...args: never[]) => unknown,
  body: unknown,
  addHeader: (name: string, value: string) => void,
): Call => {
  const method = givenMethod.toUpperCase()
  const url = new URL(rawUrl, document.baseURI)
  const { origin, hostname, port, protocol, href } = url
  const { sampled, traceState } = session()
  const frames = sampled ? framesBelow(above) : []
  const cause = findCause(frames)
  const span = startSpan(
    method,
    cause.parent,
    nowMs(),
    {
      'http.request.method': method,
      'url.full': scrubUrl(url),
      'server.address': hostname,
      'server.port': +port || (protocol === 'https:' ? 443 : 80),
      'http.request.body.size': bodyBytes(body),
      ...callSite(frames),
    },
    CLIENT,
  )
  noteCause(span, cause)
  const call = { span, url: href.replace(/#.*/, '') }
  open.add(call)
  const propagates = [location.origin, ...(options.propagateTo ?? [])].some((allowed) =>
    typeof allowed === 'string' ? allowed === origin : allowed.test(origin),
  )
  if (propagates && consent === 'granted') {
    addHeader('traceparent', `00-${span.traceId}-${span.spanId}-0${+sampled}`)
    addHeader('tracestate', traceState)
  }
  return call
}

const beginFetch = guard((args: unknown[], above: (...args: never[]) => unknown) => {
  const [input, given] = args as [RequestInfo | URL, RequestInit | null | undefined]
  const init = given ?? {}
  const request = input instanceof Request ? input : undefined
  // Of what is no plain object, or headers that can be read but once, no copy is sure to mean the same.
  const { headers: theirs } = init
  const plain = input && init.constructor === Object && !(theirs as { next?: unknown } | undefined)?.next
  const headers = new Headers(plain ? (theirs ?? request?.headers) : {})
  const refused = !plain || headers.has('traceparent') || (init.mode ?? request?.mode) === 'no-cors'
  let sent = args
  const call = begin(
    `${init.method ?? request?.method ?? 'GET'}`,
    request?.url ?? (input as string),
    above,
    init.body,
    (name, value) => {
      if (refused) return
      headers.set(name, value)
      // A dictionary that inherits the caller's: nothing is read twice and nothing of theirs is changed. An init beside a
      // Request resets its referrer, so that is handed on.
      const { referrer, referrerPolicy } = request ?? {}
      const base = given ?? { referrer, referrerPolicy }
      sent = [input, Object.create(base, { headers: { value: headers } })]
    },
  )
  return { call, sent }
}, true)

const patchFetch = (): void => {
  const apply = (native: (...args: never[]) => unknown, self: unknown, args: unknown[]): unknown => {
    const started = beginFetch(args, apply)
    const promise = Reflect.apply(native, self, started?.sent ?? args) as Promise<Response>
    if (!started || !promise?.then) return promise
    // Whoever listens to a promise handles its rejection: the caller gets the one behind ours, so that a failure which nobody
    // handles is still reported as such, and one that somebody handles is not.
    return promise.then(
      (response) => {
        // Zero is an opaque answer: it came, and that is all that may be known.
        settle(started.call, undefined, response)
        return response
      },
      (error) => {
        settle(started.call, error ?? {})
        throw error
      },
    )
  }
  patch(globalThis, 'fetch', apply)
}

interface XhrState {
  readonly method: string
  readonly url: string
  /** The caller has set a `traceparent`. */
  own?: boolean
  call?: Call
  failure?: string
}

const patchXhr = (): void => {
  const requests = new WeakMap<object, XhrState>()
  // One function, so that an XHR that is used again listens once.
  const onEvent = guard(({ type, target }: Event) => {
    const xhr = target as XMLHttpRequest
    const state = requests.get(xhr)!
    const { call, failure = 'NetworkError' } = state
    if (type === 'abort') state.failure = 'AbortError'
    else if (type === 'timeout') state.failure = 'TimeoutError'
    else settle(call!, xhr.status ? undefined : { name: failure }, xhr)
  })
  const before = (
    key: 'open' | 'send' | 'setRequestHeader',
    given: (xhr: XMLHttpRequest, args: unknown[], above: (...args: never[]) => unknown) => void,
  ) => {
    const note = guard(given, true)
    const apply = (native: (...args: never[]) => unknown, self: unknown, args: unknown[]): unknown => {
      note(self as XMLHttpRequest, args, apply)
      return Reflect.apply(native, self, args)
    }
    patch(XMLHttpRequest.prototype, key, apply)
  }
  before('open', (xhr, [method, url]) => {
    requests.set(xhr, { method: `${method}`, url: `${url}` })
  })
  before('setRequestHeader', (xhr, [name]) => {
    if (/^traceparent$/i.test(`${name}`)) requests.get(xhr)!.own = true
  })
  before('send', (xhr, [body], above) => {
    const state = requests.get(xhr)!
    // Asked before ours is set, which passes by the same patch.
    const { method, url, own, call } = state
    // Sent before: the browser refuses.
    if (call) return
    for (const type of ['abort', 'timeout', 'loadend']) xhr.addEventListener(type, onEvent)
    state.call = begin(method, url, above, body, (name, value) => {
      if (!own) xhr.setRequestHeader(name, value)
    })
  })
}

/** CLIENT spans for fetch and XMLHttpRequest; `traceparent` and `tracestate` to the page's and the listed origins. */
export const network = (): void => {
  guard(patchFetch)()
  guard(patchXhr)()
  observe('resource', (entry: PerformanceResourceTiming) => {
    if (!/^(fetch|xml)/.test(entry.initiatorType)) return
    // Of requests to one URL it is that of the last that began before it. Times are rounded to 0.1 ms.
    const call = [...open].findLast(
      ({ entry: taken, url, span }) =>
        !taken && url === entry.name.replace(/#.*/, '') && span.startMs < entry.startTime + 0.2,
    )
    if (!call) return
    call.entry = entry
    if (call.headersMs) end(call, entry.responseEnd)
  })
  onHide(() => {
    for (const call of open) cutOff(call, 'hide')
  })
}
