import { type Cause, findCause, noteCause } from '../core/cause.ts'
import { guard } from '../core/guard.ts'
import { nowMs } from '../core/ids.ts'
import { onHide } from '../core/lifecycle.ts'
import { options } from '../core/options.ts'
import { patch } from '../core/patch.ts'
import { scrubUrl } from '../core/scrub.ts'
import { session } from '../core/session.ts'
import { callSite, stackBelow } from '../core/stack.ts'
import { CLIENT, endSpan, type LiveSpan, newRef, startSpan, view } from '../core/tracer.ts'

/** How long a request with headers waits for its resource entry, which tells when the body had come. */
const ENTRY_WAIT_MS = 1000

interface Call {
  readonly span: LiveSpan
  /** As resource timing spells it. */
  readonly url: string
  headersMs?: number
  entry?: PerformanceResourceTiming
}

const open = new Set<Call>()

const propagates = (url: URL): boolean =>
  url.origin === location.origin ||
  !!options.propagateTo?.some((allowed) =>
    typeof allowed === 'string' ? allowed === url.origin : allowed.test(url.origin),
  )

const end = guard('network', (call: Call, endMs: number): void => {
  if (!open.delete(call)) return
  const { encodedBodySize } = call.entry ?? {}
  if (encodedBodySize) call.span.attributes['http.response.body.size'] = encodedBodySize
  endSpan(call.span, endMs)
})

const settle = guard('network', (call: Call): void => {
  if (!call.headersMs || !open.has(call)) return
  if (call.entry) end(call, call.entry.responseEnd)
})

const onHeaders = guard('network', (call: Call, status: number): void => {
  call.headersMs = nowMs()
  call.span.attributes['http.response.status_code'] = status || undefined
  if (status > 399) {
    call.span.attributes['error.type'] = `${status}`
    call.span.error = true
  }
  setTimeout(end, ENTRY_WAIT_MS, call, call.headersMs)
  settle(call)
})

const onFailure = guard('network', (call: Call, error: { name?: string } | undefined): void => {
  const type = error?.name ?? typeof error
  if (type === 'AbortError') call.span.attributes['hotspan.ended_by'] = 'abort'
  else {
    call.span.attributes['error.type'] = type
    call.span.error = true
  }
  end(call, nowMs())
})

type Header = readonly [name: string, value: string]

