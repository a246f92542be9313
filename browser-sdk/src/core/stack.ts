import type { Attributes } from './otlp-json.ts'

/** The caller's stack without ours: everything from `below` upwards is cut off. V8 only, elsewhere empty; about 10 us. */
export const stackBelow = (below: (...args: never[]) => unknown): string => {
  const holder: { stack?: string } = {}
  ;(Error as { captureStackTrace?: (holder: object, below: unknown) => void }).captureStackTrace?.(
    holder,
    below,
  )
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
