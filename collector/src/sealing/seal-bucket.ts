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

/**
 * How long before its bucket the parents of repeated calls are looked for, seconds: further when one is not there. A bucket with
 * one that began before that is read raw.
 */
const parentLeads = [0, 3600]

/** More ids than so many travel as a subquery instead of a list. */
const longestList = 20_000

/** Ids of a subquery as literals, or the subquery where they are too many. */
type List = readonly string[] | string

/**
 * Adds up the spans of one bucket, each once, and says that it did; false when spans came or went meanwhile. One core, and a quarter of `memoryBytes`: a bucket
 * that needs more is an error, and stays as it is. Whatever ends it in the middle leaves rows that no seal names.
 */
export async function sealBucket(
  client: ClickHouseClient,
  bucket: CountedBucket,
  memoryBytes: number,
): Promise<boolean> {
  const sealing = new Sealing(client, bucket, memoryBytes)
  const seen = await sealing.look()
  if (seen.rows !== bucket.rows) return false
  const near = await sealing.spansOverEdges()
  for (const leadSec of parentLeads) {
    const seal = String(randomBytes(8).readBigUInt64LE() | 1n)
    const nameless = await sealing.addSiblings(seal, near, leadSec)
    if (nameless > 0 && leadSec !== parentLeads.at(-1)) continue
    await sealing.addFigures(seal, near, seen)
    return sealing.finish(seal, seen, nameless === 0)
  }
  return false
}

interface Seen {
  readonly rows: number
  readonly eachOnce: boolean
  readonly firstNs: string
  readonly lastNs: string
}

/** Spans of the bucket, and those of its neighbours that belong to traces of both. */
interface Near {
  readonly select: (columns: string, condition: string) => string
  /** Condition on TraceId: the trace goes over an edge. */
  readonly isOuter: string
  readonly busy: List
}

/** The statements of one sealing. */
class Sealing {
  private readonly client: ClickHouseClient
  private readonly settings: ClickHouseSettings
  private readonly bucket: CountedBucket
  private readonly table: string
  private readonly target: string
  private readonly range: TimeRange

  constructor(client: ClickHouseClient, bucket: CountedBucket, memoryBytes: number) {
    this.client = client
    this.bucket = bucket
    this.settings = {
      max_threads: 1,
      max_memory_usage: String(Math.floor(memoryBytes / 4)),
      max_execution_time: 50,
      use_query_condition_cache: 0,
    }
    this.table = `${sqlName(bucket.database)}.otel_traces`
    this.target = `${sqlName(bucket.database)}.hotspan_sealed_buckets`
    this.range = {
      fromNs: BigInt(bucket.startSec) * 1_000_000_000n,
      toNs: BigInt(bucket.startSec + bucketSec) * 1_000_000_000n,
    }
  }

  async look(): Promise<Seen> {
    const [row] = await this.rows<{ rows: string; once: number; first: string; last: string }>(
      `SELECT count() AS rows, uniqExact(cityHash64(TraceId, SpanId)) = rows AS once, toUnixTimestamp64Nano(min(Timestamp)) AS first,
  toUnixTimestamp64Nano(max(Timestamp)) AS last FROM ${this.table} WHERE ${within([this.range])}`,
    )
    return {
      rows: Number(row?.rows ?? 0),
      eachOnce: row?.once === 1,
      firstNs: row?.first ?? '0',
      lastNs: row?.last ?? '0',
    }
  }

  async spansOverEdges(): Promise<Near> {
    const { table } = this
    const inside = within([this.range])
    const sides = within(without(widened([this.range], aroundSec, aroundSec)[0]!, [this.range]))
    const outer = await this.list(
      `SELECT DISTINCT TraceId AS id FROM ${table} WHERE ${sides} AND cityHash64(TraceId) IN (SELECT cityHash64(TraceId) FROM ${table} WHERE ${inside})`,
      sqlString,
    )
    // By the id itself, which the primary key knows: few traces go over an edge, and little of the neighbours is read.
    const isOuter = isIn('TraceId', outer)
    // Two reads, because of one with both conditions every row would be looked at for both.
    const select = (columns: string, condition: string) => {
      const own = `SELECT ${columns} FROM ${table} WHERE ${inside} AND ${condition}`
      if (outer.length === 0) return own
      return `${own} UNION ALL SELECT ${columns} FROM ${table} WHERE ${sides} AND ${isOuter} AND ${condition}`
    }
    const busy = await this.list(busyParents(select('ParentSpanId', isCall), sealedMinCalls))
    return { select, isOuter, busy }
  }

