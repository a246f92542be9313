import {
  decodeLogsJson,
  decodeMetricsJson,
  decodeProfilesJson,
  decodeTracesJson,
  encodeLogs,
  encodeMetrics,
  encodeProfiles,
  encodeTraces,
} from '@hotspan/otlp'
import { decodeZipkinJson } from '../formats/zipkin-json.ts'
import type { SentBody } from '../receiver/intake.ts'

/** A body that was taken, as OTLP protobuf. */
export function protobufOf({ signal, encoding, bytes }: SentBody): Uint8Array {
  if (encoding === 'protobuf') return bytes
  if (encoding === 'zipkin') return encodeTraces(decodeZipkinJson(bytes))
  if (signal === 'traces') return encodeTraces(decodeTracesJson(bytes))
  if (signal === 'logs') return encodeLogs(decodeLogsJson(bytes))
  if (signal === 'metrics') return encodeMetrics(decodeMetricsJson(bytes))
  return encodeProfiles(decodeProfilesJson(bytes))
}
