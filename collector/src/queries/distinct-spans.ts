import { inScope } from './run-query.ts'

/**
 * Subquery over the spans of the scope, each once: a sender that got no answer may have sent a span twice in two different
 * bodies. Told apart by 64 bits of their ids: half the time of the ids themselves, and two of 10 million spans are taken for one with
 * a probability of 3 in a million. `columns` are the ones the outer query reads.
 */
export function distinctSpans(columns: readonly string[], condition = '1'): string {
  const wanted = [...new Set(['TraceId', 'SpanId', ...columns])].join(', ')
  return `(SELECT ${wanted} FROM otel_traces WHERE ${inScope} AND (${condition}) LIMIT 1 BY cityHash64(TraceId, SpanId))`
}

/** Sampling weight as the whole number that the weighted quantile functions take. */
export const wholeWeight = 'toUInt64(greatest(1, round(SampleWeight)))'
