import { type Cause, findCause, type Interaction, setCauseFinder } from '../core/cause.ts'
import { guard } from '../core/guard.ts'
import { nowMs } from '../core/ids.ts'
import { onHide } from '../core/lifecycle.ts'
import { selectorOf } from '../core/selector.ts'
import { endSpan, startSpan, view } from '../core/tracer.ts'

/** Slower than this is sent even without a child: 104 ms is the first step of Event Timing above 100 ms. */
const SLOW_MS = 104
const NEAR_MS = 1000
/** A name on the stack proves less the longer the input is past: timers may run the same function. */
const STACK_MS = 10_000
const KEPT = 10

interface Tracked extends Interaction {
  /** Functions seen on the synchronous stack or as React handlers; one at the root of an async stack betrays the cause. */
  readonly handlers: Set<string>
  endMs: number
  touched?: boolean
}

let recent: Tracked[] = []
let active: Tracked | undefined
let reactPropsKey: string | undefined

const track = (name: string, startMs: number, target?: EventTarget | null): Tracked => {
  const tracked: Tracked = {
    ...startSpan(name, null, startMs),
    endMs: startMs,
    handlers: new Set(),
    processingMs: undefined,
    beforeEnd: [],
  }
  recent = [...recent.slice(1 - KEPT), tracked]
  if (target instanceof Element) {
    tracked.attributes['hotspan.interaction.target'] = selectorOf(target)
    const prop = `on${/\w+$/.exec(name)}`
    for (let node: Element | null = target; node; node = node.parentElement) {
      reactPropsKey ??= Object.keys(node).find((key) => key.startsWith('__reactProps$'))
      const props = (node as unknown as Record<string, Record<string, unknown>>)[reactPropsKey!]
      for (const key in props)
        if (key.toLowerCase() === prop) tracked.handlers.add(`${(props[key] as { name?: string })?.name}`)
    }
  }
  return tracked
}

const finish = (tracked: Tracked): void => {
  // Emptied: a child that comes late must not wait for an end that is past.
  for (const run of tracked.beforeEnd.splice(0)) run()
  endSpan(tracked, tracked.endMs)
}

const touch = (tracked: Tracked): Tracked => {
  if (!tracked.touched) {
    tracked.touched = true
    // Below 16 ms no entry comes. After a long task the timer is due before the entry is: give that another turn.
    setTimeout(
      () =>
        setTimeout(
          guard('interactions', () => finish(tracked)),
          300,
        ),
      NEAR_MS,
    )
  }
  return tracked
}

const INPUT = /^((dbl)?click|key|input|change|submit|paste|drop$|(pointer|mouse)(down|up)|touch(start|end))/

const find = (stack = ''): Cause | undefined => {
  const nearest = recent.at(-1)
  const { event } = globalThis as { event?: Event }
  let how: Cause['how'] = 'sync'
  let found = active
  if (active) how = 'action'
  else if (event?.isTrusted && INPUT.test(event.type)) {
    const { type, timeStamp } = event
    found = recent.findLast((tracked) => tracked.startMs === timeStamp)
    // input, change, submit and the like follow a key or a click; a gesture that begins stands for itself.
    if (!found && nearest && !/click|down|start/.test(type) && timeStamp - nearest.startMs < NEAR_MS)
      found = nearest
    found ??= track(`interaction ${type}`, timeStamp, event.target)
    // Until the browser tells when it painted.
    found.endMs = nowMs()
    for (const [, name] of stack.matchAll(/ at (?:async )?(?:\S+\.)?(\S+) \(/g)) found.handlers.add(name!)
  } else {
    how = 'stack'
    // A handler that goes on after `await` is the outermost frame, its own or an async one.
    const root = / at (?:async )?(?:\S+\.)?(\S+) \(.*\s*$/.exec(stack)?.[1]
    found = recent.findLast((tracked) => nowMs() - tracked.startMs < STACK_MS && tracked.handlers.has(root!))
    if (!found) {
      const near = recent.filter((tracked) => tracked.view === view && nowMs() - tracked.startMs < NEAR_MS)
      if (near.length !== 1) return
      return { parent: view.span, how: 'time', link: touch(near[0]!), interaction: near[0]! }
    }
  }
  // Its span has gone out already when `ended`; the ids still hold the trace together.
  return { parent: touch(found!), how, interaction: found! }
}

/** Click, key and other input spans, and the answer to "which interaction caused this?" for everybody else. */
export const interactions = (): void => {
  setCauseFinder(guard('interactions', find))
  const listen = guard('interactions', (event: Event) => {
    if (event.isTrusted) track(`interaction ${event.type}`, event.timeStamp, event.target)
  })
  for (const type of ['click', 'keydown']) addEventListener(type, listen, { capture: true, passive: true })
  const read = guard('interactions', (entries: PerformanceEntryList) => {
    for (const entry of entries as PerformanceEventTiming[]) {
      const tracked = recent.find(
        ({ startMs, name }) => startMs === entry.startTime && name.endsWith(entry.name),
      )
      if (!tracked) continue
      const { startTime, duration, processingStart, processingEnd } = entry
      tracked.endMs = startTime + duration
      tracked.processingMs = processingEnd - processingStart
      tracked.attributes['hotspan.interaction.input_delay'] = processingStart - startTime
      tracked.attributes['hotspan.interaction.processing_time'] = tracked.processingMs
      tracked.attributes['hotspan.interaction.presentation_delay'] = Math.max(
        0,
        tracked.endMs - processingEnd,
      )
      if (tracked.touched || duration >= SLOW_MS) finish(tracked)
    }
  })
  const observer = new PerformanceObserver((list) => read(list.getEntries()))
  observer.observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit)
  onHide(() => {
    read(observer.takeRecords())
    for (const tracked of recent) if (tracked.touched) finish(tracked)
  })
}

/** Runs `work` as a named cause: what it starts synchronously becomes a child of the span `action NAME`. */
export const action = <R>(name: string, work: () => R): R => {
  const outer = active
  active = view && track(`action ${name}`, nowMs())
  try {
    return work()
  } finally {
    if (active) touch(active).endMs = nowMs()
    active = outer
  }
}

/** Keeps today's cause for a callback that runs later: timers, queues, sockets. */
export const bind = <A extends unknown[], R>(work: (...args: A) => R): ((...args: A) => R) => {
  const cause = view && (findCause().interaction as Tracked | undefined)
  return (...args) => {
    const outer = active
    active = cause
    try {
      return work(...args)
    } finally {
      active = outer
    }
  }
}
