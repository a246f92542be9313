import { type Cause, noteCause } from '../core/cause.ts'
import { onHide } from '../core/lifecycle.ts'
import { scrubUrl } from '../core/scrub.ts'
import { addEvent, endSpan, type LiveSpan, startSpan } from '../core/tracer.ts'
import { componentName, type Fiber, HOST_ROOT, isComponent } from './fiber.ts'

/** Boundaries that show their fallback. */
const waits = new Map<Fiber, LiveSpan>()

/** A boundary that was committed: the span `react.suspense` is the time for which its fallback was shown, with the script that came last. */
export const noteSuspense = (fiber: Fiber, cause: Cause): void => {
  const { alternate, memoizedState } = fiber
  const key = waits.has(fiber) ? fiber : alternate
  const span = key && waits.get(key)
  if (!memoizedState) {
    if (!span) return
    waits.delete(key)
    const chunk = (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).findLast(
      ({ initiatorType, responseEnd }) =>
        /script|other|link/.test(initiatorType) && responseEnd > span.startMs,
    )
    if (chunk) addEvent(span, 'chunk', chunk.startTime, { 'url.full': scrubUrl(chunk.name) })
    endSpan(span)
  } else if (!span && !(memoizedState as { dehydrated?: unknown }).dehydrated) {
    // Markup of the server that still waits to be hydrated shows content, no fallback.
    let owner: Fiber | null = fiber
    while (owner && !isComponent(owner.tag)) owner = owner.return
    const started = startSpan('react.suspense', cause.parent, undefined, {
      'hotspan.react.component': componentName(owner?.type ?? null),
    })
    noteCause(started, cause)
    waits.set(fiber, started)
  }
}

/** Boundaries that went away while they waited: what was taken out of the tree ends below its root. At `hide` all of them. */
export const endWaits = (why: 'hide' | 'unmount'): void => {
  for (const [fiber, span] of waits) {
    let top = fiber
    while (top.return) top = top.return
    if (why === 'unmount' && top.tag === HOST_ROOT) continue
    waits.delete(fiber)
    span.attributes['hotspan.ended_by'] = why
    endSpan(span)
  }
}

onHide(() => endWaits('hide'))
