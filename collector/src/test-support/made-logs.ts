import type { LogsData } from '@hotspan/otlp'
import { text } from './made-spans.ts'

/** One log record of now. */
export function oneLog(service: string, body: string): LogsData {
  return {
    resourceLogs: [
      {
        resource: { attributes: [text('service.name', service)], droppedAttributesCount: 0 },
        schemaUrl: '',
        scopeLogs: [
          {
            scope: { name: 'test', version: '', attributes: [], droppedAttributesCount: 0 },
            schemaUrl: '',
            logRecords: [
              {
                timeUnixNano: BigInt(Date.now()) * 1_000_000n,
                observedTimeUnixNano: 0n,
                severityNumber: 9,
                severityText: 'INFO',
                body,
                attributes: [],
                droppedAttributesCount: 0,
                flags: 0,
                traceId: '',
                spanId: '',
                eventName: '',
              },
            ],
          },
        ],
      },
    ],
  }
}
