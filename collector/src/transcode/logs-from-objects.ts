import type { LogsData } from '@hotspan/otlp'
import { attributeText, serviceNameOf, writeAttributes } from './attribute-text.ts'
import { RowWriter } from './row-writer.ts'
import { finishedRows, type Rows } from './spans-from-objects.ts'

/** Rows of `otel_logs`. A record without a time has the time at which it was observed, as in the exporter. */
export function logRowsFromObjects(data: LogsData): Rows {
  const w = new RowWriter()
  const origin = new RowWriter(1 << 10)
  let rows = 0
  for (const { resource, schemaUrl: resourceSchemaUrl, scopeLogs } of data.resourceLogs) {
    const service = serviceNameOf(resource.attributes)
    for (const { scope, schemaUrl, logRecords } of scopeLogs) {
      if (logRecords.length === 0) continue
      // The columns that all records of a scope share.
      origin.clear()
      origin.string(resourceSchemaUrl)
      writeAttributes(origin, resource.attributes)
      origin.string(schemaUrl)
      origin.string(scope.name)
      origin.string(scope.version)
      writeAttributes(origin, scope.attributes)
      for (const record of logRecords) {
        w.uint64(record.timeUnixNano === 0n ? record.observedTimeUnixNano : record.timeUnixNano)
        w.string(record.traceId)
        w.string(record.spanId)
        w.byte(record.flags & 0xff)
        w.string(record.severityText)
        w.byte(record.severityNumber & 0xff)
        w.limitedString(service)
        w.string(attributeText(record.body))
        w.append(origin)
        writeAttributes(w, record.attributes)
        w.string(record.eventName)
        rows += 1
      }
    }
  }
  return finishedRows(rows, w)
}
