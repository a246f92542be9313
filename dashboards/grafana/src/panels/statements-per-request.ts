import { tablePanel } from '../panel-defaults.ts'
import { ROUTE, SERVICE, tableOf } from '../scope-sql.ts'

/** Spans between a request and its statement that are passed over on the way up: pool, ORM and handler spans. */
const HOPS = 6

/** `at1` is the statement's parent, each further one the span above, a request being above itself. */
const walk = Array.from({ length: HOPS }, (_, hop) => `up[at${hop + 1}] AS at${hop + 2}`).join(', ')

/**
 * Which request runs one statement many times (N+1)? Each statement is walked up to the request above it inside the service,
 * because one trace of a page load holds several requests. A walk that finds no request in HOPS steps is left out.
 * Statements have nothing below them, so they are not in the maps, which are copied for each statement of their trace.
 */
export const statementsPerRequest = (traceUrl: string | undefined) =>
  tablePanel({
    title: 'Statements per request',
    description:
      'How often one request runs the same statement. Many calls of one statement are an N+1 query: fetch the rows together.',
    unit: 'short',
    columns: {
      route: { widthPx: 240 },
      statement: { widthPx: 460 },
      requests: { unit: 'short', decimals: 0 },
      'median calls': { unit: 'short', decimals: 0 },
      'most calls': { unit: 'short', decimals: 0 },
      'time per request': { unit: 'ms', decimals: 1 },
      'trace with most': { widthPx: 280, url: traceUrl, linkTitle: 'Open the trace' },
    },
    sql: `SELECT route, statement, count() AS requests, quantileExact(0.5)(calls) AS "median calls", max(calls) AS "most calls",
  avg(ms) AS "time per request", argMax(TraceId, calls) AS "trace with most"
FROM (
  SELECT TraceId, any(servers[request]) AS route, statement, count() AS calls, sum(ms) AS ms
  FROM (
    SELECT TraceId, servers, tupleElement(call, 2) AS statement, tupleElement(call, 3) AS ms,
      tupleElement(call, 1) AS at1, ${walk}, at${HOPS + 1} AS request
    FROM (
      SELECT TraceId,
        mapFromArrays(groupArrayIf(SpanId, statement = ''), groupArrayIf(if(SpanKind = 'Server', SpanId, ParentSpanId), statement = '')) AS up,
        mapFromArrays(groupArrayIf(SpanId, SpanKind = 'Server'), groupArrayIf(route, SpanKind = 'Server')) AS servers,
        groupArrayIf((ParentSpanId, statement, ms), statement != '') AS calls
      FROM (
        SELECT TraceId, SpanId, ParentSpanId, SpanKind, ${ROUTE} AS route, DbStatement AS statement, Duration / 1e6 AS ms
        FROM ${tableOf('otel_traces')}
        WHERE $__timeFilter(Timestamp) AND ServiceName = ${SERVICE}
        LIMIT 1 BY TraceId, SpanId
      )
      GROUP BY TraceId
    )
    ARRAY JOIN calls AS call
  )
  WHERE mapContains(servers, request)
  GROUP BY TraceId, request, statement
)
GROUP BY route, statement
ORDER BY "most calls" * "median calls" DESC, "time per request" DESC
LIMIT 20`,
  })
