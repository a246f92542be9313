import { bucketSec } from '../schema/sealed-buckets.ts'

/** Of the rolled-up rows; seals of another version are not used, and their buckets are sealed again. */
export const sealVersion = 1

/** A bucket is sealed so long after its end at the earliest: most senders have sent by then, and a late span costs another sealing. */
export const settledSec = 120

/** A group of calls, or a trace, that goes over the boundary of a bucket is looked for so far on both sides. Whole minutes. */
export const aroundSec = 60

/**
 * Spans of each minute, from the counts that the parts of the table carry: 4 ms of CPU, whatever the number of spans. Give a condition on
 * `toDate(Timestamp)` and `toStartOfMinute(Timestamp)` only: the counts know nothing else.
 */
export const minuteCounts = (table: string, condition: string): string =>
  `SELECT toStartOfMinute(Timestamp) AS minute, count() AS n FROM ${table} WHERE ${condition} GROUP BY minute`

/** Spans of each bucket (`rows`), and with the minutes before and behind it (`around`). */
export const bucketCounts = (table: string, condition = '1'): string =>
  `SELECT arrayJoin(arrayDistinct(arrayMap(sec -> toStartOfFiveMinutes(minute + sec), [0, -${aroundSec}, ${aroundSec}]))) AS bucket,
  sumIf(n, toStartOfFiveMinutes(minute) = bucket) AS rows, sum(n) AS around
FROM (${minuteCounts(table, condition)}) GROUP BY bucket`

/** Condition on minutes that `bucketCounts` needs for the buckets of [fromSec, toSec). */
export function minutesAround(fromSec: number, toSec: number): string {
  const first = Math.max(fromSec - aroundSec, 0)
  return `toDate(Timestamp) >= toDate(toDateTime(${first})) AND toStartOfMinute(Timestamp) >= toDateTime(${first}) AND toStartOfMinute(Timestamp) < toDateTime(${toSec + aroundSec})`
}

export const bucketOf = (ms: number): number => Math.floor(ms / 1000 / bucketSec) * bucketSec
