import { tablePanel } from '../panel-defaults.ts'
import { percentiles, requests } from '../scope-sql.ts'

/** Where does the service's time go, by route? Ordered by total time, because a rare slow route matters less. */
export const slowestRoutes = (traceUrl: string | undefined) =>
  tablePanel({
    title: 'Routes by total time',
    description:
      'Total time is requests times duration: the top row is where the service spends most. The trace is the slowest one seen.',
    unit: 'ms',
    columns: {
      route: { widthPx: 280 },
      requests: { unit: 'short', decimals: 0 },
      'error ratio': { unit: 'percentunit', decimals: 2 },
      p50: { unit: 'ms', decimals: 1 },
      p95: { unit: 'ms', decimals: 1 },
      p99: { unit: 'ms', decimals: 1 },
      'total time': { unit: 'ms', decimals: 0 },
      share: { unit: 'percentunit', decimals: 1 },
      'slowest trace': { widthPx: 280, url: traceUrl, linkTitle: 'Open the trace' },
    },
    sql: `SELECT route, requests, errors / requests AS "error ratio", q[1] AS p50, q[2] AS p95, q[3] AS p99,
  total AS "total time", total / sum(total) OVER () AS share, slowest AS "slowest trace"
FROM (
  SELECT route, sum(weight) AS requests, sumIf(weight, StatusCode = 'Error') AS errors,
    ${percentiles('ms', 'weight', [0.5, 0.95, 0.99])} AS q, sum(ms * weight) AS total, argMax(TraceId, ms) AS slowest
  FROM ${requests}
  GROUP BY route
)
ORDER BY total DESC
LIMIT 20`,
  })
