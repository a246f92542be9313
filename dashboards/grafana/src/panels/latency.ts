import { timeseriesPanel } from '../panel-defaults.ts'
import { percentiles, requests } from '../scope-sql.ts'

/** How long do requests take? All chosen routes together: p50, p95 and p99. */
export const latency = () =>
  timeseriesPanel({
    title: 'Latency p50, p95, p99',
    description:
      'Percentiles of the duration of the chosen requests, weighted by sampling. Measured in the server.',
    unit: 'ms',
    legend: ['mean', 'max'],
    sql: `SELECT time, q[1] AS p50, q[2] AS p95, q[3] AS p99
FROM (
  SELECT $__timeInterval(Timestamp) AS time, ${percentiles('ms', 'weight', [0.5, 0.95, 0.99])} AS q
  FROM ${requests}
  GROUP BY time
)
ORDER BY time`,
  })

/** Which route became slow, and when? */
export const latencyByRoute = () =>
  timeseriesPanel({
    title: 'Latency p95 by route',
    description:
      '95th percentile of the duration of each route, weighted by sampling. Measured in the server.',
    unit: 'ms',
    legend: ['mean', 'max'],
    nameFrom: 'route',
    sql: `SELECT time, route, q[1] AS p95
FROM (
  SELECT $__timeInterval(Timestamp) AS time, route, ${percentiles('ms', 'weight', [0.95])} AS q
  FROM ${requests}
  GROUP BY time, route
)
ORDER BY time, route`,
  })
