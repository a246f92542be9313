/** Door `@hotspan/collector`. */
export {
  type Collector,
  type CollectorOptions,
  type CollectorStats,
  createCollector,
  type Job,
} from './collector.ts'
export { liveOwner, type Owner } from './data-directory/owner.ts'
export { unsupportedReason } from './engine/platform.ts'
export { CollectorError, type CollectorErrorCode } from './errors.ts'
export type { Route, RouteRequest, RouteResponse } from './page/routes.ts'
export { inScope, type QueryBounds, runQuery, type Scope, scopeParameters } from './queries/run-query.ts'
export { spansOfTraces } from './queries/spans-of-traces.ts'
export { traceById } from './queries/trace-by-id.ts'
export type { RejectReason } from './receiver/http-failure.ts'
export { type OpenStoreOptions, openStore, type Store } from './store.ts'
export { type SpanRow, type StoredSpan, spanColumns, spanOfRow } from './stored-span.ts'
