import type { Store } from '@hotspan/collector'
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
  const result = await store.client.query({
    query: `SELECT TraceId AS traceId,
        toUnixTimestamp64Milli(toDateTime64(min(Start), 3)) AS fromMs,
        toUnixTimestamp64Milli(toDateTime64(max(End), 3)) AS toMs
      FROM otel_traces_trace_id_ts
      WHERE TraceId >= {low: String} AND TraceId <= {high: String}
      GROUP BY TraceId ORDER BY TraceId LIMIT 6`,
    query_params: { low: prefix.padEnd(32, '0'), high: prefix.padEnd(32, 'f') },
    format: 'JSONEachRow',
  })
  const rows = await result.json<{ traceId: string; fromMs: string | number; toMs: string | number }>()
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
  // The index keeps whole seconds (as the OpenTelemetry exporter's does) of span starts: a margin covers the cut and long spans.
  return { traceId: row.traceId, fromMs: Number(row.fromMs) - 1_000, toMs: Number(row.toMs) + 2_000 }
}
