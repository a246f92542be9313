import type { Store } from '../store.ts'
import { inScope, type QueryBounds, runQuery, type Scope, scopeParameters } from './run-query.ts'

/** What one function cost over all profiles of the scope; a profile that was sent twice counts once. */
export interface ProfiledFunction {
  readonly service: string
  /** For example `cpu`. */
  readonly sampleType: string
  /** Of `self` and `total`, for example `nanoseconds`. */
  readonly unit: string
  /** '' for frames that nobody named: `file` is then the binary. */
  readonly name: string
  readonly file: string
  /** Where the function begins; 0 when the profiler did not tell. */
  readonly line: number
  /** Of samples whose innermost frame it is. Values of states, as of a heap in use, are added up over the profiles too. */
  readonly self: number
  /** Of samples that have it on their stack. */
  readonly total: number
  /** `self` by that of all functions that were asked for with this sample type, 0 to 1. */
  readonly share: number
  readonly profiles: number
}

export interface ProfileFunctionsArgs {
  readonly service?: string
  readonly sampleType?: string
  /**
   * Samples of this route only: that which a sample carries; else that of the span to which it links, or of the entry span of this service in its
   * trace; the span's name when there is no route.
   */
  readonly route?: string
  /** Rows, largest share first. Default 200. */
  readonly limit?: number
}

/** A trace begins before the profile that saw a part of it. */
const traceStartedWithinMs = 3_600_000

const isEntry = `SpanKind IN ('Server', 'Consumer')`

/** Functions with most self time in the profiles of the scope. */
export async function profileFunctions(
  store: Store,
  scope: Scope,
  args: ProfileFunctionsArgs = {},
  bounds: QueryBounds = {},
): Promise<ProfiledFunction[]> {
  const { service, sampleType, route } = args
  const wanted = [
    inScope,
    ...(service === undefined ? [] : ['ServiceName = {service:String}']),
    ...(sampleType === undefined ? [] : ['SampleType = {sampleType:String}']),
  ].join(' AND ')
  const distinct = `(SELECT * FROM hotspan_profile_functions WHERE ${wanted}
  LIMIT 1 BY Timestamp, ServiceName, ProfileId, SampleType, SampleUnit, FunctionName, FileName, StartLine, Route, TraceId, SpanId)`
  const atRoute =
    route === undefined
      ? ''
      : `LEFT JOIN (
  SELECT TraceId, ServiceName, mapFromArrays(groupArray(SpanId), groupArray(Operation)) AS BySpan,
    argMin(Operation, (NOT IsEntry, Timestamp)) AS First
  FROM (
    SELECT TraceId, ServiceName, SpanId, Timestamp, ${isEntry} AS IsEntry, if(HttpRoute != '', HttpRoute, SpanName) AS Operation
    FROM otel_traces
    WHERE Timestamp >= fromUnixTimestamp64Nano({tracesFromNs:Int64}) AND Timestamp < fromUnixTimestamp64Nano({toNs:Int64})
      AND (${isEntry} OR ParentSpanId = '')
      AND TraceId IN (SELECT TraceId FROM hotspan_profile_functions WHERE ${wanted} AND Route = '' AND TraceId != '')
  ) GROUP BY TraceId, ServiceName
) AS traces USING (TraceId, ServiceName)
WHERE multiIf(Route != '', Route, BySpan[SpanId] != '', BySpan[SpanId], First) = {route:String}`
  return runQuery<ProfiledFunction>(
    store,
    `SELECT service, sampleType, unit, name, file, line, self, total, profiles,
  if(sum(self) OVER kind = 0, 0, self / sum(self) OVER kind) AS share
FROM (
  SELECT ServiceName AS service, SampleType AS sampleType, SampleUnit AS unit, FunctionName AS name, FileName AS file,
    StartLine AS line, toFloat64(sum(Self)) AS self, toFloat64(sum(Total)) AS total, toFloat64(uniqExact(ProfileId)) AS profiles
  FROM ${distinct} AS functions ${atRoute}
  GROUP BY service, sampleType, unit, name, file, line
)
WINDOW kind AS (PARTITION BY sampleType, unit)
ORDER BY share DESC, total DESC, service, sampleType, unit, name, file, line LIMIT {limit:UInt32}`,
    {
      ...scopeParameters(scope),
      tracesFromNs: scopeParameters({ ...scope, fromMs: scope.fromMs - traceStartedWithinMs }).fromNs,
      service: service ?? '',
      sampleType: sampleType ?? '',
      route: route ?? '',
      limit: args.limit ?? 200,
    },
    bounds,
  )
}
