import type { LogsData } from '@hotspan/otlp'
import { attributeText, serviceNameOf, writeAttributes } from './attribute-text.ts'
import { RowWriter } from './row-writer.ts'
import { finishedRows, type Rows } from './spans-from-objects.ts'

/** Rows of `otel_logs`. A record without a time has the time at which it was observed, as in the exporter. */
export function logRowsFromObjects(data: LogsData): Rows {
  const w = new RowWriter()
  let rows = 0
  for (const { resource, schemaUrl: resourceSchemaUrl, scopeLogs } of data.resourceLogs) {
    const service = serviceNameOf(resource.attributes)
    for (const { scope, schemaUrl, logRecords } of scopeLogs) {
      for (const record of logRecords) {
        w.uint64(record.timeUnixNano === 0n ? record.observedTimeUnixNano : record.timeUnixNano)
        w.string(record.traceId)
        w.string(record.spanId)
        w.byte(record.flags & 0xff)
        w.string(record.severityText)
        w.byte(record.severityNumber & 0xff)
        w.limitedString(service)
        w.string(attributeText(record.body))
        w.string(resourceSchemaUrl)
        writeAttributes(w, resource.attributes)
        w.string(schemaUrl)
        w.string(scope.name)
        w.string(scope.version)
        writeAttributes(w, scope.attributes)
        writeAttributes(w, record.attributes)
        w.string(record.eventName)
        rows += 1
      }
    }
  }
  return finishedRows(rows, w)
}
