import { parsed, parseTraceParent, usableTraceState } from '../core/trace-parent.ts'
import type { TraceFormat } from './format.ts'

/** W3C Trace Context: `traceparent` and `tracestate`. */
export const traceContext: TraceFormat = {
  fields: ['traceparent', 'tracestate'],
  read(headers) {
    const header = headers.get('traceparent')
    if (header === undefined || !parseTraceParent(header)) return undefined
    const { flags } = parsed
    return {
      ...parsed,
      sampled: (flags & 1) === 1,
      random: (flags & 2) === 2,
      debug: false,
      traceState: usableTraceState(headers.get('tracestate')),
    }
  },
  write({ traceId, spanId, flags, traceState }, headers) {
    headers.set('traceparent', `00-${traceId}-${spanId}-0${flags & 3}`)
    if (traceState !== '') headers.set('tracestate', traceState)
  },
}
