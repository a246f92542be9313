import { type MetricType, onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals'
import { onEventTiming, recentEvents } from '../core/event-timing.ts'
import { guard } from '../core/guard.ts'
import { whenIdle } from '../core/lifecycle.ts'
import { navigationTiming } from '../core/navigation.ts'
import type { Attributes } from '../core/otlp-json.ts'
import { scrubUrl } from '../core/scrub.ts'
import { selectorOf } from '../core/selector.ts'
import { emitEvent, view } from '../core/tracer.ts'

/**
 * What a vital is made of, by the definitions of web-vitals' attribution build, which alone is as large as half of this
 * package. Left out: scripts of slow interactions, which our long frames carry, and the parts of TTFB, which the page load has.
 */
const attribution = guard((vital: MetricType): Attributes => {
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
      const acted = entries.find(({ target }) => target)
      const startMs = Math.min(...entries.map(({ processingStart }) => processingStart))
      const endMs = Math.min(
        startTime + value,
        Math.max(...entries.map(({ processingEnd }) => processingEnd)),
      )
      return {
        'hotspan.web_vital.target': selectorOf(acted?.target),
        'hotspan.web_vital.event': acted?.name,
        'hotspan.web_vital.time': startTime,
        'hotspan.web_vital.input_delay': startMs - startTime,
        'hotspan.web_vital.processing_duration': endMs - startMs,
        'hotspan.web_vital.presentation_delay': startTime + value - endMs,
      }
    }
    case 'CLS': {
      const [largest] = vital.entries.toSorted((a, b) => b.value - a.value)
      return {
        'hotspan.web_vital.target': selectorOf(largest?.sources.find(({ node }) => node)?.node),
        'hotspan.web_vital.time': largest?.startTime,
      }
    }
    default:
      return { 'hotspan.web_vital.time_to_first_byte': firstByteMs }
  }
})

/** LCP, INP, CLS, FCP and TTFB with attribution, as log events of the page load's view. */
export const vitals = (): void => {
  const of = view
  const report = guard((vital: MetricType) => {
    const attributes: Attributes = {
      'browser.web_vital.name': vital.name.toLowerCase(),
      'browser.web_vital.navigation_type': vital.navigationType,
    }
    for (const key of ['value', 'delta', 'id', 'rating'] as const)
      attributes[`browser.web_vital.${key}`] = vital[key]
    emitEvent('browser.web_vital', { ...attributes, ...attribution(vital) }, of.span, false, of)
  })
  onEventTiming(() => {})
  whenIdle(() => {
    for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on(report)
  })
}
