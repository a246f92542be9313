import type { Store } from '@hotspan/collector'
import type { Finding, Report } from './finding.ts'
import { findingSchemaVersion } from './finding.ts'
import { rows } from './rows.ts'

/** Writes the findings and the "cannot judge" records of a report; one row each, under the time of the report. */
export async function storeFindings(store: Store, report: Report): Promise<void> {
  const all = [...report.findings, ...report.cannotJudge]
  if (all.length === 0) return
  await store.client.insert({
    table: 'hotspan_findings',
    format: 'JSONEachRow',
    values: all.map((finding) => ({
      id: finding.id,
      fingerprint: finding.fingerprint,
      detector: finding.detector,
      generated_at: (report.generatedAtUnixMs / 1000).toFixed(3),
      json: JSON.stringify(finding),
    })),
  })
}

/** Stored findings whose reports were made in the scope, the latest record of each finding, newest first. */
export async function storedFindings(
  store: Store,
  scope: { readonly fromMs: number; readonly toMs: number },
): Promise<Finding[]> {
  const found = await rows<{ json: string }>(
    store,
    `SELECT json FROM hotspan_findings
     WHERE generated_at >= fromUnixTimestamp64Milli({fromMs: Int64}) AND generated_at < fromUnixTimestamp64Milli({toMs: Int64})
     ORDER BY generated_at DESC LIMIT 1 BY id LIMIT 10000`,
    { fromMs: Math.floor(scope.fromMs), toMs: Math.ceil(scope.toMs) },
  )
  return found
    .map(({ json }) => JSON.parse(json) as Finding)
    .filter(({ schemaVersion }) => schemaVersion === findingSchemaVersion)
}
