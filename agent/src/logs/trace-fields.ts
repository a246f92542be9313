import { performance } from 'node:perf_hooks'
import { active } from '../core/runtime.ts'
import { AgentSpan } from '../core/span.ts'
import { spanOf } from '../core/tracer.ts'

/** The span that a record written now belongs to; undefined outside of one, and where nothing is traced. */
export function spanOfRecord(): AgentSpan | undefined {
  const context = active.getStore()
  if (context === undefined || context instanceof AgentSpan) return context
  return spanOf(context, performance.now()) ?? undefined
}

/** Trace flags as two hex digits, the way the stock instrumentations write them. */
export const flagsText = (span: AgentSpan): string => span.trace.flags.toString(16).padStart(2, '0')

let lastHigh = 0
let lastLow = 0
let lastFields = ''

/** `"trace_id":...,"span_id":...,"trace_flags":...`; a request writes several records, so the last one's is remembered. */
export function jsonFields(span: AgentSpan): string {
  if (span.low !== lastLow || span.high !== lastHigh || lastFields === '') {
    lastHigh = span.high
    lastLow = span.low
    lastFields = `"trace_id":"${span.trace.traceId}","span_id":"${span.spanId}","trace_flags":"${flagsText(span)}"`
  }
  return lastFields
}
