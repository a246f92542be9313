import type { Context, Span, SpanOptions, Tracer } from '@opentelemetry/api'
import { Kind } from '../core/span.ts'
import { fault } from '../faults.ts'
import { scrubQuery } from './http-attributes.ts'
import { activeServerSpan } from './server-span.ts'

const NAME = 'next'

/** Scope of the spans that Next.js makes itself. */
export const NEXT_SCOPE = 'next.js'

/** Attributes with whole URLs. */
const URL_ATTRIBUTES = ['http.target', 'http.url']

/**
 * Next.js (13 and newer) makes spans through the API, with the route's template on them: ours takes it while the request is
 * served. What Next makes of kind SERVER and CLIENT beside our spans of the same request becomes INTERNAL, so that no
 * request and no call counts twice, and values of URL queries are scrubbed as everywhere.
 */
export class NextTracer implements Tracer {
  private readonly inner: Tracer

  constructor(inner: Tracer) {
    this.inner = inner
  }

  startSpan(name: string, options?: SpanOptions, context?: Context): Span {
    const adapted = adapt(name, options)
    return this.inner.startSpan(adapted.name, adapted.options, context)
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    optionsOrFn: SpanOptions | F,
    contextOrFn?: Context | F,
    fn?: F,
  ): ReturnType<F> {
    if (typeof optionsOrFn === 'function') return this.inner.startActiveSpan(name, optionsOrFn)
    const { name: adaptedName, options } = adapt(name, optionsOrFn)
    return typeof contextOrFn === 'function'
      ? this.inner.startActiveSpan(adaptedName, options ?? {}, contextOrFn)
      : this.inner.startActiveSpan(adaptedName, options ?? {}, contextOrFn as Context, fn as F)
  }
}

interface Adapted {
  readonly name: string
  readonly options: SpanOptions | undefined
}

function adapt(name: string, options: SpanOptions | undefined): Adapted {
  try {
    const server = activeServerSpan()
    const attributes = options?.attributes
    if (server === undefined || attributes === undefined) return { name, options }
    const route = attributes['next.route'] ?? routeInName(name, attributes['next.span_type'])
    // `/_not-found` and `/_error` are Next's own pages: nobody asked for them.
    if (typeof route === 'string' && route.startsWith('/') && !route.startsWith('/_') && server.recording)
      server.route = route
    return {
      name: scrubbedName(name),
      options: { ...options, kind: Kind.Internal, attributes: scrubbedUrls(attributes) },
    }
  } catch (error) {
    fault(NAME, error)
    return { name, options }
  }
}

/** Handlers of `pages/api` have their route in the name alone. */
const routeInName = (name: string, type: unknown): string | undefined =>
  type === 'Node.runHandler' ? /\(pages\) (\/.*)$/.exec(name)?.[1] : undefined

/** `fetch GET http://host/path?key=value`: the URL is in the attributes. */
const scrubbedName = (name: string): string => name.replace(/^(fetch [A-Z]+) .*/s, '$1')

function scrubbedUrls(attributes: NonNullable<SpanOptions['attributes']>): SpanOptions['attributes'] {
  const scrubbed = { ...attributes }
  for (const key of URL_ATTRIBUTES) {
    const url = scrubbed[key]
    if (typeof url === 'string') scrubbed[key] = scrubbedUrl(url)
  }
  if (typeof scrubbed['next.span_name'] === 'string')
    scrubbed['next.span_name'] = scrubbedName(scrubbed['next.span_name'])
  return scrubbed
}

function scrubbedUrl(url: string): string {
  const question = url.indexOf('?')
  const bare = (question < 0 ? url : url.slice(0, question)).replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1')
  return question < 0 ? bare : `${bare}?${scrubQuery(url.slice(question + 1))}`
}
