import { tablePanel } from '../panel-defaults.ts'
import { FRONTEND, SERVICE, tableOf } from '../scope-sql.ts'

/** What has the analysis found for this service? The newest state of each finding of the range and the week before it. */
export const latestFindings = () =>
  tablePanel({
    title: 'Latest findings',
    description:
      'Confirmed findings of the analysis for the service or its front end, largest saving first. The collector refreshes them; so does `hotspan analyze`.',
    unit: 'ms',
    columns: {
      severity: { widthPx: 90 },
      confidence: { widthPx: 100 },
      title: { widthPx: 320 },
      operation: { widthPx: 240 },
      'saves per request': { unit: 'ms', decimals: 0 },
      'share of operation': { unit: 'percentunit', decimals: 0 },
      fix: { widthPx: 420 },
      seen: { unit: 'dateTimeAsIso' },
      id: { widthPx: 140 },
    },
    sql: `SELECT JSONExtractString(json, 'severity') AS severity, JSONExtractString(json, 'confidence') AS confidence,
  JSONExtractString(json, 'title') AS title, JSONExtractString(json, 'operation') AS operation,
  JSONExtractFloat(json, 'saving', 'perRequestMs', 'value') AS "saves per request",
  JSONExtractFloat(json, 'saving', 'shareRatio') AS "share of operation",
  JSONExtractString(json, 'fix') AS fix, generated_at AS seen, id
FROM (
  SELECT id, generated_at, json
  FROM ${tableOf('hotspan_findings')}
  WHERE generated_at >= $__fromTime - INTERVAL 7 DAY
  ORDER BY generated_at DESC
  LIMIT 1 BY id
)
WHERE JSONExtractString(json, 'kind') != 'cannot-judge' AND confidence != 'possible'
  AND JSONExtractString(json, 'service') IN (${SERVICE}, ${FRONTEND})
ORDER BY "saves per request" DESC
LIMIT 50`,
  })
