import { type MetricType, onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals'
import { guard } from '../core/guard.ts'
import { whenIdle } from '../core/lifecycle.ts'
import { navigationTiming } from '../core/navigation.ts'
import type { Attributes } from '../core/otlp-json.ts'
import { scrubUrl } from '../core/scrub.ts'
import { selectorOf } from '../core/selector.ts'
import { emitEvent, view } from '../core/tracer.ts'

/** Event entries cannot be asked for later; the interaction that counts is among the last of them or long past. */
const KEPT_EVENTS = 200
let recentEvents: PerformanceEventTiming[] = []

const handlersMs = (entry: PerformanceEventTiming): number => entry.processingEnd - entry.processingStart

/**
 * What a vital is made of, by the definitions of web-vitals' attribution build, which alone is as large as half of this
 * package. Left out there: scripts of slow interactions, which our long frames carry.
 */
const attribution = (vital: MetricType): Attributes => {
  const navigation = navigationTiming()
  const { activationStart = 0 } = navigation
  const sinceActivation = (ms = 0) => Math.max(0, ms - activationStart)
  const firstByteMs = sinceActivation(navigation.responseStart)
  const { value } = vital
  switch (vital.name) {
    case 'LCP': {
      const entry = vital.entries.at(-1)
      const resource = (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).findLast(
        ({ name }) => name === entry?.url,
      )
      const requestMs = Math.max(firstByteMs, sinceActivation(resource?.requestStart || resource?.startTime))
      const responseMs = Math.min(value, Math.max(requestMs, sinceActivation(resource?.responseEnd)))
      return {
        'hotspan.web_vital.target': selectorOf(entry?.element),
        'hotspan.web_vital.url': entry?.url ? scrubUrl(entry.url) : undefined,
        'hotspan.web_vital.time_to_first_byte': firstByteMs,
        'hotspan.web_vital.resource_load_delay': requestMs - firstByteMs,
        'hotspan.web_vital.resource_load_duration': responseMs - requestMs,
        'hotspan.web_vital.element_render_delay': value - responseMs,
      }
    }
    case 'INP': {
      // The vital carries the longest entries only, often a pointerdown that waited for the click's handler.
      const [{ interactionId, startTime }] = vital.entries as [PerformanceEventTiming]
      const entries = recentEvents
        .filter((entry) => entry.interactionId === interactionId)
        .concat(vital.entries)
      const startMs = Math.min(...entries.map(({ processingStart }) => processingStart))
      const endMs = Math.min(
        startTime + value,
        Math.max(...entries.map(({ processingEnd }) => processingEnd)),
      )
      return {
        'hotspan.web_vital.target': selectorOf(entries.find(({ target }) => target)?.target),
        'hotspan.web_vital.event': [...entries].sort((a, b) => handlersMs(b) - handlersMs(a))[0]!.name,
        'hotspan.web_vital.time': startTime,
        'hotspan.web_vital.input_delay': startMs - startTime,
        'hotspan.web_vital.processing_duration': endMs - startMs,
        'hotspan.web_vital.presentation_delay': startTime + value - endMs,
      }
    }
    case 'CLS': {
      const [largest] = [...vital.entries].sort((a, b) => b.value - a.value)
      return {
        'hotspan.web_vital.target': selectorOf(largest?.sources.find(({ node }) => node)?.node),
        'hotspan.web_vital.time': largest?.startTime,
        'hotspan.web_vital.shift': largest?.value,
      }
    }
    case 'FCP':
      return { 'hotspan.web_vital.time_to_first_byte': firstByteMs }
    default: {
      const dnsMs = sinceActivation(navigation.domainLookupStart)
      const requestMs = sinceActivation(navigation.connectEnd)
      return {
        'hotspan.web_vital.waiting_duration': dnsMs,
        'hotspan.web_vital.connection_duration': requestMs - dnsMs,
        'hotspan.web_vital.request_duration': firstByteMs - requestMs,
      }
    }
  }
}

/** LCP, INP, CLS, FCP and TTFB with attribution, as log events of the page load's view. */
export const vitals = (): void => {
  const of = view
  const report = guard('vitals', (vital: MetricType) =>
    emitEvent(
      'browser.web_vital',
      {
        'browser.web_vital.name': vital.name.toLowerCase(),
        'browser.web_vital.value': vital.value,
        'browser.web_vital.delta': vital.delta,
        'browser.web_vital.id': vital.id,
        'browser.web_vital.rating': vital.rating,
        'browser.web_vital.navigation_type': vital.navigationType,
        ...guard('vitals', attribution)(vital),
      },
      of.span,
      false,
      of,
    ),
  )
  whenIdle(() => {
    new PerformanceObserver((list) => {
      recentEvents = [...recentEvents, ...(list.getEntries() as PerformanceEventTiming[])].slice(-KEPT_EVENTS)
    }).observe({ type: 'event', durationThreshold: 40, buffered: true } as PerformanceObserverInit)
    for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(report)
  })
}
