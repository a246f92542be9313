import { onEventTiming, recentEvents } from '../core/event-timing.ts'
import { guard } from '../core/guard.ts'
import { nowMs, randomHex } from '../core/ids.ts'
import { onHide, whenIdle } from '../core/lifecycle.ts'
import { navigationTiming } from '../core/navigation.ts'
import { type LargestPaint, observe, recorded } from '../core/observe.ts'
import type { Attributes } from '../core/otlp-json.ts'
import { scrubUrl } from '../core/scrub.ts'
import { selectorOf } from '../core/selector.ts'
import { emitEvent, type View, view } from '../core/tracer.ts'

/** Good up to the first, poor above the second: web.dev/articles/vitals. */
const THRESHOLDS = {
  lcp: [2500, 4000],
  inp: [200, 500],
  cls: [0.1, 0.25],
  fcp: [1800, 3000],
  ttfb: [800, 1800],
}

/** INP is the 98th percentile: one interaction in 50 is left out. */
const INTERACTIONS_LEFT_OUT = 50
const LONGEST_KEPT = 10
/** The browser tells of no shorter interaction than 16 ms, and rounds to 8. */
const SHORT_MS = 8
/** Layout shifts make one session while they are less than 1 s apart, and 5 s in all. */
const SHIFT_GAP_MS = 1000
const SHIFT_SESSION_MS = 5000

type Name = keyof typeof THRESHOLDS

interface LayoutShift extends PerformanceEntry {
  readonly value: number
  readonly hadRecentInput: boolean
  readonly sources: readonly { readonly node: Node | null }[]
}

interface SoftNavigation extends PerformanceEntry {
  readonly interactionId: number
  readonly presentationTime?: number
  readonly getLargestInteractionContentfulPaint?: () => InteractionPaint | null
}

interface InteractionPaint extends PerformanceEntry {
  readonly interactionId: number
  readonly largestContentfulPaint: LargestPaint | null
}

/** What is measured from one navigation, restore or soft navigation to the next. */
interface Visit {
  readonly of: View
  readonly type: string
  /** Where its time begins. */
  readonly baseMs: number
  readonly firstByteMs: number
  /** Of a soft navigation: later paints that belong to it have the same. */
  readonly interactionId?: number
  /** Interactions that were before it. */
  readonly pastInteractions: number
  /** One entry an interaction, longest first. */
  longest: PerformanceEventTiming[]
  fcpMs?: number | undefined
  lcpMs?: number
  largest?: LargestPaint
  cls: number
  shifts: LayoutShift[]
  worstShifts: LayoutShift[]
  readonly sent: Partial<Record<Name, { readonly id: string; value: number }>>
}

let visit: Visit

const interactionCount = (): number => (performance as { interactionCount?: number }).interactionCount ?? 0

const startVisit = (type: string, baseMs: number, firstByteMs = 0, interactionId?: number): void => {
  visit = {
    of: view,
    type,
    baseMs,
    firstByteMs,
    interactionId: interactionId!,
    pastInteractions: interactionCount(),
    longest: [],
    cls: 0,
    shifts: [],
    worstShifts: [],
    sent: {},
  }
}

/** Sends a value that is new or another than the one that was sent. */
const report = (name: Name, value: number | undefined, attribution: Attributes): void => {
  const { of, type, sent } = visit
  sent[name] ??= { id: randomHex(8), value: Number.NaN }
  const last = sent[name]
  if (value === undefined || value === last.value) return
  const [good, poor] = THRESHOLDS[name] as [number, number]
  emitEvent(
    'browser.web_vital',
    {
      'browser.web_vital.name': name,
      'browser.web_vital.value': value,
      'browser.web_vital.delta': value - (last.value || 0),
      'browser.web_vital.id': last.id,
      'browser.web_vital.rating': value > poor ? 'poor' : value > good ? 'needs-improvement' : 'good',
      'browser.web_vital.navigation_type': type,
      ...attribution,
    },
    of.span,
    false,
    of,
  )
  last.value = value
}

const since = (ms = 0): number => Math.max(0, ms - visit.baseMs)

const reportPaints = guard((): void => {
  const { firstByteMs, fcpMs, lcpMs, largest } = visit
  const firstByte = { 'hotspan.web_vital.time_to_first_byte': firstByteMs }
  report('ttfb', firstByteMs, {})
  report('fcp', fcpMs, firstByte)
  if (!lcpMs) return
  const resource = (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).findLast(
    ({ name }) => name === largest?.url,
  )
  const requestMs = Math.max(firstByteMs, since(resource?.requestStart || resource?.startTime))
  const responseMs = Math.min(lcpMs, Math.max(requestMs, since(resource?.responseEnd)))
  report('lcp', lcpMs, {
    ...firstByte,
    'hotspan.web_vital.target': selectorOf(largest?.element),
    'hotspan.web_vital.url': largest?.url ? scrubUrl(largest.url) : undefined,
    'hotspan.web_vital.resource_load_delay': requestMs - firstByteMs,
    'hotspan.web_vital.resource_load_duration': responseMs - requestMs,
    'hotspan.web_vital.element_render_delay': lcpMs - responseMs,
  })
})

