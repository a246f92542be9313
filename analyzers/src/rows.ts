import { runQuery, type Store } from '@hotspan/collector'

/** An analysis may take longer than a page's query: s on the engine. */
const maxSec = 300

/** Runs one query and returns its rows; 64-bit integers arrive as strings, so callers select `toFloat64(...)`. */
export const rows = <Row>(
  store: Store,
  query: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Row[]> => runQuery<Row>(store, query, { ...parameters }, { maxSec })

/** The rows of a window. Every query names its time range, which is the primary key's first part. */
export const inWindow =
  'Timestamp >= fromUnixTimestamp64Milli({fromMs: Int64}) AND Timestamp < fromUnixTimestamp64Milli({toMs: Int64})'

/** The process had been up for the warm-up time, or its start is not known. */
export const isWarm = `ifNull(parseDateTime64BestEffortOrNull(ResourceAttributes['process.creation.time'], 3, 'UTC')
  + toIntervalSecond({warmUpSec: UInt32}) <= Timestamp, true)`
