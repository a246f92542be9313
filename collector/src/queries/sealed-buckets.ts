import { bucketSec } from '../schema/sealed-buckets.ts'
import {
  aroundSec,
  bucketOf,
  minuteCounts,
  minutesAround,
  sealVersion,
  settledSec,
} from '../sealing/bucket-counts.ts'
import type { Store } from '../store.ts'
import { type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'
import type { TimeRange } from './time-ranges.ts'

/** A bucket of whose spans none came or went since it was sealed. */
export interface SealedBucket extends TimeRange {
  readonly seal: string
  /** It holds no span twice. */
  readonly eachOnce: boolean
  /** The parents of all repeated calls are known by name. */
  readonly parentsKnown: boolean
  /** Start of its first span and of its last. */
  readonly firstNs: bigint
  readonly lastNs: bigint
}

interface Row {
  at: number
  n: string
  around: string
  seal: string
  first: string
  last: string
  once: number
  parents: number
}

/** More than so many runs of sealed buckets are not told apart: the condition on time would grow without bound. */
const maxRuns = 100

/**
 * The buckets that hold spans of the scope and are sealed, by time; none on a server. 6 ms of CPU, asked in a statement of its own: one statement
 * for everything took 8 ms more, and was read worse. A span that comes for one of these buckets between the two statements is in the next answer; one that comes
 * a second time within these milliseconds counts twice in this one.
 */
export async function sealedBuckets(
  store: Store,
  scope: Scope,
  bounds: QueryBounds = {},
): Promise<SealedBucket[]> {
  scopeParameters(scope)
  const fromSec = bucketOf(Math.max(scope.fromMs, 0))
  const toSec = Math.min(
    bucketOf(scope.toMs + bucketSec * 1000 - 1),
    bucketOf(Date.now() - settledSec * 1000),
  )
  if (store.mode === 'server' || toSec <= fromSec) return []
  const rows = await runQuery<Row>(
    store,
    `SELECT toUInt32(Bucket) AS at, Rows AS n, RowsAround AS around, Seal AS seal, toUnixTimestamp64Nano(First) AS first, toUnixTimestamp64Nano(Last) AS last,
  EachOnce AS once, ParentsKnown AS parents
FROM hotspan_sealed_buckets WHERE Kind = 'bucket' AND Version = ${sealVersion} AND Bucket >= toDateTime(${fromSec}) AND Bucket < toDateTime(${toSec})
UNION ALL SELECT toUInt32(minute), n, 0, 0, 0, 0, 0, 0 FROM (${minuteCounts('otel_traces', minutesAround(fromSec, toSec))})`,
    {},
    { ...bounds, maxRows: 10_000_000 },
  )
  const minutes = new Map<number, number>()
  for (const row of rows) if (row.seal === '0') minutes.set(row.at, Number(row.n))
  const found = new Map<number, SealedBucket>()
  for (const row of rows) {
    if (row.seal === '0' || !stillHolds(row, minutes)) continue
    found.set(row.at, {
      fromNs: BigInt(row.at) * 1_000_000_000n,
      toNs: BigInt(row.at + bucketSec) * 1_000_000_000n,
      seal: row.seal,
      eachOnce: row.once === 1,
      parentsKnown: row.parents === 1,
      firstNs: BigInt(row.first),
      lastNs: BigInt(row.last),
    })
  }
  return longestRuns([...found.values()].sort((a, b) => (a.fromNs < b.fromNs ? -1 : 1)))
}

function stillHolds(row: Row, minutes: ReadonlyMap<number, number>): boolean {
  let inside = 0
  let around = 0
  for (let at = row.at - aroundSec; at < row.at + bucketSec + aroundSec; at += 60) {
    const n = minutes.get(at) ?? 0
    around += n
    if (at >= row.at && at < row.at + bucketSec) inside += n
  }
  return inside === Number(row.n) && around === Number(row.around)
}

function longestRuns(buckets: readonly SealedBucket[]): SealedBucket[] {
  const runs: SealedBucket[][] = []
  for (const bucket of buckets) {
    const run = runs.at(-1)
    if (run?.at(-1)?.toNs === bucket.fromNs) run.push(bucket)
    else runs.push([bucket])
  }
  if (runs.length <= maxRuns) return [...buckets]
  const kept = new Set([...runs].sort((a, b) => b.length - a.length).slice(0, maxRuns))
  return runs.filter((run) => kept.has(run)).flat()
}

/** The scope as a range of whole nanoseconds. */
export function scopeRange(scope: Scope): TimeRange {
  const { fromNs, toNs } = scopeParameters(scope)
  return { fromNs: BigInt(fromNs), toNs: BigInt(toNs) }
}

/** Whether every span of the bucket lies in the range. */
export const isInside = (bucket: SealedBucket, range: TimeRange): boolean =>
  bucket.firstNs >= range.fromNs && bucket.lastNs < range.toNs

/** Rows of one kind of these seals: a part of a FROM clause. */
export function sealedRows(
  kind: 'requests' | 'statements' | 'siblings',
  buckets: readonly SealedBucket[],
): string {
  const sec = (ns: bigint) => ns / 1_000_000_000n
  const [first, last] = [buckets[0]!, buckets.at(-1)!]
  return `hotspan_sealed_buckets WHERE Kind = '${kind}' AND Bucket >= toDateTime(${sec(first.fromNs)}) AND Bucket < toDateTime(${sec(last.toNs)}) AND Seal IN (${buckets.map(({ seal }) => seal).join(', ')})`
}
