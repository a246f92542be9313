import { emptyResource, emptyScope } from './any-value-protobuf.ts'
import type { DecodeLimits } from './decode-limits.ts'
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './id-protobuf.ts'
import { type JsonObject, JsonReader } from './json-reader.ts'
import {
  anyValueToJson,
  keyValuesToJson,
  nanosToJson,
  resourceToJson,
  scopeToJson,
  withoutDefaults,
} from './json-writer.ts'
import type { LogRecord, LogsData } from './log-record.ts'
import { knownSeverity } from './logs-protobuf.ts'
import type { AnyValue } from './span.ts'

/** `ExportLogsServiceRequest` as OTLP/JSON text. */
export function encodeLogsJson(data: LogsData): string {
  return JSON.stringify({
    resourceLogs: data.resourceLogs.map((resourceLogs) => ({
      resource: resourceToJson(resourceLogs.resource),
      scopeLogs: resourceLogs.scopeLogs.map((scopeLogs) => ({
        scope: scopeToJson(scopeLogs.scope),
        logRecords: scopeLogs.logRecords.map(logRecordToJson),
        ...withoutDefaults({ schemaUrl: scopeLogs.schemaUrl }),
      })),
      ...withoutDefaults({ schemaUrl: resourceLogs.schemaUrl }),
    })),
  })
}

function logRecordToJson(record: LogRecord): Record<string, unknown> {
  const json = withoutDefaults({
    timeUnixNano: nanosToJson(record.timeUnixNano),
    observedTimeUnixNano: nanosToJson(record.observedTimeUnixNano),
    severityNumber: record.severityNumber,
    severityText: record.severityText,
    attributes: keyValuesToJson(record.attributes),
    droppedAttributesCount: record.droppedAttributesCount,
    flags: record.flags,
    traceId: record.traceId,
    spanId: record.spanId,
    eventName: record.eventName,
  })
  if (record.body !== null) json.body = anyValueToJson(record.body)
  return json
}

/** Reads an OTLP/JSON `ExportLogsServiceRequest`; tolerant as `decodeTracesJson` is. Throws only `OtlpJsonError`. */
export function decodeLogsJson(body: string | Uint8Array, limits: Partial<DecodeLimits> = {}): LogsData {
  const r = new JsonReader(limits)
  return {
    resourceLogs: r.list(r.parse(body), 'resourceLogs', (resourceLogs) => ({
      resource: r.message(resourceLogs, 'resource', emptyResource, (resource) => r.resource(resource)),
      schemaUrl: r.text(resourceLogs, 'schemaUrl'),
      scopeLogs: r.list(resourceLogs, 'scopeLogs', (scopeLogs) => ({
        scope: r.message(scopeLogs, 'scope', emptyScope, (scope) => r.scope(scope)),
        schemaUrl: r.text(scopeLogs, 'schemaUrl'),
        logRecords: r.list(scopeLogs, 'logRecords', (record) => readLogRecord(r, record)),
      })),
    })),
  }
}

function readLogRecord(r: JsonReader, record: JsonObject): LogRecord {
  r.budget.takeRecord()
  return {
    timeUnixNano: r.uint64(record, 'timeUnixNano'),
    observedTimeUnixNano: r.uint64(record, 'observedTimeUnixNano'),
    severityNumber: knownSeverity(r.enumNumber(record, 'severityNumber')),
    severityText: r.text(record, 'severityText'),
    body: r.message<AnyValue>(record, 'body', null, (body) => r.anyValue(body)),
    attributes: r.keyValues(record, 'attributes'),
    droppedAttributesCount: r.uint32(record, 'droppedAttributesCount'),
    flags: r.uint32(record, 'flags'),
    traceId: r.id(record, 'traceId', TRACE_ID_BYTES),
    spanId: r.id(record, 'spanId', SPAN_ID_BYTES),
    eventName: r.text(record, 'eventName'),
  }
}