  /** How many rows have a parent without a name. */
  async addSiblings(seal: string, { select, isOuter, busy }: Near, leadSec: number): Promise<number> {
    if (busy.length === 0) return 0
    const columns = siblingSource.join(', ')
    const read = select(
      `${columns}, cityHash64(TraceId, SpanId) AS spanHash`,
      `${isCall} AND ${isIn('cityHash64(ParentSpanId)', busy)}`,
    )
    const isParent = isIn('cityHash64(SpanId)', busy)
    const names = 'TraceId, SpanId, SpanName'
    const parents =
      leadSec === 0
        ? select(names, isParent)
        : `SELECT ${names} FROM ${this.table} WHERE ${within(widened([this.range], leadSec, aroundSec))} AND ${isParent}`
    await this.add(
      seal,
      'siblings',
      siblingColumns,
      siblingParts({
        calls: `(SELECT ${columns} FROM (${read}) LIMIT 1 BY spanHash)`,
        parents,
        ranges: [this.range],
        minCalls: sealedMinCalls,
        isOuter,
      }),
    )
    return this.count(seal, "Kind = 'siblings' AND Operation = ''")
  }

  async addFigures(seal: string, { isOuter }: Near, { eachOnce }: Seen): Promise<void> {
    const { fromNs, toNs } = this.range
    const known: SealedBucket = {
      ...this.range,
      seal,
      eachOnce,
      parentsKnown: true,
      firstNs: fromNs,
      lastNs: toNs,
    }
    const spans = (columns: readonly string[], condition: string) =>
      distinctSpansOf([this.range], [known], columns, condition, this.table)
    await this.add(seal, 'requests', requestColumns, requestParts(spans(requestSource, isRequest), 60))
    const ofStatements = spans(statementSource, "DbStatement != ''")
    await this.add(seal, 'statements', statementColumns, statementParts(ofStatements, isOuter))
  }

  /** The seal itself, unless spans came or went since they were counted. */
  async finish(seal: string, seen: Seen, parentsKnown: boolean): Promise<boolean> {
    const { startSec, rows, around } = this.bucket
    const counts = bucketCounts(this.table, minutesAround(startSec, startSec + bucketSec))
    await this.add(
      seal,
      'bucket',
      'SealedAt, Rows, RowsAround, First, Last, EachOnce, ParentsKnown',
      `SELECT now() AS SealedAt, rows AS Rows, around AS RowsAround, fromUnixTimestamp64Nano(${seen.firstNs}) AS First,
  fromUnixTimestamp64Nano(${seen.lastNs}) AS Last, ${Number(seen.eachOnce)} AS EachOnce, ${Number(parentsKnown)} AS ParentsKnown
FROM (${counts}) WHERE bucket = toDateTime(${startSec}) AND rows = ${rows} AND around = ${around}`,
    )
    return (await this.count(seal, "Kind = 'bucket'")) === 1
  }

  private async add(seal: string, kind: string, columns: string, select: string): Promise<void> {
    await this.client.command({
      query: `INSERT INTO ${this.target} (Kind, Bucket, Seal, Version, ${columns})
SELECT '${kind}', toDateTime(${this.bucket.startSec}), ${seal}, ${sealVersion}, ${columns} FROM (${select})`,
      clickhouse_settings: this.settings,
    })
  }

  private async count(seal: string, condition: string): Promise<number> {
    const [row] = await this.rows<{ n: string }>(
      `SELECT count() AS n FROM ${this.target} WHERE Bucket = toDateTime(${this.bucket.startSec}) AND Seal = ${seal} AND ${condition}`,
    )
    return Number(row?.n ?? 0)
  }

  private async list(subquery: string, literal: (value: string) => string = String): Promise<List> {
    const rows = await this.rows<Record<string, string>>(`${subquery} LIMIT ${longestList + 1}`)
    return rows.length > longestList ? subquery : rows.map((row) => literal(Object.values(row)[0]!))
  }

  private async rows<Row>(query: string): Promise<Row[]> {
    const answer = await this.client.query({
      query,
      format: 'JSONEachRow',
      clickhouse_settings: this.settings,
    })
    return answer.json<Row>()
  }
}

function isIn(expression: string, list: List): string {
  if (typeof list === 'string') return `${expression} IN (${list})`
  return list.length === 0 ? '0' : `${expression} IN (${list.join(', ')})`
}
