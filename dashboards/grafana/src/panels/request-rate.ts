import { timeseriesPanel } from '../panel-defaults.ts'
import { requests } from '../scope-sql.ts'

/** How many requests a second does the service answer, by route? Sampled requests count with their weight. */
export const requestRate = () =>
  timeseriesPanel({
    title: 'Request rate by route',
    description:
      'Requests that the service answered per second. Sampled requests count as many times as they stand for.',
    unit: 'reqps',
    legend: ['mean', 'max'],
    nameFrom: 'route',
    sql: `SELECT $__timeInterval(Timestamp) AS time, route, sum(weight) / $__interval_s AS rate
FROM ${requests}
GROUP BY time, route
ORDER BY time, route`,
  })
