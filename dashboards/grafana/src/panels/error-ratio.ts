import { timeseriesPanel } from '../panel-defaults.ts'
import { requests } from '../scope-sql.ts'

/** Which share of the requests failed? For servers the conventions set the status `Error` from HTTP 500 on. */
export const errorRatio = () =>
  timeseriesPanel({
    title: 'Error ratio',
    description:
      'Share of requests whose span ended with status Error (HTTP 500 and above, or an exception).',
    unit: 'percentunit',
    legend: ['mean', 'max'],
    sql: `SELECT $__timeInterval(Timestamp) AS time, sumIf(weight, StatusCode = 'Error') / sum(weight) AS "error ratio"
FROM ${requests}
GROUP BY time
ORDER BY time`,
  }).max(1)
