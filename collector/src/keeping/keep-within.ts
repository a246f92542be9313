import type { ClickHouseClient } from '@clickhouse/client'
import { sqlName, sqlString } from '../engine/query-parameters.ts'
import type { StoreLimits } from './limits.ts'

/** A part of a telemetry table as the engine lists it. */
interface Part {
  readonly database: string
  readonly table: string
  readonly name: string
  readonly partition: string
  readonly partitionId: string
  readonly bytes: number
}

/** What was dropped to hold the limits. */
export interface Dropped {
  readonly what: 'partition' | 'part'
  readonly table: string
  readonly name: string
  readonly bytes: number
  readonly why: 'retention' | 'size'
}

/** Telemetry is partitioned by day in every project; runs and findings are not touched. */
async function telemetryParts(client: ClickHouseClient): Promise<Part[]> {
  const answer = await client.query({
    query: `SELECT database, table, name, partition, partition_id AS partitionId, toFloat64(bytes_on_disk) AS bytes
FROM system.parts WHERE active AND startsWith(database, 'hotspan_') AND match(table, '^(otel_|hotspan_profile|hotspan_sealed_)')
ORDER BY partition, modification_time, name`,
    format: 'JSONEachRow',
  })
  return answer.json<Part>()
}

/** Bytes of all tables of all projects, parts that await their removal included. */
export async function tableBytes(client: ClickHouseClient): Promise<number> {
  const answer = await client.query({
    query: `SELECT toFloat64(sum(bytes_on_disk)) AS bytes FROM system.parts WHERE startsWith(database, 'hotspan_')`,
    format: 'JSONEachRow',
  })
  return (await answer.json<{ bytes: number }>())[0]?.bytes ?? 0
}

/**
 * Bytes that the limits count: `tableBytes` without dropped parts that a running query still reads. Those go by themselves; counted, they
 * would cost another day. What a merge replaced lies within an active part, and counts until it is removed.
 */
async function keptBytes(client: ClickHouseClient): Promise<number> {
  const answer = await client.query({
    query: `SELECT toFloat64(sum(bytes_on_disk)) AS bytes FROM system.parts AS part
LEFT JOIN (
  SELECT database, table, partition_id, groupArray((min_block_number, max_block_number)) AS ranges
  FROM system.parts WHERE active AND rows > 0 AND startsWith(database, 'hotspan_') GROUP BY ALL
) AS standing USING (database, table, partition_id)
WHERE startsWith(database, 'hotspan_')
  AND arrayExists(range -> range.1 <= part.min_block_number AND range.2 >= part.max_block_number, ranges)`,
    format: 'JSONEachRow',
  })
  return (await answer.json<{ bytes: number }>())[0]?.bytes ?? 0
}

/**
 * Drops the days past the retention, then, until the tables fit, days that are still to come (of a clock that was wrong) and the oldest days, and when only one day is left its oldest parts, but
 * no table's newest one. Whole days and parts are dropped and nothing is rewritten, so that it works on a full disk.
 */
export async function keepWithin(
  client: ClickHouseClient,
  limits: StoreLimits,
  nowMs = Date.now(),
): Promise<Dropped[]> {
  const dropped: Dropped[] = []
  let parts = await telemetryParts(client)
  if (limits.retentionDays !== null) {
    const firstKept = new Date(nowMs - limits.retentionDays * 86_400_000).toISOString().slice(0, 10)
    parts = await dropDays(client, parts, (part) => part.partition < firstKept, 'retention', dropped)
  }
  if (limits.maxBytes === null) return dropped
  // Clocks may be a day ahead.
  const lastDay = new Date(nowMs + 86_400_000).toISOString().slice(0, 10)
  let bytes = await keptBytes(client)
  while (bytes > limits.maxBytes) {
    const first = parts.find(({ partition }) => partition > lastDay)?.partition ?? parts[0]?.partition
    if (first === undefined) return dropped
    if (first > lastDay || first !== parts.at(-1)!.partition) {
      const before = dropped.length
      parts = await dropDays(client, parts, (part) => part.partition === first, 'size', dropped)
      bytes -= dropped.slice(before).reduce((sum, drop) => sum + drop.bytes, 0)
      continue
    }
    const part = oldestPart(parts)
    if (part === null) return dropped
    await client.command({
      query: `ALTER TABLE ${nameOf(part)} DROP PART ${sqlString(part.name)}`,
    })
    dropped.push({
      what: 'part',
      table: tableOf(part),
      name: part.name,
      bytes: part.bytes,
      why: 'size',
    })
    parts = parts.filter((other) => other !== part)
    bytes -= part.bytes
  }
  return dropped
}

async function dropDays(
  client: ClickHouseClient,
  parts: readonly Part[],
  goes: (part: Part) => boolean,
  why: Dropped['why'],
  dropped: Dropped[],
): Promise<Part[]> {
  const days = groupBy(parts.filter(goes), (part) => `${tableOf(part)} ${part.partitionId}`)
  // What sums spans up goes after them: without its spans a seal says nothing, without its rows it would say something wrong.
  const inOrder = [...days.values()].sort((a, b) => Number(isSummary(a[0]!)) - Number(isSummary(b[0]!)))
  for (const group of inOrder) {
    const part = group[0]!
    await client.command({
      query: `ALTER TABLE ${nameOf(part)} DROP PARTITION ID ${sqlString(part.partitionId)}`,
    })
    dropped.push({
      what: 'partition',
      table: tableOf(part),
      name: part.partition,
      bytes: group.reduce((sum, { bytes }) => sum + bytes, 0),
      why,
    })
  }
  return parts.filter((part) => !goes(part))
}

/** Of the tables that hold more than one part, the one with most bytes gives its oldest; summaries go with their day. */
function oldestPart(parts: readonly Part[]): Part | null {
  const whole = parts.filter((part) => !isSummary(part))
  const tables = [...groupBy(whole, tableOf).values()].filter((group) => group.length > 1)
  const bytesOf = (group: readonly Part[]) => group.reduce((sum, { bytes }) => sum + bytes, 0)
  return tables.sort((a, b) => bytesOf(b) - bytesOf(a))[0]?.[0] ?? null
}

const isSummary = (part: Part): boolean => part.table.startsWith('hotspan_sealed_')
const tableOf = (part: Part): string => `${part.database}.${part.table}`
const nameOf = (part: Part): string => `${sqlName(part.database)}.${sqlName(part.table)}`

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}
