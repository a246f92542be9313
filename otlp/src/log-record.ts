import type { AnyValue, KeyValue, Resource, Scope } from './span.ts'

/** One log record or event (opentelemetry-proto 1.10, `logs/v1/logs.proto`). An event is a record with an `eventName`. */
export interface LogRecord {
  readonly timeUnixNano: bigint
  readonly observedTimeUnixNano: bigint
  /** 0 (unset) to 24; INFO is 9, ERROR is 17. */
  readonly severityNumber: number
  readonly severityText: string
  readonly body: AnyValue
  readonly attributes: readonly KeyValue[]
  readonly droppedAttributesCount: number
  readonly flags: number
  readonly traceId: string
  readonly spanId: string
  readonly eventName: string
}

export interface ScopeLogs {
  readonly scope: Scope
  readonly schemaUrl: string
  readonly logRecords: readonly LogRecord[]
}

export interface ResourceLogs {
  readonly resource: Resource
  readonly schemaUrl: string
  readonly scopeLogs: readonly ScopeLogs[]
}

/** `ExportLogsServiceRequest`. */
export interface LogsData {
  readonly resourceLogs: readonly ResourceLogs[]
}
