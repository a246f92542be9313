import { inScope } from './run-query.ts'

/**
 * Subquery over the spans of the scope, each once: a sender that got no answer may have sent a span twice in two different
 * bodies. `columns` are the ones the outer query reads.
 */
export function distinctSpans(columns: readonly string[], condition = '1'): string {
  const wanted = [...new Set(['TraceId', 'SpanId', ...columns])].join(', ')
  return `(SELECT ${wanted} FROM otel_traces WHERE ${inScope} AND (${condition}) LIMIT 1 BY TraceId, SpanId)`
}

/** Sampling weight as the whole number that the weighted quantile functions take. */
export const wholeWeight = 'toUInt64(greatest(1, round(SampleWeight)))'
