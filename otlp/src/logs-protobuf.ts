import {
  emptyResource,
  emptyScope,
  readAnyValue,
  readKeyValue,
  readResource,
  readScope,
  writeAnyValue,
  writeKeyValues,
  writeResource,
  writeScope,
} from './any-value-protobuf.ts'
import { ByteWriter } from './byte-writer.ts'
import { DecodeBudget, type DecodeLimits } from './decode-limits.ts'
import { readId, SPAN_ID_BYTES, TRACE_ID_BYTES, writeId } from './id-protobuf.ts'
import type { LogRecord, LogsData, ResourceLogs, ScopeLogs } from './log-record.ts'
import type { AnyValue, KeyValue, Resource, Scope } from './span.ts'
import { WireReader } from './wire-read.ts'

/**
 * `ExportLogsServiceRequest` as protobuf (opentelemetry-proto 1.10, logs/v1/logs.proto). Throws `TypeError` when an id is not
 * hex of its length.
 */
export function encodeLogs(data: LogsData): Uint8Array {
  const w = new ByteWriter(4096)
  for (const resourceLogs of data.resourceLogs) {
    w.message(1, () => {
      w.message(1, () => writeResource(w, resourceLogs.resource))
      for (const scopeLogs of resourceLogs.scopeLogs) {
        w.message(2, () => {
          w.message(1, () => writeScope(w, scopeLogs.scope))
          for (const record of scopeLogs.logRecords) w.message(2, () => writeLogRecord(w, record))
          w.stringField(3, scopeLogs.schemaUrl)
        })
      }
      w.stringField(3, resourceLogs.schemaUrl)
    })
  }
  return w.finish()
}

function writeLogRecord(w: ByteWriter, record: LogRecord): void {
  w.fixed64Field(1, record.timeUnixNano)
  w.uintField(2, record.severityNumber)
  w.stringField(3, record.severityText)
  if (record.body !== null) w.message(5, () => writeAnyValue(w, record.body))
  writeKeyValues(w, 6, record.attributes)
  w.uintField(7, record.droppedAttributesCount)
  w.fixed32Field(8, record.flags)
  writeId(w, 9, record.traceId, TRACE_ID_BYTES)
  writeId(w, 10, record.spanId, SPAN_ID_BYTES)
  w.fixed64Field(11, record.observedTimeUnixNano)
  w.stringField(12, record.eventName)
}

/** Reads an `ExportLogsServiceRequest`; tolerant as `decodeTraces` is. Throws only `WireError`. */
export function decodeLogs(bytes: Uint8Array, limits: Partial<DecodeLimits> = {}): LogsData {
  const r = new WireReader(bytes)
  const budget = new DecodeBudget(limits)
  const resourceLogs: ResourceLogs[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) resourceLogs.push(readResourceLogs(r, budget))
    else r.skip(tag)
  }
  return { resourceLogs }
}

function readResourceLogs(r: WireReader, budget: DecodeBudget): ResourceLogs {
  const outer = r.enter()
  let resource: Resource = emptyResource
  let schemaUrl = ''
  const scopeLogs: ScopeLogs[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) resource = readResource(r, budget)
    else if (tag === 18) scopeLogs.push(readScopeLogs(r, budget))
    else if (tag === 26) schemaUrl = r.string()
    else r.skip(tag)
  }
  r.leave(outer)
  return { resource, schemaUrl, scopeLogs }
}

function readScopeLogs(r: WireReader, budget: DecodeBudget): ScopeLogs {
  const outer = r.enter()
  let scope: Scope = emptyScope
  let schemaUrl = ''
  const logRecords: LogRecord[] = []
  while (r.more()) {
    const tag = r.tag()
    if (tag === 10) scope = readScope(r, budget)
    else if (tag === 18) logRecords.push(readLogRecord(r, budget))
    else if (tag === 26) schemaUrl = r.string()
    else r.skip(tag)
  }
  r.leave(outer)
  return { scope, schemaUrl, logRecords }
}

/** Severity numbers outside 0 to 24 become 0 (unset). */
export function knownSeverity(value: number): number {
  return value >= 0 && value <= 24 ? value : 0
}

function readLogRecord(r: WireReader, budget: DecodeBudget): LogRecord {
  budget.takeRecord(r.at)
  const outer = r.enter()
  const attributes: KeyValue[] = []
  const record = {
    timeUnixNano: 0n,
    observedTimeUnixNano: 0n,
    severityNumber: 0,
    severityText: '',
    body: null as AnyValue,
    attributes,
    droppedAttributesCount: 0,
    flags: 0,
    traceId: '',
    spanId: '',
    eventName: '',
  }
  while (r.more()) {
    const tag = r.tag()
    switch (tag) {
      case 9:
        record.timeUnixNano = r.fixed64BigInt()
        break
      case 16:
        record.severityNumber = knownSeverity(r.int32())
        break
      case 26:
        record.severityText = r.string()
        break
      case 42: {
        const inner = r.enter()
        record.body = readAnyValue(r, budget, 0)
        r.leave(inner)
        break
      }
      case 50:
        attributes.push(readKeyValue(r, budget))
        break
      case 56:
        record.droppedAttributesCount = r.uint32()
        break
      case 69:
        record.flags = r.fixed32()
        break
      case 74:
        record.traceId = readId(r, TRACE_ID_BYTES)
        break
      case 82:
        record.spanId = readId(r, SPAN_ID_BYTES)
        break
      case 89:
        record.observedTimeUnixNano = r.fixed64BigInt()
        break
      case 98:
        record.eventName = r.string()
        break
      default:
        r.skip(tag)
    }
  }
  r.leave(outer)
  return record
}
