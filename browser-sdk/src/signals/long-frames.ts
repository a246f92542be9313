import { guard } from '../core/guard.ts'
import { whenIdle } from '../core/lifecycle.ts'
import { endSpan, startSpan, type View, view } from '../core/tracer.ts'

const BLOCKING_MS = 50
const MAX_PER_VIEW = 20
const MAX_SCRIPTS = 5

interface ScriptTiming extends PerformanceEntry {
  readonly invoker: string
  readonly sourceURL: string
  readonly sourceFunctionName: string
  readonly sourceCharPosition: number
  readonly forcedStyleAndLayoutDuration: number
}

interface LongFrame extends PerformanceEntry {
  readonly blockingDuration: number
  readonly renderStart: number
  readonly scripts: readonly ScriptTiming[]
}

/** Frames that blocked the main thread for 50 ms and more, with their five longest scripts. Chromium only. */
export const longFrames = (): void => {
  let of: View
  let sent = 0
  const read = guard('long-frames', (frame: LongFrame) => {
    if (of !== view) {
      of = view
      sent = 0
    }
    if (frame.blockingDuration < BLOCKING_MS || sent++ >= MAX_PER_VIEW) return
    const span = startSpan('longAnimationFrame', view.span, frame.startTime, {
      'hotspan.long_frame.blocking': frame.blockingDuration,
    })
    for (const script of [...frame.scripts].sort((a, b) => b.duration - a.duration).slice(0, MAX_SCRIPTS))
      span.events.push({
        name: 'script',
        atMs: script.startTime,
        attributes: {
          'hotspan.long_frame.script.invoker': script.invoker,
          'hotspan.long_frame.script.duration': script.duration,
          'hotspan.long_frame.script.forced_layout': script.forcedStyleAndLayoutDuration,
          'code.function.name': script.sourceFunctionName || undefined,
          'code.file.path': script.sourceURL.replace(/^\w+:\/\/[^/]+|[?#].*/g, '') || undefined,
          'hotspan.long_frame.script.position': script.sourceCharPosition,
        },
      })
    endSpan(span, frame.startTime + frame.duration)
  })
  whenIdle(() => {
    new PerformanceObserver((list) => {
      for (const frame of list.getEntries()) read(frame as LongFrame)
    }).observe({ type: 'long-animation-frame', buffered: true })
  })
}
