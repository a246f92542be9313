import { add } from '../core/add.ts'
import { guard } from '../core/guard.ts'
import { nowMs } from '../core/ids.ts'
import { onHide, whenLoaded } from '../core/lifecycle.ts'
import { navigationTiming } from '../core/navigation.ts'
import { type LargestPaint, recorded } from '../core/observe.ts'
import type { Attributes } from '../core/otlp-json.ts'
import { scrubUrl } from '../core/scrub.ts'
import { selectorOf } from '../core/selector.ts'
import {
  addEvent,
  endSpan,
  INTERNAL,
  type LiveSpan,
  newRef,
  type SpanRef,
  setView,
  startSpan,
  view,
} from '../core/tracer.ts'

/** A resource earns a span of its own by blocking, being the largest paint, failing, being slow or being large. */
const SLOW_MS = 500
const LARGE_BYTES = 250_000
const MAX_SPANS = 40

/** The instants of navigation timing: fetchStart, responseEnd, domInteractive, domComplete, ... */
const PHASE = /(Start|End|ive|ete)$/

type Resource = PerformanceResourceTiming & {
  readonly deliveryType?: string
  readonly renderBlockingStatus?: string
}

/** Zero is "not told" (another origin without Timing-Allow-Origin), neither fast nor small. */
const sizes = ({ encodedBodySize, transferSize }: PerformanceResourceTiming): Attributes =>
  encodedBodySize
    ? { 'http.response.body.size': encodedBodySize, 'hotspan.resource.transfer_size': transferSize }
    : {}

/**
 * The back end's span for this document, from `Server-Timing: traceparent` or `<meta name="traceparent">`. A page from a
 * cache repeats the header of an earlier load and is not believed.
 */
const serverSpan = guard((): SpanRef | undefined => {
  const entry = navigationTiming() as PerformanceNavigationTiming & Resource
  const cached =
    entry.deliveryType || entry.type === 'back_forward' || (entry.responseEnd && !entry.transferSize)
  const text =
    entry.serverTiming.find(({ name }) => name === 'traceparent')?.description ??
    document.querySelector<HTMLMetaElement>('meta[name=traceparent]')?.content
  const [, traceId, spanId] = /^00-([\da-f]{32})-([\da-f]{16})-/.exec(text ?? '') ?? []
  return spanId && !cached ? { traceId: traceId!, spanId } : undefined
})

const resources = guard((root: LiveSpan, largestUrl?: string): void => {
  const rest: Record<string, Attributes> = {}
  let spans = 0
  for (const entry of performance.getEntriesByType('resource') as Resource[]) {
    const { initiatorType, name, responseStatus, encodedBodySize, duration, renderBlockingStatus } = entry
    // Requests of the page's code have spans of their own.
    if (/^(fetch|xml|beacon)/.test(initiatorType)) continue
    const blocking = renderBlockingStatus === 'blocking' || undefined
    const isLargest = name === largestUrl || undefined
    if (
      (blocking ||
        isLargest ||
        responseStatus > 399 ||
        duration >= SLOW_MS ||
        encodedBodySize >= LARGE_BYTES) &&
      spans++ < MAX_SPANS
    )
      endSpan(
        startSpan('resourceFetch', root, entry.startTime, {
          'url.full': scrubUrl(name),
          'http.response.status_code': responseStatus || undefined,
          ...sizes(entry),
          'hotspan.resource.initiator': initiatorType,
          'hotspan.resource.delivery': entry.deliveryType || undefined,
          'hotspan.resource.render_blocking': blocking,
          'hotspan.resource.largest_paint': isLargest,
        }),
        entry.responseEnd,
      )
    else {
      const { hostname } = new URL(name)
      rest[initiatorType + hostname] ??= {
        'hotspan.resource.initiator': initiatorType,
        'server.address': hostname,
      }
      const sums = rest[initiatorType + hostname]!
      add(sums, 'hotspan.resource.count')
      add(sums, 'hotspan.resource.bytes', encodedBodySize)
    }
  }
  for (const attributes of Object.values(rest)) addEvent(root, 'resources', nowMs(), attributes)
})

/** `documentLoad` > `documentFetch`, `resourceFetch`, `domProcessing`; ends early, marked, when the page is hidden before. */
export const pageLoad = (): void => {
  const entry = navigationTiming()
  const { href } = location
  const { activationStart = 0 } = entry
  const server = serverSpan()
  // The load shares the server's trace, and so does whatever the page does of its own accord.
  const ref = newRef(server?.traceId)
  setView(view.route, ref)
  const root = startSpan('documentLoad', null, activationStart, undefined, INTERNAL, ref)
  if (server) root.links.push(server)
  const finish = guard((early?: string) => {
    if (root.ended) return
    Object.assign(root.attributes, {
      'url.full': scrubUrl(href),
      'hotspan.navigation.type': entry.type,
      'hotspan.ended_by': early,
    })
    const { responseEnd, domInteractive, domComplete, loadEventEnd } = entry
    for (const [name, atMs] of Object.entries<number>(entry.toJSON()))
      if (atMs > activationStart && PHASE.test(name)) addEvent(root, name, atMs)
    // What the visitor waited for, as far as it is known now; the vital comes later.
    const largest = recorded<LargestPaint>('largest-contentful-paint').at(-1)
    if (largest)
      addEvent(root, 'largestContentfulPaint', largest.startTime, {
        'hotspan.web_vital.target': selectorOf(largest.element),
        'hotspan.web_vital.url': largest.url ? scrubUrl(largest.url) : undefined,
      })
    const document = startSpan('documentFetch', root, entry.fetchStart, sizes(entry))
    document.links.push(...root.links)
    endSpan(document, responseEnd || nowMs())
    if (domInteractive) endSpan(startSpan('domProcessing', root, responseEnd), domComplete || nowMs())
    resources(root, largest?.url)
    endSpan(root, (!early && loadEventEnd) || nowMs())
  })
  // loadEventEnd is set after the listeners of `load` have run: one task later it can be read.
  whenLoaded(() => setTimeout(finish))
  onHide(() => finish('hide'))
}
