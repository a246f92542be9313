import {
  decodeLogs,
  decodeLogsJson,
  decodeMetrics,
  decodeMetricsJson,
  decodeProfiles,
  decodeProfilesJson,
  decodeTraces,
  decodeTracesJson,
  type LogsData,
  type MetricsData,
  type ProfilesData,
  type TracesData,
} from '@hotspan/otlp'
import { tracesOfChrome } from '../formats/chrome-trace.ts'
import { isRecord, parseJson } from '../formats/foreign-trace.ts'
import { tracesOfJaeger } from '../formats/jaeger-json.ts'
import { decodeZipkinJson } from '../formats/zipkin-json.ts'

export type ImportFormat = 'otlp-json' | 'otlp-protobuf' | 'jaeger' | 'zipkin' | 'chrome'

/** A part of a file: telemetry of one signal. */
export type Telemetry =
  | { readonly signal: 'traces'; readonly data: TracesData }
  | { readonly signal: 'logs'; readonly data: LogsData }
  | { readonly signal: 'metrics'; readonly data: MetricsData }
  | { readonly signal: 'profiles'; readonly data: ProfilesData }

const otlpKeys = ['resourceSpans', 'resourceLogs', 'resourceMetrics', 'resourceProfiles']

/** The form of a text that is one JSON document; null when it is none of ours. */
export function formatOfDocument(document: unknown): ImportFormat | null {
  if (Array.isArray(document)) {
    const first: unknown = document[0]
    if (!isRecord(first)) return document.length === 0 ? 'zipkin' : null
    if ('ph' in first) return 'chrome'
    if ('traceID' in first || 'spans' in first) return 'jaeger'
    return 'traceId' in first && 'id' in first ? 'zipkin' : null
  }
  if (!isRecord(document)) return null
  if (otlpKeys.some((key) => key in document)) return 'otlp-json'
  if ('traceEvents' in document) return 'chrome'
  if ('data' in document || ('traceID' in document && 'spans' in document)) return 'jaeger'
  return null
}

/** OTLP/JSON of whichever signals the document holds. Throws `OtlpJsonError`. */
export function otlpOfDocument(document: unknown, text: string): Telemetry[] {
  const parts: Telemetry[] = []
  if (!isRecord(document)) return parts
  if ('resourceSpans' in document) parts.push({ signal: 'traces', data: decodeTracesJson(text) })
  if ('resourceLogs' in document) parts.push({ signal: 'logs', data: decodeLogsJson(text) })
  if ('resourceMetrics' in document) parts.push({ signal: 'metrics', data: decodeMetricsJson(text) })
  if ('resourceProfiles' in document) parts.push({ signal: 'profiles', data: decodeProfilesJson(text) })
  return parts
}

export function foreignTelemetry(
  format: 'jaeger' | 'zipkin' | 'chrome',
  text: string,
  file: { readonly name: string; readonly modifiedMs: number },
): Telemetry {
  if (format === 'zipkin') return { signal: 'traces', data: decodeZipkinJson(text, file.modifiedMs) }
  const document = parseJson(text)
  const data =
    format === 'jaeger'
      ? tracesOfJaeger(document)
      : tracesOfChrome(document, { name: file.name, endMs: file.modifiedMs })
  return { signal: 'traces', data }
}

/** Messages of a protobuf file, and the bytes behind the last whole one: a write that was cut off. */
export interface ProtobufMessages {
  readonly messages: readonly Buffer[]
  readonly cutBytes: number
}

/**
 * Messages of a protobuf file: as the Collector's file exporter writes them, each behind its length in four bytes, or one message
 * that fills the file.
 */
export function protobufMessages(bytes: Buffer): ProtobufMessages {
  const messages: Buffer[] = []
  let at = 0
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt32BE(at)
    if (length === 0 || at + 4 + length > bytes.length) break
    messages.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  const cutBytes = bytes.length - at
  // One message may look like a length and its bytes by chance, but not like telemetry behind a length.
  const isFramed = messages.length > 0 && (cutBytes === 0 || otlpOfProtobuf(messages[0]!) !== null)
  return isFramed ? { messages, cutBytes } : { messages: [bytes], cutBytes: 0 }
}

/**
 * Which signal a protobuf message is of is not in it: they are told apart by what has to be in a span, a log record or a metric, and by the
 * dictionary, which only profiles have. null when it is none.
 */
export function otlpOfProtobuf(bytes: Uint8Array): Telemetry | null {
  const traces = attempt(() => decodeTraces(bytes))
  const spans =
    traces?.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)) ?? []
  const isSpan = spans.every(
    ({ traceId, spanId, startTimeUnixNano }) => traceId && spanId && startTimeUnixNano > 0n,
  )
  if (traces !== null && spans.length > 0 && isSpan) return { signal: 'traces', data: traces }
  const logs = attempt(() => decodeLogs(bytes))
  const records =
    logs?.resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords)) ?? []
  const isLog = records.every((record) => record.timeUnixNano > 0n || record.observedTimeUnixNano > 0n)
  if (logs !== null && records.length > 0 && isLog) return { signal: 'logs', data: logs }
  const profiles = attempt(() => decodeProfiles(bytes))
  if (profiles !== null && profiles.dictionary.stringTable.length > 0) {
    return { signal: 'profiles', data: profiles }
  }
  const metrics = attempt(() => decodeMetrics(bytes))
  const series =
    metrics?.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics)) ??
    []
  const isMetric = series.every(({ name, data }) => name !== '' && data !== null)
  if (metrics !== null && series.length > 0 && isMetric) return { signal: 'metrics', data: metrics }
  return null
}

function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}
