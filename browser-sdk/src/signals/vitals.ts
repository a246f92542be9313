import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals/attribution'
import { guard } from '../core/guard.ts'
import { whenIdle } from '../core/lifecycle.ts'
import type { Attributes } from '../core/otlp-json.ts'
import { scrubUrl } from '../core/scrub.ts'
import { emitEvent, view } from '../core/tracer.ts'

interface Vital {
  readonly name: string
  readonly value: number
  readonly delta: number
  readonly id: string
  readonly rating: string
  readonly navigationType: string
  readonly attribution: object
}

const report = guard('vitals', (vital: Vital, of: typeof view) => {
  const attributes: Attributes = {
    'browser.web_vital.name': vital.name.toLowerCase(),
    'browser.web_vital.value': vital.value,
    'browser.web_vital.delta': vital.delta,
    'browser.web_vital.id': vital.id,
    'browser.web_vital.rating': vital.rating,
    'browser.web_vital.navigation_type': vital.navigationType,
  }
  // Plain values only: entries and elements stay here.
  for (const [key, value] of Object.entries(vital.attribution))
    if (/string|number/.test(typeof value))
      attributes[`hotspan.web_vital.${key.replace(/[A-Z]+/g, (capitals) => `_${capitals.toLowerCase()}`)}`] =
        key === 'url' ? scrubUrl(value) : value
  emitEvent('browser.web_vital', attributes, of.span, false, of)
})

/** LCP, INP, CLS, FCP and TTFB with attribution, as log events of the page load's view. */
export const vitals = (): void => {
  const first = view
  whenIdle(() => {
    for (const on of [onCLS, onFCP, onINP, onLCP, onTTFB]) on((vital: Vital) => report(vital, first))
  })
}
