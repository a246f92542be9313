import type { Attributes } from './otlp-json.ts'

/** What V8 tells of a frame. */
export interface Frame {
  getFunctionName(): string | null
  getScriptNameOrSourceURL(): string | null | undefined
  getLineNumber(): number
  getColumnNumber(): number
}

interface StackTraces {
  prepareStackTrace?: unknown
  readonly captureStackTrace?: (holder: object, below: unknown) => void
}

/**
 * The caller's frames without ours, as many as the page's `Error.stackTraceLimit` (10) says: everything from `below` upwards is cut
 * off. V8 only, elsewhere none, and none where the page has frozen `Error`. Not as a text, which has the place of each frame: V8
 * reads a function again to find its lines.
 */
export const framesBelow = (below: (...args: never[]) => unknown): readonly Frame[] => {
  const holder: { stack?: unknown } = {}
  const v8 = Error as StackTraces
  try {
    const { prepareStackTrace } = v8
    v8.prepareStackTrace = (_: unknown, frames: unknown) => frames
    v8.captureStackTrace?.(holder, below)
    // It is made when it is read, by the formatter of that moment.
    const { stack } = holder
    v8.prepareStackTrace = prepareStackTrace
    if (Array.isArray(stack)) return stack
  } catch {}
  return []
}

/** Path of a script's URL. */
export const filePath = (url: string): string | null => url.replace(/^\w+:\/\/[^/]+|[?#].*/g, '') || null

/** File (path of the script's URL), line and function of the first frame that has a file: those of the browser have none. */
export const callSite = (frames: readonly Frame[]): Attributes | undefined => {
  for (const frame of frames) {
    const url = frame.getScriptNameOrSourceURL()
    if (url)
      return {
        'code.function.name': frame.getFunctionName(),
        'code.file.path': filePath(url),
        'code.line.number': frame.getLineNumber(),
        'code.column.number': frame.getColumnNumber(),
      }
  }
  return
}
