import { wholeWeight } from './distinct-spans.ts'

const sixths = [0, 1, 2, 3, 4, 5]
const ofSixths = (what: (isIn: string) => string): string =>
  `[${sixths.map((i) => what(`cityHash64(TraceId) % ${sixths.length} = ${i}`)).join(', ')}]`

/** Columns of a part of the answer: of some raw spans, or of a sealed bucket. */
export const statementColumns =
  'Service, System, Statement, Summary, Spans, Calls, Errors, TotalNs, MaxNs, Minutes, InnerTraces, OuterTraces, Durations, SlowNs, SlowTraces, SomeTraces'

/** What `statementParts` reads of a span. */
export const statementSource = [
  'TraceId',
  'ServiceName',
  'DbSystem',
  'DbStatement',
  'DbSummary',
  'StatusCode',
  'Duration',
  'SampleWeight',
  'Timestamp',
]

/**
 * Figures of each statement in a source of spans, in a form that can be added up; sealed buckets and what is read raw are made by it alike. Traces
 * that may also be in another part (`isOuter`) are kept by their hash, the others are a number. Slow traces are the one with the slowest call of
 * each sixth of the traces: a sixth of the CPU of sorting all calls, and the slowest of all is among them.
 */
export function statementParts(source: string, isOuter: string): string {
  return `SELECT ServiceName AS Service, any(DbSystem) AS System, DbStatement AS Statement, any(DbSummary) AS Summary, count() AS Spans,
  sum(SampleWeight) AS Calls, sumIf(SampleWeight, StatusCode = 'Error') AS Errors, sum(SampleWeight * Duration) AS TotalNs, max(Duration) AS MaxNs,
  uniqExact(toStartOfMinute(Timestamp)) AS Minutes, uniqExactIf(cityHash64(TraceId), NOT (${isOuter})) AS InnerTraces,
  uniqExactStateIf(cityHash64(TraceId), ${isOuter}) AS OuterTraces, quantilesTDigestWeightedState(0.5, 0.95, 0.99)(Duration, ${wholeWeight}) AS Durations,
  ${ofSixths((isIn) => `maxIf(Duration, ${isIn})`)} AS SlowNs, ${ofSixths((isIn) => `argMaxIf(TraceId, Duration, ${isIn})`)} AS SlowTraces,
  groupUniqArray(10)(TraceId) AS SomeTraces
FROM ${source} GROUP BY ServiceName, DbStatement`
}
