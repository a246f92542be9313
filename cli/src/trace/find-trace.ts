import { runQuery, type Store } from '@hotspan/collector'
import { badValue, CliError } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'

export interface FoundTrace {
  readonly traceId: string
  /** Range that holds all of its spans, epoch ms. */
  readonly fromMs: number
  readonly toMs: number
}

/** The one trace whose id starts with `id` (4 to 32 hex digits). Refuses an id that is not hex, unknown or shared by several traces. */
export const findTrace = async (store: Store, id: string): Promise<FoundTrace> => {
  const prefix = id.trim().toLowerCase()
  if (!/^[0-9a-f]{4,32}$/.test(prefix))
    throw badValue('ID', id, 'a trace id: 32 hex digits, or at least its first 4')
  const rows = await runQuery<{ traceId: string; fromSec: string; toSec: string }>(
    store,
    `SELECT TraceId AS traceId, toInt64(toUnixTimestamp(min(Start))) AS fromSec, toInt64(toUnixTimestamp(max(End))) AS toSec
FROM otel_traces_trace_id_ts
WHERE TraceId >= {low:String} AND TraceId <= {high:String}
GROUP BY TraceId ORDER BY TraceId LIMIT 6`,
    { low: prefix.padEnd(32, '0'), high: prefix.padEnd(32, 'f') },
  )
  const [row] = rows
  if (row === undefined) {
    throw new CliError(
      'HS_TRACE_NOT_FOUND',
      exitCode.usage,
      `no trace ${prefix.length === 32 ? prefix : `starts with ${prefix}`} in project ${store.project}`,
      'Ids are printed by `hotspan analyze`; another project or directory: --project, --data-dir',
    )
  }
  if (rows.length > 1) {
    const list = rows.slice(0, 5).map((one) => `  ${one.traceId}`)
    throw new CliError(
      'HS_TRACE_AMBIGUOUS',
      exitCode.usage,
      `${rows.length > 5 ? 'more than 5' : rows.length} traces start with ${prefix}`,
      ['Type more digits of one of them:', ...list].join('\n'),
    )
  }
  // The table has whole seconds, cut off.
  return { traceId: row.traceId, fromMs: Number(row.fromSec) * 1000, toMs: (Number(row.toSec) + 1) * 1000 }
}

/** A window with room for traces that begin before its start or end after its end. */
export const around = (window: {
  readonly fromMs: number
  readonly toMs: number
}): { fromMs: number; toMs: number } => ({
  fromMs: Math.max(0, window.fromMs - 60_000),
  toMs: window.toMs + 600_000,
})
