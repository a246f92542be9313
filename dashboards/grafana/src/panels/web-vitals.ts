import { attr } from '@hotspan/otlp'
import { timeseriesPanel } from '../panel-defaults.ts'
import { FRONTEND, tableOf } from '../scope-sql.ts'

/** 75th percentile, as Google's assessment of the vitals uses it (web.dev/articles/vitals). */
const p75 = (names: string) => `SELECT $__timeInterval(Timestamp) AS time, vital, quantile(0.75)(value) AS p75
FROM (
  SELECT Timestamp, LogAttributes['${attr.browserWebVitalName}'] AS vital,
    toFloat64OrZero(LogAttributes['${attr.browserWebVitalValue}']) AS value
  FROM ${tableOf('otel_logs')}
  WHERE $__timeFilter(Timestamp) AND ServiceName = ${FRONTEND} AND EventName = '${attr.eventBrowserWebVital}'
)
WHERE upper(vital) IN (${names})
GROUP BY time, vital
ORDER BY time, vital`

/** How fast do pages load and answer for real visitors? */
export const webVitals = () =>
  timeseriesPanel({
    title: 'Web vitals p75',
    description:
      'LCP is good up to 2500 ms, INP up to 200 ms, FCP up to 1800 ms, TTFB up to 800 ms, each at the 75th percentile of views.',
    unit: 'ms',
    legend: ['mean', 'lastNotNull'],
    nameFrom: 'vital',
    sql: p75("'LCP', 'INP', 'FCP', 'TTFB'"),
  })

/** Do pages jump while they load? A number without unit, so it has a panel of its own. */
export const layoutShift = () =>
  timeseriesPanel({
    title: 'Layout shift p75 (CLS)',
    description: 'Cumulative layout shift, good up to 0.1 at the 75th percentile of views.',
    unit: 'none',
    legend: ['mean', 'lastNotNull'],
    nameFrom: 'vital',
    sql: p75("'CLS'"),
  })
