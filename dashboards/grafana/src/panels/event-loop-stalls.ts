import { attr, hotspanAttribute } from '@hotspan/otlp'
import { tablePanel, timeseriesPanel } from '../panel-defaults.ts'
import { SERVICE, tableOf } from '../scope-sql.ts'

/** Spans that the agent writes when the event loop did not turn for 50 ms or more. */
const stalls = `(
  SELECT Timestamp, TraceId, SpanId, Duration / 1e6 AS ms, SpanAttributes AS a
  FROM ${tableOf('otel_traces')}
  WHERE $__timeFilter(Timestamp) AND ServiceName = ${SERVICE} AND SpanName = 'event_loop.stall'
  LIMIT 1 BY TraceId, SpanId
)`

/** How long was the event loop blocked? */
export const eventLoopStalls = () =>
  timeseriesPanel({
    title: 'Event loop blocked',
    description:
      'Share of wall time in which the event loop did not turn for at least 50 ms: nothing else ran then. Over 100 % means several processes.',
    unit: 'percentunit',
    style: 'bars',
    legend: ['mean', 'max'],
    sql: `SELECT $__timeInterval(Timestamp) AS time, sum(ms) / 1000 / $__interval_s AS "blocked share"
FROM ${stalls}
GROUP BY time
ORDER BY time`,
  })

/** What blocked it? */
export const stallingFunctions = (traceUrl: string | undefined) =>
  tablePanel({
    title: 'Functions that block the event loop',
    description: `Where the profiler found the loop during stalls (${hotspanAttribute.stallDuration.name}). Empty names: no profile of that stall.`,
    unit: 'ms',
    columns: {
      function: { widthPx: 240 },
      file: { widthPx: 320 },
      stalls: { unit: 'short', decimals: 0 },
      'blocked time': { unit: 'ms', decimals: 0 },
      longest: { unit: 'ms', decimals: 0 },
      'longest trace': { widthPx: 280, url: traceUrl, linkTitle: 'Open the trace' },
    },
    sql: `SELECT a['${attr.codeFunctionName}'] AS function, a['${attr.codeFilePath}'] AS file, count() AS stalls,
  sum(ms) AS "blocked time", max(ms) AS longest, argMax(TraceId, ms) AS "longest trace"
FROM ${stalls}
GROUP BY function, file
ORDER BY "blocked time" DESC
LIMIT 20`,
  })
