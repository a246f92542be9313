import { tablePanel } from '../panel-defaults.ts'
import { percentiles, SERVICE, tableOf } from '../scope-sql.ts'

/** Which statements cost most? Statements are grouped by the engine's normalised text, so literals do not split them. */
export const slowestStatements = (traceUrl: string | undefined) =>
  tablePanel({
    title: 'Statements by total time',
    description:
      'Database statements of the service, literals removed. Time is as the service saw it, the network included.',
    unit: 'ms',
    columns: {
      statement: { widthPx: 520 },
      system: { widthPx: 110 },
      calls: { unit: 'short', decimals: 0 },
      mean: { unit: 'ms', decimals: 2 },
      p95: { unit: 'ms', decimals: 2 },
      'total time': { unit: 'ms', decimals: 0 },
      'slowest trace': { widthPx: 280, url: traceUrl, linkTitle: 'Open the trace' },
    },
    sql: `SELECT statement, system, calls, total / calls AS mean, q[1] AS p95, total AS "total time", slowest AS "slowest trace"
FROM (
  SELECT statement, any(system) AS system, sum(weight) AS calls, sum(ms * weight) AS total,
    ${percentiles('ms', 'weight', [0.95])} AS q, argMax(TraceId, ms) AS slowest
  FROM (
    SELECT TraceId, SpanId, DbStatement AS statement, DbSystem AS system, Duration / 1e6 AS ms, SampleWeight AS weight
    FROM ${tableOf('otel_traces')}
    WHERE $__timeFilter(Timestamp) AND ServiceName = ${SERVICE} AND DbStatement != ''
    LIMIT 1 BY TraceId, SpanId
  )
  GROUP BY statement
)
ORDER BY total DESC
LIMIT 20`,
  })
