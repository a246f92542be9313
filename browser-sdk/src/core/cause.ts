import type { Frame } from './stack.ts'
import { type LiveSpan, type SpanRef, view } from './tracer.ts'

/** Something of the user's that other work hangs on; its span is sent when it has a child or was slow. */
export interface Interaction extends LiveSpan {
  /** Run just before the interaction's span ends. */
  readonly beforeEnd: (() => void)[]
}

export interface Cause {
  readonly parent: SpanRef
  /** How the parent or the link was found; absent when the view stands in. */
  readonly how?: 'sync' | 'stack' | 'time' | 'action'
  /** Set for `time`: near in time is no proof, so it is linked and does not become the parent. */
  readonly link?: SpanRef
  readonly interaction?: Interaction
}

let finder: ((frames?: readonly Frame[]) => Cause | undefined) | undefined

/** The interactions signal answers here; without it the view is the cause of everything. */
export const setCauseFinder = (find: typeof finder): void => {
  finder = find
}

export const findCause = (frames?: readonly Frame[]): Cause => finder?.(frames) ?? { parent: view.span }

/** Notes on the span how its cause was found. */
export const noteCause = (span: LiveSpan, cause: Cause): void => {
  span.attributes['hotspan.cause'] = cause.how
  if (cause.link) span.links.push({ traceId: cause.link.traceId, spanId: cause.link.spanId })
}
