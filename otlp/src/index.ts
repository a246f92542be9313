/** Door `@hotspan/otlp`. */
export { type DecodeLimits, defaultDecodeLimits } from './decode-limits.ts'
export {
  type DialectRow,
  dialects,
  type NormaliseOptions,
  normaliseAttributes,
  sqlCoalesce,
} from './dialects.ts'
export {
  decodeExportResponse,
  encodeExportResponse,
  exportResponseFromJson,
  exportResponseToJson,
  type PartialSuccess,
  type Signal,
} from './export-response.ts'
export { bytesOfHex, hexOfBytes } from './hex.ts'
export { type AttributeDefinition, hotspanAttribute } from './hotspan-attributes.ts'
export { OtlpJsonError } from './json-reader.ts'
export type { LogRecord, LogsData, ResourceLogs, ScopeLogs } from './log-record.ts'
export { decodeLogsJson, encodeLogsJson } from './logs-json.ts'
export { decodeLogs, encodeLogs } from './logs-protobuf.ts'
export {
  AggregationTemporality,
  type Exemplar,
  type ExponentialBuckets,
  type ExponentialHistogramPoint,
  type HistogramPoint,
  type Metric,
  type MetricPoints,
  type MetricsData,
  type NumberPoint,
  type NumberValue,
  type ResourceMetrics,
  type ScopeMetrics,
  type SummaryPoint,
} from './metric.ts'
export { decodeMetrics } from './metrics-decode-protobuf.ts'
export { encodeMetrics } from './metrics-encode-protobuf.ts'
export { decodeMetricsJson, encodeMetricsJson } from './metrics-json.ts'
export type {
  Profile,
  ProfileAttribute,
  ProfileFunction,
  ProfileLine,
  ProfileLink,
  ProfileLocation,
  ProfileMapping,
  ProfileSample,
  ProfileStack,
  ProfilesData,
  ProfilesDictionary,
  ResourceProfiles,
  ScopeProfiles,
  ValueType,
} from './profile.ts'
export { decodeProfiles } from './profiles-decode-protobuf.ts'
export { encodeProfiles } from './profiles-encode-protobuf.ts'
export { decodeProfilesJson, encodeProfilesJson } from './profiles-json.ts'
export { rpcCodeNames } from './rpc-code-names.ts'
export {
  decodeRpcStatus,
  encodeRpcStatus,
  type FieldViolation,
  RpcCode,
  type RpcStatus,
  rpcStatusFromJson,
  rpcStatusToJson,
} from './rpc-status.ts'
export * as attr from './semantic-conventions.ts'
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
export { formatTraceparent, parseTraceparent, TraceFlag, type TraceParent } from './trace-context.ts'
export {
  formatThreshold,
  formatTraceState,
  MAX_TRACE_STATE_MEMBERS,
  parseSamplingState,
  parseTraceState,
  randomnessOfTraceId,
  type SamplingState,
  samplingWeight,
  type TraceStateMember,
  thresholdOfProbability,
  withSamplingState,
} from './trace-state.ts'
export { decodeTracesJson, encodeTracesJson } from './traces-json.ts'
export { decodeTraces, encodeTraces } from './traces-protobuf.ts'
export { WireError, type WireErrorReason } from './wire-error.ts'