const reportShifts = guard((): void => {
  const largest = visit.worstShifts.toSorted((a, b) => b.value - a.value)[0]
  report('cls', visit.cls, {
    'hotspan.web_vital.target': selectorOf(largest?.sources.find(({ node }) => node)?.node),
    'hotspan.web_vital.time': largest?.startTime,
  })
})

const reportInteraction = guard((): void => {
  const { longest, pastInteractions } = visit
  const count = interactionCount() - pastInteractions
  const slow = longest[Math.min(longest.length - 1, Math.floor(count / INTERACTIONS_LEFT_OUT))]
  if (!slow) {
    report('inp', count > 0 ? SHORT_MS : undefined, {})
    return
  }
  const { interactionId, startTime, duration } = slow
  // The longest entry is often a pointerdown that waited for the click's handler.
  const entries = recentEvents.filter((entry) => entry.interactionId === interactionId).concat(slow)
  const acted = entries.find(({ target }) => target)
  const startMs = Math.min(...entries.map(({ processingStart }) => processingStart))
  const endMs = Math.min(startTime + duration, Math.max(...entries.map(({ processingEnd }) => processingEnd)))
  report('inp', duration, {
    'hotspan.web_vital.target': selectorOf(acted?.target),
    'hotspan.web_vital.event': acted?.name,
    'hotspan.web_vital.time': startTime,
    'hotspan.web_vital.input_delay': startMs - startTime,
    'hotspan.web_vital.processing_duration': endMs - startMs,
    'hotspan.web_vital.presentation_delay': startTime + duration - endMs,
  })
})

/**
 * LCP, INP, CLS, FCP and TTFB with attribution, as log events of their view: of the load, of every return from the
 * back-forward cache and, where the browser tells them, of soft navigations. By the definitions of the `web-vitals` library,
 * whose five functions are a quarter of what this whole package may weigh; a test holds both to the same values.
 */
export const vitals = (): void => {
  const { activationStart = 0, responseStart, type } = navigationTiming()
  // A page that began hidden paints when it is looked at: that is no speed of its own. It may be seen by now.
  let hiddenMs =
    performance
      .getEntriesByType('visibility-state')
      .find(({ name, startTime }) => name === 'hidden' && startTime >= activationStart)?.startTime ??
    (document.hidden ? 0 : Number.POSITIVE_INFINITY)
  startVisit(activationStart ? 'prerender' : type.replace('_', '-'), activationStart)
  visit = { ...visit, firstByteMs: since(responseStart) }
  const load = visit
  const readPaints = guard(() => {
    if (visit !== load) return
    const [first] = performance.getEntriesByName('first-contentful-paint')
    if (first && first.startTime < hiddenMs) visit.fcpMs = since(first.startTime)
    for (const entry of recorded<LargestPaint>('largest-contentful-paint')) paint(entry, entry.startTime)
  })
  const settle = () => {
    readPaints()
    reportPaints()
    reportShifts()
    reportInteraction()
  }
  const paint = (largest: LargestPaint, atMs: number) => {
    if (atMs >= hiddenMs) return
    visit.largest = largest
    visit.lcpMs = since(atMs)
  }
  onEventTiming((entry) => {
    if (!entry.interactionId) return
    const { longest } = visit
    const same = longest.find(({ interactionId }) => interactionId === entry.interactionId)
    if (!same || same.duration < entry.duration)
      visit.longest = [...longest.filter((one) => one !== same), entry]
        .sort((a, b) => b.duration - a.duration)
        .slice(0, LONGEST_KEPT)
  })
  whenIdle(() => {
    observe(
      'layout-shift',
      (shift: LayoutShift) => {
        if (shift.hadRecentInput) return
        const { shifts } = visit
        const goesOn =
          shifts[0] &&
          shift.startTime - shifts.at(-1)!.startTime < SHIFT_GAP_MS &&
          shift.startTime - shifts[0].startTime < SHIFT_SESSION_MS
        visit.shifts = goesOn ? [...shifts, shift] : [shift]
        const sum = visit.shifts.reduce((total, { value }) => total + value, 0)
        if (sum > visit.cls) {
          visit.cls = sum
          visit.worstShifts = visit.shifts
        }
      },
      { buffered: true },
    )
    observe('soft-navigation', (entry: SoftNavigation) => {
      settle()
      startVisit('soft-navigation', entry.startTime, 0, entry.interactionId)
      hiddenMs = Number.POSITIVE_INFINITY
      if (entry.presentationTime) visit.fcpMs = since(entry.presentationTime)
      interactionPaint(entry.getLargestInteractionContentfulPaint?.())
    })
    observe<InteractionPaint>('interaction-contentful-paint', interactionPaint)
  })
  const interactionPaint = (entry: InteractionPaint | null | undefined) => {
    const largest = entry?.largestContentfulPaint
    if (largest && entry.interactionId === visit.interactionId) paint(largest, largest.renderTime)
  }
  addEventListener('pageshow', ({ persisted, timeStamp }) => {
    if (!persisted) return
    startVisit('back-forward-cache', timeStamp)
    hiddenMs = Number.POSITIVE_INFINITY
    // The second frame is the first that the browser has painted for sure.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        visit.lcpMs = visit.fcpMs = since(nowMs())
      }),
    )
  })
  onHide(() => {
    hiddenMs = Math.min(hiddenMs, nowMs())
    settle()
  })
}
