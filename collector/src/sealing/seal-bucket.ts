import { randomBytes } from 'node:crypto'
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import { sqlName, sqlString } from '../engine/query-parameters.ts'
import { distinctSpansOf } from '../queries/distinct-spans.ts'
import { isRequest, requestColumns, requestParts, requestSource } from '../queries/request-parts.ts'
import type { SealedBucket } from '../queries/sealed-buckets.ts'
import {
  busyParents,
  isCall,
  sealedMinCalls,
  siblingColumns,
  siblingParts,
  siblingSource,
} from '../queries/sibling-parts.ts'
import { statementColumns, statementParts, statementSource } from '../queries/statement-parts.ts'
import { type TimeRange, widened, within, without } from '../queries/time-ranges.ts'
import { bucketSec } from '../schema/sealed-buckets.ts'
import { aroundSec, bucketCounts, minutesAround, sealVersion } from './bucket-counts.ts'

/** A bucket and how many spans it has, with and without the minutes around it. */
export interface CountedBucket {
  readonly database: string
  /** Epoch seconds. */
  readonly startSec: number
  readonly rows: number
  readonly around: number
}

/** How long before its bucket the parents of repeated calls are looked for, seconds: further when one is not there. A bucket with one that began before is read raw. */
const parentLeads = [0, 3600]

/** More ids than so many travel as a subquery instead of a list. */
const longestList = 20_000

/** One core, a quarter of the engine's memory at most: a bucket that needs more stays as it is, and is read raw. */
function settingsWith(memoryBytes: number): ClickHouseSettings {
  return {
    max_threads: 1,
    max_memory_usage: String(Math.floor(memoryBytes / 4)),
    max_execution_time: 50,
    use_query_condition_cache: 0,
  }
}

/**
 * Adds up the spans of one bucket, each once, and says that it did; false when spans came or went meanwhile. Whatever ends it in the middle leaves rows
 * that no seal names.
 */