/** Starts the span of a request; the headers are those that may be added to it. */
const begin = (
  method: string,
  rawUrl: string | URL,
  stack: () => string,
): { call: Call; headers: Header[] } => {
  const url = new URL(rawUrl, document.baseURI)
  const { sampled, traceState } = session()
  const trace = sampled ? stack() : ''
  const cause: Cause = sampled ? findCause(trace) : { parent: view.span }
  const ref = newRef(cause.parent.traceId)
  const span = startSpan(
    method,
    cause.parent,
    nowMs(),
    {
      'http.request.method': method,
      'url.full': sampled ? scrubUrl(url.href) : '',
      'server.address': url.hostname,
      'server.port': +url.port || (url.protocol === 'https:' ? 443 : 80),
      ...callSite(trace),
    },
    CLIENT,
    ref,
  )
  noteCause(span, cause)
  const call = { span, url: url.href.replace(/#.*/, '') }
  open.add(call)
  const headers: Header[] = propagates(url)
    ? [
        ['traceparent', `00-${ref.traceId}-${ref.spanId}-0${+sampled}`],
        ['tracestate', traceState],
      ]
    : []
  return { call, headers }
}

const beginFetch = guard('network', (args: unknown[], above: (...args: never[]) => unknown) => {
  // An error of the caller's is the browser's to report.
  if (!args.length) return
  const [input, init] = args as [RequestInfo | URL, RequestInit | undefined]
  const request = input instanceof Request ? input : undefined
  const started = begin(
    (init?.method ?? request?.method ?? 'GET').toUpperCase(),
    request?.url ?? `${input as string}`,
    () => stackBelow(above),
  )
  if (!started.headers.length || (init?.mode ?? request?.mode) === 'no-cors') return { ...started, args }
  const headers = new Headers(init?.headers ?? request?.headers)
  if (headers.has('traceparent')) return { ...started, args }
  for (const [name, value] of started.headers) headers.set(name, value)
  // A dictionary that inherits the caller's: nothing is read twice and nothing of theirs is changed. An init beside a
  // Request resets its referrer, so that is handed on.
  const { referrer, referrerPolicy } = request ?? {}
  const base = init ?? (request ? { referrer, referrerPolicy } : null)
  return { ...started, args: [input, Object.create(base, { headers: { value: headers } })] }
})

const patchFetch = (): void => {
  const apply = (native: (...args: never[]) => unknown, self: unknown, args: unknown[]): unknown => {
    const started = beginFetch(args, apply)
    const promise = Reflect.apply(native, self, started?.args ?? args) as Promise<Response>
    // Our own branch handles its rejection: the caller's stays as unhandled as it was.
    if (started)
      promise.then(
        (response) => onHeaders(started.call, response.status),
        (error) => onFailure(started.call, error),
      )
    return promise
  }
  patch(globalThis, 'fetch', apply)
}

const patchXhr = (): void => {
  const requests = new WeakMap<object, { method: string; url: string | URL; own?: boolean }>()
  const proto = XMLHttpRequest.prototype
  const onOpen = guard('network', (xhr: object, [method, url]: unknown[]) => {
    requests.set(xhr, { method: `${method}`.toUpperCase(), url: `${url}` })
  })
  const onHeader = guard('network', (xhr: object, [name]: unknown[]) => {
    if (`${name}`.toLowerCase() === 'traceparent') requests.get(xhr)!.own = true
  })
  const onSend = guard('network', (xhr: XMLHttpRequest, above: (...args: never[]) => unknown) => {
    const known = requests.get(xhr)
    if (!known) return
    const { call, headers } = begin(known.method, known.url, () => stackBelow(above))
    if (!known.own) for (const [name, value] of headers) xhr.setRequestHeader(name, value)
    let failure: string | undefined
    for (const type of ['error', 'abort', 'timeout'])
      xhr.addEventListener(type, () => {
        failure = type === 'abort' ? 'AbortError' : type
      })
    xhr.addEventListener('loadend', () =>
      failure ? onFailure(call, { name: failure }) : onHeaders(call, xhr.status),
    )
  })
  const before = <K extends 'open' | 'send' | 'setRequestHeader'>(
    key: K,
    note: (xhr: XMLHttpRequest, args: unknown[], above: (...args: never[]) => unknown) => void,
  ) => {
    const apply = (native: (...args: never[]) => unknown, self: unknown, args: unknown[]): unknown => {
      note(self as XMLHttpRequest, args, apply)
      return Reflect.apply(native, self, args)
    }
    patch(proto, key, apply)
  }
  before('open', onOpen)
  before('setRequestHeader', onHeader)
  before('send', (xhr, _args, above) => onSend(xhr, above))
}

/** CLIENT spans for fetch and XMLHttpRequest; `traceparent` and `tracestate` to the page's and the listed origins. */
export const network = (): void => {
  guard('network', patchFetch)()
  guard('network', patchXhr)()
  const read = guard('network', (entries: PerformanceEntryList) => {
    for (const entry of entries as PerformanceResourceTiming[]) {
      if (!/^(fetch|xml)/.test(entry.initiatorType)) continue
      for (const call of open)
        if (
          !call.entry &&
          call.url === entry.name.replace(/#.*/, '') &&
          entry.startTime >= call.span.startMs - 1
        ) {
          call.entry = entry
          settle(call)
          break
        }
    }
  })
  const observer = new PerformanceObserver((list) => read(list.getEntries()))
  onHide(() => {
    read(observer.takeRecords())
    for (const call of open) {
      if (!call.headersMs) call.span.attributes['hotspan.ended_by'] = 'hide'
      end(call, call.headersMs ?? nowMs())
    }
  })
  observer.observe({ type: 'resource' })
}
