import { type Cause, findCause, type Interaction, setCauseFinder } from '../core/cause.ts'
import { onEventTiming } from '../core/event-timing.ts'
import { guard } from '../core/guard.ts'
import { nowMs } from '../core/ids.ts'
import { onHide } from '../core/lifecycle.ts'
import { selectorOf } from '../core/selector.ts'
import type { Frame } from '../core/stack.ts'
import { endSpan, startSpan, view } from '../core/tracer.ts'

/** Slower than this is sent even without a child: 104 ms is the first step of Event Timing above 100 ms. */
const SLOW_MS = 104
const NEAR_MS = 1000
/** A name on the stack proves less the longer the input is past: timers may run the same function. */
const STACK_MS = 10_000
const KEPT = 10

interface Tracked extends Interaction {
  /** Functions seen on the synchronous stack; one at the root of an async stack betrays the cause. */
  readonly handlers: (string | null)[]
  endMs: number
  touched?: boolean
}

let recent: Tracked[] = []
let active: Tracked | undefined

const track = (name: string, startMs: number, target?: EventTarget | null): Tracked => {
  const tracked: Tracked = {
    ...startSpan(name, null, startMs),
    endMs: startMs,
    handlers: [],
    beforeEnd: [],
  }
  recent = [...recent.slice(1 - KEPT), tracked]
  tracked.attributes['hotspan.interaction.target'] = selectorOf(target)
  return tracked
}

const finish = guard((tracked: Tracked): void => {
  // Emptied: a child that comes late must not wait for an end that is past.
  for (const run of tracked.beforeEnd.splice(0)) run()
  endSpan(tracked, tracked.endMs)
})

const touch = (tracked: Tracked): Tracked => {
  if (!tracked.touched) {
    tracked.touched = true
    // Below 16 ms no entry comes. After a long task the timer is due before the entry is: give that another turn.
    setTimeout(setTimeout, NEAR_MS, finish, 300, tracked)
  }
  return tracked
}

const INPUT = /^(click|key|input|change|submit|(pointer|mouse)(down|up)|touch(start|end))/

const find = (frames: readonly Frame[] = []): Cause | undefined => {
  const functions = frames.map((frame) => frame.getFunctionName())
  const { event } = globalThis as { event?: Event }
  let how: Cause['how'] = 'sync'
  let found = active
  if (active) how = 'action'
  else if (event?.isTrusted && INPUT.test(event.type)) {
    const { type, timeStamp, target } = event
    // input, change, submit and the like follow a key or a click; a gesture that begins stands for itself.
    const follows = !/click|down|start/.test(type)
    found =
      recent.findLast(({ startMs }) => startMs === timeStamp || (follows && timeStamp - startMs < NEAR_MS)) ??
      track(`interaction ${type}`, timeStamp, target)
    // Until the browser tells when it painted. What follows, such as a key that is let go, is not its end.
    if (found.startMs === timeStamp) found.endMs = nowMs()
    found.handlers.push(...functions)
  } else {
    how = 'stack'
    // A handler that goes on after `await` is the outermost frame, its own or an async one.
    const root = functions.at(-1)
    found = recent.findLast(
      ({ startMs, handlers }) => root && nowMs() - startMs < STACK_MS && handlers.includes(root),
    )
    if (!found) {
      const near = recent.filter((tracked) => tracked.view === view && nowMs() - tracked.startMs < NEAR_MS)
      if (near.length !== 1) return
      return { parent: view.span, how: 'time', link: touch(near[0]!), interaction: near[0]! }
    }
  }
  // Its span may have gone out already; the ids still hold the trace together.
  return { parent: touch(found!), how, interaction: found! }
}

/** Click, key and other input spans, and the answer to "which interaction caused this?" for everybody else. */
export const interactions = (): void => {
  setCauseFinder(guard(find))
  const listen = guard((event: Event) => {
    if (event.isTrusted) track(`interaction ${event.type}`, event.timeStamp, event.target)
  })
  for (const type of ['click', 'keydown']) addEventListener(type, listen, true)
  const read = ({ name, startTime, duration, processingStart, processingEnd }: PerformanceEventTiming) => {
    const tracked = recent.find((one) => one.startMs === startTime && one.name.endsWith(name))
    if (!tracked) return
    tracked.endMs = startTime + duration
    tracked.attributes['hotspan.interaction.input_delay'] = processingStart - startTime
    tracked.attributes['hotspan.interaction.processing_time'] = processingEnd - processingStart
    tracked.attributes['hotspan.interaction.presentation_delay'] = Math.max(0, tracked.endMs - processingEnd)
    if (tracked.touched || duration >= SLOW_MS) finish(tracked)
  }
  onEventTiming(read)
  onHide(() => {
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