export async function sealBucket(
  client: ClickHouseClient,
  bucket: CountedBucket,
  memoryBytes: number,
): Promise<boolean> {
  const settings = settingsWith(memoryBytes)
  const { startSec } = bucket
  const table = `${sqlName(bucket.database)}.otel_traces`
  const target = `${sqlName(bucket.database)}.hotspan_sealed_buckets`
  const range = rangeOf(startSec)
  const [seen] = await rowsOf<{ rows: string; once: number; first: string; last: string }>(
    client,
    `SELECT count() AS rows, uniqExact(cityHash64(TraceId, SpanId)) = rows AS once, toUnixTimestamp64Nano(min(Timestamp)) AS first,
  toUnixTimestamp64Nano(max(Timestamp)) AS last FROM ${table} WHERE ${within([range])}`,
    settings,
  )
  if (seen === undefined || Number(seen.rows) !== bucket.rows) return false
  const known: SealedBucket[] =
    seen.once === 1
      ? [
          {
            ...range,
            seal: '0',
            eachOnce: true,
            parentsKnown: true,
            firstNs: range.fromNs,
            lastNs: range.fromNs,
          },
        ]
      : []
  const spans = (columns: readonly string[], condition: string) =>
    distinctSpansOf([range], known, columns, condition, table)

  // Traces that go over a boundary of the bucket: few, so that little of its neighbours is read after this.
  const sides = within(without(widened([range], aroundSec, aroundSec)[0]!, [range]))
  const outer = await listOf(
    client,
    `SELECT DISTINCT TraceId AS id FROM ${table} WHERE ${sides} AND cityHash64(TraceId) IN (SELECT cityHash64(TraceId) FROM ${table} WHERE ${within([range])})`,
    settings,
    sqlString,
  )
  // By the id itself, which the primary key knows.
  const isOuter = isIn('TraceId', outer)
  // Two reads, because of one with both conditions every row would be looked at for both.
  const near = (columns: string, condition: string) =>
    `SELECT ${columns} FROM ${table} WHERE ${within([range])} AND ${condition}${
      outer.length === 0
        ? ''
        : ` UNION ALL SELECT ${columns} FROM ${table} WHERE ${sides} AND ${isOuter} AND ${condition}`
    }`
  const busy = await listOf(client, busyParents(near('ParentSpanId', isCall), sealedMinCalls), settings)

  const sealWith = async (leadSec: number): Promise<'sealed' | 'changed' | 'nameless'> => {
    const seal = String(randomBytes(8).readBigUInt64LE() | 1n)
    const insert = (kind: string, columns: string, select: string) =>
      client.command({
        query: `INSERT INTO ${target} (Kind, Bucket, Seal, Version, ${columns}) SELECT '${kind}', toDateTime(${startSec}), ${seal}, ${sealVersion}, ${columns} FROM (${select})`,
        clickhouse_settings: settings,
      })
    const mine = `${target} WHERE Bucket = toDateTime(${startSec}) AND Seal = ${seal}`
    const count = async (condition: string) => {
      const [row] = await rowsOf<{ n: string }>(
        client,
        `SELECT count() AS n FROM ${mine} AND ${condition}`,
        settings,
      )
      return Number(row?.n ?? 0)
    }
    let nameless = 0
    if (busy.length > 0) {
      const hasCalls = isIn('cityHash64(ParentSpanId)', busy)
      const columns = siblingSource.join(', ')
      const hash = 'cityHash64(TraceId, SpanId) AS spanHash'
      const calls = `(SELECT ${columns} FROM (${near(`${columns}, ${hash}`, `${isCall} AND ${hasCalls}`)}) LIMIT 1 BY spanHash)`
      const isParent = isIn('cityHash64(SpanId)', busy)
      const parents =
        leadSec === 0
          ? near('TraceId, SpanId, SpanName', isParent)
          : `SELECT TraceId, SpanId, SpanName FROM ${table} WHERE ${within(widened([range], leadSec, aroundSec))} AND ${isParent}`
      const groups = { calls, parents, ranges: [range], minCalls: sealedMinCalls, isOuter }
      await insert('siblings', siblingColumns, siblingParts(groups))
      nameless = await count("Kind = 'siblings' AND Operation = ''")
      if (nameless > 0 && leadSec !== parentLeads.at(-1)) return 'nameless'
    }
    await insert('requests', requestColumns, requestParts(spans(requestSource, isRequest), 60))
    await insert(
      'statements',
      statementColumns,
      statementParts(spans(statementSource, "DbStatement != ''"), isOuter),
    )
    const holds = `SELECT rows, around FROM (${bucketCounts(table, minutesAround(startSec, startSec + bucketSec))})
  WHERE bucket = toDateTime(${startSec}) AND rows = ${bucket.rows} AND around = ${bucket.around}`
    await insert(
      'bucket',
      'SealedAt, Rows, RowsAround, First, Last, EachOnce, ParentsKnown',
      `SELECT now() AS SealedAt, rows AS Rows, around AS RowsAround, fromUnixTimestamp64Nano(${seen.first}) AS First,
  fromUnixTimestamp64Nano(${seen.last}) AS Last, ${seen.once} AS EachOnce, ${nameless === 0 ? 1 : 0} AS ParentsKnown FROM (${holds})`,
    )
    return (await count("Kind = 'bucket'")) === 1 ? 'sealed' : 'changed'
  }
  for (const leadSec of parentLeads) {
    const outcome = await sealWith(leadSec)
    if (outcome !== 'nameless') return outcome === 'sealed'
  }
  return false
}

const rangeOf = (startSec: number): TimeRange => ({
  fromNs: BigInt(startSec) * 1_000_000_000n,
  toNs: BigInt(startSec + bucketSec) * 1_000_000_000n,
})

/** Values of a subquery, or the subquery where they are too many. */
type List = string[] | string

async function listOf(
  client: ClickHouseClient,
  subquery: string,
  settings: ClickHouseSettings,
  literal: (value: string) => string = String,
): Promise<List> {
  const rows = await rowsOf<Record<string, string>>(client, `${subquery} LIMIT ${longestList + 1}`, settings)
  return rows.length > longestList ? subquery : rows.map((row) => literal(Object.values(row)[0]!))
}

function isIn(expression: string, list: List): string {
  if (typeof list === 'string') return `${expression} IN (${list})`
  return list.length === 0 ? '0' : `${expression} IN (${list.join(', ')})`
}

async function rowsOf<Row>(
  client: ClickHouseClient,
  query: string,
  settings: ClickHouseSettings,
): Promise<Row[]> {
  return (await client.query({ query, format: 'JSONEachRow', clickhouse_settings: settings })).json<Row>()
}
