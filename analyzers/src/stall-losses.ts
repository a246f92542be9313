import { inWindow, isWarm, rows } from './rows.ts'
import type { AnalysisWindow } from './window.ts'

const maxBlocks = 5_000
const maxLosses = 50_000

/** What one request lost to one time that the event loop of its process stood still. */
export interface StallLoss {
  /** Span that blocked: the stall, or the inference where nobody watches the loop. */
  readonly blockId: string
  /** Trace of the block. */
  readonly traceId: string
  /** The request's server span. */
  readonly victimId: string
  /** From when the request could have gone on until the loop turned again; 0 when it would have waited as long anyway. */
  readonly ms: number
}

/**
 * What other requests of the same process lost to the blocks that `condition` selects. A request that was waiting for a call when
 * the block began would have waited until that call's end in any case: until its start plus the median time of such calls. Only
 * requests whose server span was open are seen; those that came while the loop stood still waited before it.
 *
 * @param maxBlockMs longer blocks and requests are left out
 */
export function stallLosses(
  window: AnalysisWindow,
  condition: string,
  maxBlockMs: number,
): Promise<StallLoss[]> {
  const span = `TraceId, SpanId, ServiceName AS service, ResourceAttributes['service.instance.id'] AS instance,
    toUnixTimestamp64Nano(Timestamp) AS startNs, startNs + toInt64(Duration) AS endNs`
  const second = `arrayJoin(range(toUInt64(intDiv(startNs, 1000000000)), toUInt64(intDiv(endNs, 1000000000) + 1))) AS second`
  const from = (where: string, limit = '') =>
    `(SELECT *, ${second} FROM (SELECT ${span} FROM otel_traces WHERE ${inWindow} AND Duration <= ${maxBlockMs * 1e6} AND ${isWarm} AND ${where}
      LIMIT 1 BY TraceId, SpanId ${limit}))`
  const pairs = `SELECT DISTINCT b.SpanId AS blockId, b.TraceId AS blockTrace, e.SpanId AS victimId, e.TraceId AS victimTrace, b.service AS service,
      b.startNs AS blockStartNs, b.endNs AS blockEndNs, e.startNs AS victimStartNs, e.endNs AS victimEndNs
    FROM ${from(condition, `LIMIT ${maxBlocks}`)} AS b
    INNER JOIN ${from(`SpanKind = 'Server'`)} AS e ON b.service = e.service AND b.instance = e.instance AND b.second = e.second
    WHERE b.TraceId != e.TraceId AND e.startNs < b.endNs AND e.endNs > b.startNs
    ORDER BY cityHash64(victimTrace) LIMIT ${maxLosses}`
  const calls = `SELECT TraceId, ServiceName, toUnixTimestamp64Nano(Timestamp) AS callStartNs, callStartNs + toInt64(Duration) AS callEndNs, usualNs
    FROM otel_traces INNER JOIN (
      SELECT ServiceName, SpanName, toInt64(quantile(0.5)(Duration)) AS usualNs
      FROM otel_traces WHERE ${inWindow} AND SpanKind = 'Client' GROUP BY ServiceName, SpanName
    ) AS usual USING (ServiceName, SpanName)
    WHERE ${inWindow} AND SpanKind = 'Client' AND TraceId IN (SELECT victimTrace FROM (${pairs}))`
  return rows<StallLoss>(
    window.store,
    `SELECT blockId, any(blockTrace) AS traceId, victimId,
       greatest(0, least(any(blockEndNs), any(victimEndNs)) - greatest(any(blockStartNs), any(victimStartNs),
         maxIf(callStartNs + usualNs, callStartNs < blockStartNs AND callEndNs > blockStartNs))) / 1e6 AS ms
     FROM (${pairs}) AS p LEFT JOIN (${calls}) AS c ON p.victimTrace = c.TraceId AND p.service = c.ServiceName
     GROUP BY blockId, victimId`,
    window.parameters,
  )
}
