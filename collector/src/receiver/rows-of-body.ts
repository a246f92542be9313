import {
  decodeLogs,
  decodeLogsJson,
  decodeTracesJson,
  OtlpJsonError,
  type PartialSuccess,
  type Signal,
  WireError,
} from '@hotspan/otlp'
import { RowTable } from '../schema/row-layout.ts'
import { logRowsFromObjects } from '../transcode/logs-from-objects.ts'
import { RowsTooLarge } from '../transcode/row-writer.ts'
import { type Rows, spanRowsFromObjects } from '../transcode/spans-from-objects.ts'
import { spanRowsFromProtobuf } from '../transcode/spans-from-protobuf.ts'
import { countDataPoints, countDataPointsJson } from './count-data-points.ts'
import { HttpFailure } from './http-failure.ts'

export type Encoding = 'protobuf' | 'json'

/** What a body becomes: rows for a table, or nothing with the reason. */
export type BodyRows =
  | { readonly kind: 'rows'; readonly table: RowTable; readonly rows: Rows }
  | { readonly kind: 'nothing'; readonly partial: PartialSuccess | null }

/** Throws `HttpFailure` 400 for a body that is not such a message. */
export function rowsOfBody(signal: Signal, encoding: Encoding, body: Buffer): BodyRows {
  try {
    if (signal === 'metrics') return { kind: 'nothing', partial: metricsAnswer(encoding, body) }
    const rows =
      signal === 'traces'
        ? encoding === 'json'
          ? spanRowsFromObjects(decodeTracesJson(body))
          : spanRowsFromProtobuf(body)
        : logRowsFromObjects(encoding === 'json' ? decodeLogsJson(body) : decodeLogs(body))
    if (rows.rows === 0) return { kind: 'nothing', partial: null }
    return { kind: 'rows', table: signal === 'traces' ? RowTable.Traces : RowTable.Logs, rows }
  } catch (error) {
    if (error instanceof WireError || error instanceof OtlpJsonError || error instanceof SyntaxError) {
      throw new HttpFailure(400, 'bad-data', `not an OTLP ${signal} request: ${error.message}`, {
        violations: [{ field: signal, description: error.message }],
      })
    }
    if (error instanceof RowsTooLarge) {
      throw new HttpFailure(
        413,
        'too-large',
        `${error.message}; send smaller batches, or fewer resource attributes`,
      )
    }
    throw error
  }
}

function metricsAnswer(encoding: Encoding, body: Buffer): PartialSuccess | null {
  const rejected =
    encoding === 'json' ? countDataPointsJson(JSON.parse(body.toString('utf8'))) : countDataPoints(body)
  return rejected === 0 ? null : { rejected, errorMessage: 'metrics are not stored yet; traces and logs are' }
}
