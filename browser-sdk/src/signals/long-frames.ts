import { whenIdle } from '../core/lifecycle.ts'
import { observe } from '../core/observe.ts'
import { filePath } from '../core/stack.ts'
import { addEvent, endSpan, startSpan, view } from '../core/tracer.ts'

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

/** Without scripts it is a long task, which is all that other browsers tell. */
interface LongFrame extends PerformanceEntry {
  readonly blockingDuration?: number
  readonly scripts?: readonly ScriptTiming[]
}

/** Frames that blocked the main thread for 50 ms and more, with their five longest scripts; elsewhere long tasks without any. */
export const longFrames = (): void => {
  const read = (frame: LongFrame) => {
    const { startTime, duration, blockingDuration = duration - BLOCKING_MS, scripts = [] } = frame
    if (blockingDuration < BLOCKING_MS || ++view.longFrames > MAX_PER_VIEW) return
    const span = startSpan('longAnimationFrame', view.span, startTime, {
      'hotspan.long_frame.blocking': blockingDuration,
    })
    for (const script of scripts.toSorted((a, b) => b.duration - a.duration).slice(0, MAX_SCRIPTS))
      addEvent(span, 'script', script.startTime, {
        'hotspan.long_frame.script.invoker': script.invoker,
        'hotspan.long_frame.script.duration': script.duration,
        'hotspan.long_frame.script.forced_layout': script.forcedStyleAndLayoutDuration,
        // Chromium blames whoever called the browser's fetch: our patch, which stands before every caller.
        ...(script.invoker !== 'Window.fetch.then' && {
          'code.function.name': script.sourceFunctionName || undefined,
          'code.file.path': filePath(script.sourceURL),
          'hotspan.long_frame.script.position': script.sourceCharPosition,
        }),
      })
    endSpan(span, startTime + duration)
  }
  const type = 'long-animation-frame'
  const known = PerformanceObserver.supportedEntryTypes.includes(type)
  whenIdle(() => observe(known ? type : 'longtask', read, { buffered: true }))
}
