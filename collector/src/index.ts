/** Door `@hotspan/collector`. */
export {
  createToken,
  limitProject,
  type NewToken,
  type ProjectLimits,
  readAccessFile,
  revokeToken,
  type TokenKind,
  type TokenRecord,
} from './access/token-file.ts'
export {
  type Collector,
  type CollectorOptions,
  type CollectorStats,
  createCollector,
} from './collector.ts'
export { liveOwner, type Owner } from './data-directory/owner.ts'
export { unsupportedReason } from './engine/platform.ts'
export { CollectorError, type CollectorErrorCode } from './errors.ts'
export { type ImportOptions, importFile } from './import/import-file.ts'
export type { ImportReport } from './import/importer.ts'
export type { ImportFormat } from './import/read-telemetry.ts'
export type { Job } from './jobs.ts'
export { type BackupOptions, type BackupReport, backup } from './keeping/backup.ts'
export { type DiskUse, diskUse } from './keeping/disk-use.ts'
export { type StoreLimits, storeLimits } from './keeping/limits.ts'
export { type RestoreOptions, type RestoreReport, restore } from './keeping/restore.ts'
export type { Route, RouteRequest, RouteResponse } from './page/routes.ts'
export type { AttributeCondition } from './queries/attribute-condition.ts'
export {
  type AttributeKey,
  type AttributeKeysArgs,
  type AttributeValue,
  type AttributeValuesArgs,
  attributeKeys,
  attributeValues,
} from './queries/attribute-values.ts'
export { type CompleteTrace, type CompleteTracesArgs, completeTraces } from './queries/complete-traces.ts'
export { distinctSpans } from './queries/distinct-spans.ts'
export { exceptionsOfTraces, type StoredException } from './queries/exceptions.ts'
export { type ExemplarTrace, type ExemplarTracesArgs, exemplarTraces } from './queries/exemplar-traces.ts'
export {
  type OperationFigures,
  type OperationsArgs,
  operations,
  rootOperations,
} from './queries/operations.ts'
export {
  type ProfiledFunction,
  type ProfileFunctionsArgs,
  profileFunctions,
} from './queries/profile-functions.ts'
export {
  type RepeatedSiblings,
  type RepeatedSiblingsArgs,
  repeatedSiblings,
} from './queries/repeated-siblings.ts'
export { type RequestPoint, type RequestSeriesArgs, requestSeries } from './queries/request-series.ts'
export { inScope, type QueryBounds, runQuery, type Scope, scopeParameters } from './queries/run-query.ts'
export { type FoundSpan, type SearchArgs, searchSpans } from './queries/search-spans.ts'
export { type ServiceEdge, type ServiceGraphArgs, serviceGraph } from './queries/service-graph.ts'
export { type ServiceCoverage, services } from './queries/services.ts'
export { spansOfTraces } from './queries/spans-of-traces.ts'
export { type StatementFigures, type StatementsArgs, statements } from './queries/statements.ts'
export { traceById } from './queries/trace-by-id.ts'
export type { RejectReason } from './receiver/intake-failure.ts'
export { type BuildFolder, readBuildFolder } from './source-maps/build-folder.ts'
export type { StoredBuild } from './source-maps/each-file.ts'
export { storeSourceMaps } from './source-maps/store-source-maps.ts'
export { type UploadTarget, uploadSourceMaps } from './source-maps/upload-source-maps.ts'
export { type OpenStoreOptions, openStore, type Store } from './store.ts'
export { type SpanRow, type StoredSpan, spanColumns, spanOfRow } from './stored-span.ts'
