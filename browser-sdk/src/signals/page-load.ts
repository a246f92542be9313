import { guard } from '../core/guard.ts'
import { nowMs } from '../core/ids.ts'
import { onHide } from '../core/lifecycle.ts'
import { navigationTiming } from '../core/navigation.ts'
import type { Attributes } from '../core/otlp-json.ts'
import { scrubUrl } from '../core/scrub.ts'
import { endSpan, type LiveSpan, type SpanRef, startSpan, view } from '../core/tracer.ts'

/** A resource earns a span of its own by blocking, being the largest paint, failing, being slow or being large. */
const SLOW_MS = 500
const LARGE_BYTES = 250_000
const MAX_SPANS = 40

const PHASES = [
  'fetchStart',
  'requestStart',
  'responseStart',
  'domInteractive',
  'domContentLoadedEventEnd',
  'domComplete',
  'loadEventEnd',
] as const

/**
 * The back end's span for this document, from `Server-Timing: traceparent` or `<meta name="traceparent">`. A page from a
 * cache repeats the header of an earlier load and is not believed.
 */
export const serverSpan = guard('page-load', (): SpanRef | undefined => {
  const entry = navigationTiming()
  const { deliveryType } = entry as { deliveryType?: string }
  const cached = deliveryType || entry?.type === 'back_forward' || (entry?.responseEnd && !entry.transferSize)
  const text = cached
    ? ''
    : (entry?.serverTiming?.find(({ name }) => name === 'traceparent')?.description ??
      document.querySelector<HTMLMetaElement>('meta[name=traceparent]')?.content)
  const [, traceId, spanId] = /^00-([\da-f]{32})-([\da-f]{16})-/.exec(text ?? '') ?? []
  return traceId && spanId ? { traceId, spanId } : undefined
})

const largestPaintUrl = (): string | undefined => {
  const observer = new PerformanceObserver(() => {})
  observer.observe({ type: 'largest-contentful-paint', buffered: true })
  const url = (observer.takeRecords().at(-1) as { url?: string } | undefined)?.url
  observer.disconnect()
  return url
}

const resources = (root: LiveSpan): void => {
  const largest = largestPaintUrl()
  const rest = new Map<string, { count: number; bytes: number; ms: number }>()
  let spans = 0
  for (const entry of performance.getEntriesByType('resource') as PerformanceResourceTiming[]) {
    const { initiatorType, name, startTime, duration, responseEnd, transferSize, encodedBodySize } = entry
    const { responseStatus, deliveryType, renderBlockingStatus } = entry as {
      responseStatus?: number
      deliveryType?: string
      renderBlockingStatus?: string
    }
    // Requests of the page's code have spans of their own.
    if (/^(fetch|xml|beacon)/.test(initiatorType)) continue
    const blocking = renderBlockingStatus === 'blocking'
    const shown =
      blocking ||
      name === largest ||
      responseStatus! > 399 ||
      duration >= SLOW_MS ||
      encodedBodySize >= LARGE_BYTES
    if (shown && spans++ < MAX_SPANS) {
      const span = startSpan('resourceFetch', root, startTime, {
        'url.full': scrubUrl(name),
        // Zero is "not told" (another origin without Timing-Allow-Origin), not fast or small.
        'http.response.status_code': responseStatus || undefined,
        'http.response.body.size': encodedBodySize || undefined,
        'hotspan.resource.transfer_size': encodedBodySize ? transferSize : undefined,
        'hotspan.resource.initiator': initiatorType,
        'hotspan.resource.delivery': deliveryType || undefined,
        'hotspan.resource.render_blocking': blocking || undefined,
        'hotspan.resource.largest_paint': name === largest || undefined,
      })
      endSpan(span, responseEnd)
    } else {
      const key = `${initiatorType} ${new URL(name).origin}`
      const sum = rest.get(key) ?? { count: 0, bytes: 0, ms: 0 }
      sum.count++
      sum.bytes += encodedBodySize
      sum.ms += duration
      rest.set(key, sum)
    }
  }
  for (const [key, { count, bytes, ms }] of rest)
    root.events.push({
      name: 'resources',
      atMs: nowMs(),
      attributes: {
        'hotspan.resource.initiator': key.split(' ')[0]!,
        'server.address': key.split(' ')[1]!,
        'hotspan.resource.count': count,
        'hotspan.resource.bytes': bytes,
        'hotspan.resource.duration': ms,
      },
    })
}

/** `documentLoad` > `documentFetch`, `resourceFetch`, `domProcessing`; ends early, marked, when the page is hidden before. */
export const pageLoad = (): void => {
  const server = serverSpan()
  const attributes: Attributes = { 'url.full': scrubUrl(location.href) }
  const { activationStart = 0 } = navigationTiming()
  const root = startSpan('documentLoad', null, activationStart, attributes, 1, view.span)
  if (server) root.links.push(server)
  let done: boolean | undefined
  const finish = guard('page-load', (early?: string) => {
    if (done) return
    done = true
    const entry = navigationTiming()
    attributes['hotspan.ended_by'] = early
    attributes['hotspan.navigation.type'] = entry?.type
    if (entry) {
      for (const name of PHASES)
        if (entry[name] > activationStart) root.events.push({ name, atMs: entry[name] })
      for (const { name, startTime } of performance.getEntriesByType('paint'))
        root.events.push({ name, atMs: startTime })
      const { fetchStart, responseEnd, domInteractive, domComplete, transferSize, encodedBodySize } = entry
      const document = startSpan('documentFetch', root, fetchStart, {
        ...attributes,
        'http.response.body.size': encodedBodySize || undefined,
        'hotspan.resource.transfer_size': transferSize,
      })
      if (server) document.links.push(server)
      endSpan(document, responseEnd || nowMs())
      if (domInteractive) endSpan(startSpan('domProcessing', root, responseEnd), domComplete || nowMs())
      guard('page-load', resources)(root)
    }
    endSpan(root, (!early && entry?.loadEventEnd) || nowMs())
  })
  // loadEventEnd is set after the listeners of `load` have run: one task later it can be read.
  const loaded = () => setTimeout(finish)
  if (document.readyState === 'complete') loaded()
  else addEventListener('load', loaded)
  onHide(() => finish('hide'))
}
