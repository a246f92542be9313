import { sqlName, sqlString } from '../engine/query-parameters.ts'
import { bucketSec } from '../schema/sealed-buckets.ts'
import type { Store } from '../store.ts'
import { bucketCounts, sealVersion } from './bucket-counts.ts'
import type { CountedBucket } from './seal-bucket.ts'

export interface UnsealedBucket extends CountedBucket {
  /** How often it was sealed before spans came or went. */
  readonly sealings: number
  /** Epoch seconds of the last time, 0 for never. */
  readonly sealedAtSec: number
}

const most = 300

/** Projects of the engine whose tables know of seals. */
async function sealedDatabases(store: Store): Promise<string[]> {
  const answer = await store.client.query({
    query: `SELECT database FROM system.tables WHERE startsWith(database, 'hotspan_') AND name = 'hotspan_sealed_buckets' ORDER BY database`,
    format: 'JSONEachRow',
  })
  return (await answer.json<{ database: string }>()).map(({ database }) => database)
}

/**
 * Buckets of all projects that ended before `endedSec` and have no seal for the spans that they hold now, the newest first: those are asked for most, and the
 * oldest go soonest.
 */
export async function unsealedBuckets(store: Store, endedSec: number): Promise<UnsealedBucket[]> {
  const databases = await sealedDatabases(store)
  if (databases.length === 0) return []
  const of = (database: string) => {
    const name = sqlName(database)
    return `SELECT ${sqlString(database)} AS database, toUInt32(bucket) AS at, rows, around, sealings, sealedAt
FROM (${bucketCounts(`${name}.otel_traces`)}) AS counted LEFT JOIN (
  SELECT Bucket AS bucket, count() AS sealings, toUInt32(max(SealedAt)) AS sealedAt, groupArray((Rows, RowsAround, Version)) AS seals
  FROM ${name}.hotspan_sealed_buckets WHERE Kind = 'bucket' GROUP BY Bucket
) AS known USING (bucket)
WHERE rows > 0 AND at + ${bucketSec} <= ${Math.floor(endedSec)} AND NOT has(seals, (rows, around, ${sealVersion}))`
  }
  const answer = await store.client.query({
    query: `SELECT * FROM (${databases.map(of).join(' UNION ALL ')}) ORDER BY at DESC LIMIT ${most}`,
    format: 'JSONEachRow',
  })
  const rows = await answer.json<{
    database: string
    at: number
    rows: string
    around: string
    sealings: string
    sealedAt: number
  }>()
  return rows.map((row) => ({
    database: row.database,
    startSec: row.at,
    rows: Number(row.rows),
    around: Number(row.around),
    sealings: Number(row.sealings),
    sealedAtSec: row.sealedAt,
  }))
}
