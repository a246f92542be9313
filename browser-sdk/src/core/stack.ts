import type { Attributes } from './otlp-json.ts'

/** V8's own default. */
const FRAMES = 10

/**
 * The caller's stack without ours: everything from `below` upwards is cut off. V8 only, elsewhere empty. A page that starts pays
 * for every frame, for V8 reads a function again to find its lines: `frames` says how many are needed.
 */
export const stackBelow = (below: (...args: never[]) => unknown, frames = FRAMES): string => {
  const holder: { stack?: string } = {}
  const v8 = Error as {
    stackTraceLimit?: number
    captureStackTrace?: (holder: object, below: unknown) => void
  }
  const { stackTraceLimit: limit } = v8
  try {
    v8.stackTraceLimit = frames
    v8.captureStackTrace?.(holder, below)
    v8.stackTraceLimit = limit!
  } catch {}
  return holder.stack ?? ''
}

/** Path of a script's URL. */
export const filePath = (url: string): string | undefined =>
  url.replace(/^\w+:\/\/[^/]+|[?#].*/g, '') || undefined

/** File (path of the script's URL), line and function of the first frame. */
export const callSite = (stack: string): Attributes => {
  const [, name, url, line, column] = /^ +at (?:async )?(?:(.+?) \()?(\S+?):(\d+):(\d+)/m.exec(stack) ?? []
  return url
    ? {
        'code.function.name': name,
        'code.file.path': filePath(url),
        'code.line.number': +line!,
        'code.column.number': +column!,
      }
    : {}
}
