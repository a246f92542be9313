import {
  decodeLogs,
  decodeLogsJson,
  decodeMetrics,
  decodeMetricsJson,
  decodeProfiles,
  decodeProfilesJson,
  decodeTraces,
  decodeTracesJson,
  OtlpJsonError,
  type PartialSuccess,
  type Signal,
  type TracesData,
  WireError,
} from '@hotspan/otlp'
import { ForeignFormatError } from '../formats/foreign-trace.ts'
import { decodeZipkinJson } from '../formats/zipkin-json.ts'
import { RowTable } from '../schema/row-layout.ts'
import { logRowsFromObjects } from '../transcode/logs-from-objects.ts'
import { type MetricRows, metricRowsFromObjects } from '../transcode/metrics-from-objects.ts'
import {
  type ProfileRows,
  profileLimits,
  profileRowsFromObjects,
} from '../transcode/profiles-from-objects.ts'
import { maxAttributes, maxKeyBytes, maxValueBytes, RowsTooLarge } from '../transcode/row-writer.ts'
import { type Rows, spanRowsFromObjects } from '../transcode/spans-from-objects.ts'
import { spanRowsFromProtobuf } from '../transcode/spans-from-protobuf.ts'
import { IntakeFailure } from './intake-failure.ts'
import {
  allWithin,
  logsWithin,
  metricsWithin,
  profilesWithin,
  spansWithin,
  TimeJudge,
  type TimeWindow,
} from './time-window.ts'

/** Of OTLP. */
export type Encoding = 'protobuf' | 'json'
/** What a door may hand over; `zipkin` is Zipkin v2 JSON, traces only. */
export type BodyFormat = Encoding | 'zipkin'

/** What a body becomes: rows for one or more tables, and what could not become one. */
export interface BodyRows {
  readonly tables: readonly { readonly table: RowTable; readonly rows: Rows }[]
  readonly partial: PartialSuccess | null
  /** 16 bytes as latin1 text that tell the body from others, where the walk saw them by the way. */
  readonly fingerprint?: string | null
}

/** Throws `IntakeFailure` 400 for a body that is not such a message. Records outside of the window are left out, and told. */
export function rowsOfBody(
  signal: Signal,
  encoding: BodyFormat,
  body: Buffer,
  receivedMs: number,
  window: TimeWindow,
): BodyRows {
  const judge = new TimeJudge(window)
  try {
    if (signal === 'traces' && encoding === 'protobuf') {
      const { seen, ...rows } = spanRowsFromProtobuf(body)
      const fingerprint = seen?.fingerprint ?? null
      if (seen !== null && allWithin(window, seen.earliestNs, seen.latestNs))
        return withWarning({ tables: tablesOf(RowTable.Traces, rows), partial: null, fingerprint })
      // Rare: the object route leaves out what the walk cannot.
      rows.release?.()
      return { ...spanRows(decodeTraces(body), judge), fingerprint }
    }
    if (signal === 'metrics') {
      const data = encoding === 'json' ? decodeMetricsJson(body) : decodeMetrics(body)
      return withWarning(metricRows(metricRowsFromObjects(metricsWithin(data, judge)), judge))
    }
    if (signal === 'profiles') {
      const data =
        encoding === 'json' ? decodeProfilesJson(body, profileLimits) : decodeProfiles(body, profileLimits)
      const within = profilesWithin(data, judge, receivedMs)
      return withWarning(profileRows(profileRowsFromObjects(within, receivedMs), judge))
    }
    if (signal === 'traces')
      return spanRows(encoding === 'json' ? decodeTracesJson(body) : decodeZipkinJson(body), judge)
    const logs = encoding === 'json' ? decodeLogsJson(body) : decodeLogs(body)
    const rows = logRowsFromObjects(logsWithin(logs, judge, receivedMs))
    return withWarning({
      tables: tablesOf(RowTable.Logs, rows),
      partial: partialOf('log records', judge.rejected, []),
    })
  } catch (error) {
    if (error instanceof WireError || error instanceof OtlpJsonError || error instanceof SyntaxError) {
      throw new IntakeFailure(400, 'bad-data', `not an OTLP ${signal} request: ${error.message}`, {
        violations: [{ field: signal, description: error.message }],
      })
    }
    if (error instanceof ForeignFormatError) {
      throw new IntakeFailure(400, 'bad-data', `not a list of Zipkin v2 spans: ${error.message}`)
    }
    if (error instanceof RowsTooLarge) {
      throw new IntakeFailure(
        413,
        'too-large',
        `${error.message}; send smaller batches, or fewer resource attributes`,
      )
    }
    throw error
  }
}

function tablesOf(table: RowTable, rows: Rows): BodyRows['tables'] {
  if (rows.rows > 0) return [{ table, rows }]
  rows.release?.()
  return []
}

/** What passed a limit is said: with nothing rejected it is a warning about records that were kept. */
function withWarning(body: BodyRows): BodyRows {
  let cutValues = 0
  let droppedAttributes = 0
  for (const { rows } of body.tables) {
    cutValues += rows.cutValues
    droppedAttributes += rows.droppedAttributes
  }
  if (cutValues === 0 && droppedAttributes === 0) return body
  const parts = body.partial === null ? [] : [body.partial.errorMessage]
  if (cutValues > 0) parts.push(`${cutValues} attribute values were cut to ${maxValueBytes} bytes`)
  if (droppedAttributes > 0) {
    parts.push(
      `${droppedAttributes} attributes were left out (more than ${maxAttributes} of a record, or a name over ${maxKeyBytes} bytes)`,
    )
  }
  return { ...body, partial: { rejected: body.partial?.rejected ?? 0, errorMessage: parts.join('; ') } }
}

function spanRows(data: TracesData, judge: TimeJudge): BodyRows {
  const rows = spanRowsFromObjects(spansWithin(data, judge))
  return withWarning({
    tables: tablesOf(RowTable.Traces, rows),
    partial: partialOf('spans', judge.rejected, []),
  })
}

function metricRows({ tables, rejected }: MetricRows, judge: TimeJudge): BodyRows {
  return { tables, partial: partialOf('data points', new Map([...judge.rejected, ...rejected]), []) }
}

function profileRows({ tables, rejected, warnings }: ProfileRows, judge: TimeJudge): BodyRows {
  return { tables, partial: partialOf('profiles', new Map([...judge.rejected, ...rejected]), warnings) }
}

function partialOf(
  what: string,
  rejected: ReadonlyMap<string, number>,
  warnings: readonly string[],
): PartialSuccess | null {
  const reasons = [...rejected].map(([reason, count]) => `${count} with ${reason}`)
  const messages = [
    ...(rejected.size > 0 ? [`${what} that cannot be stored: ${reasons.join(', ')}`] : []),
    ...warnings,
  ]
  if (messages.length === 0) return null
  return {
    rejected: [...rejected.values()].reduce((sum, count) => sum + count, 0),
    errorMessage: messages.join('; '),
  }
}
