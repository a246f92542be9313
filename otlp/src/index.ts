/** Door `@hotspan/otlp`. */
export { type DecodeLimits, defaultDecodeLimits } from './decode-limits.ts'
export { bytesOfHex, hexOfBytes } from './hex.ts'
export { type AttributeDefinition, hotspanAttribute } from './hotspan-attributes.ts'
export type { LogRecord, LogsData, ResourceLogs, ScopeLogs } from './log-record.ts'
export { decodeLogs, encodeLogs } from './logs-protobuf.ts'
export type {
  AnyValue,
  KeyValue,
  KeyValueList,
  Resource,
  ResourceSpans,
  Scope,
  ScopeSpans,
  Span,
  SpanEvent,
  SpanLink,
  TracesData,
} from './span.ts'
export { SpanKind, StatusCode } from './span.ts'
export { decodeTraces, encodeTraces } from './traces-protobuf.ts'
export { WireError, type WireErrorReason } from './wire-error.ts'
