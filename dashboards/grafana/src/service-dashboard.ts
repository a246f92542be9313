import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { attr } from '@hotspan/otlp'
import { CLICKHOUSE_PLUGIN } from './clickhouse-query.ts'
import { reference } from './grafana-reference.ts'
import { errorRatio } from './panels/error-ratio.ts'
import { eventLoopStalls, stallingFunctions } from './panels/event-loop-stalls.ts'
import { latency, latencyByRoute } from './panels/latency.ts'
import { latestFindings } from './panels/latest-findings.ts'
import { requestRate } from './panels/request-rate.ts'
import { slowestRoutes } from './panels/slowest-routes.ts'
import { slowestStatements } from './panels/slowest-statements.ts'
import { statementsPerRequest } from './panels/statements-per-request.ts'
import { layoutShift, webVitals } from './panels/web-vitals.ts'
import { ROUTE, SERVICE, tableOf } from './scope-sql.ts'

export interface ServiceDashboardOptions {
  readonly title?: string
  /** 8 to 40 characters; stable, because links and provisioning refer to it. Default `hotspan-service`. */
  readonly uid?: string
  /** Link of a trace id in tables, with `${__value.raw}` where the id goes. None: ids are plain text. */
  readonly traceUrl?: string
}

/** Grafana's form of the dashboard, v1 JSON: what file provisioning and every Grafana from 9 on load. */
export function serviceDashboard(options: ServiceDashboardOptions = {}): Dashboard {
  const { title = 'Hotspan: service', uid = 'hotspan-service', traceUrl } = options
  const board = new DashboardBuilder(title)
    .uid(uid)
    .description(
      'Requests, statements, event loop and browser of one service, and what the analysis found in them.',
    )
    .tags(['hotspan', 'opentelemetry'])
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .version(1)
  for (const variable of variables()) board.withVariable(variable)

  let id = 0
  for (const [heading, panels] of sections(traceUrl)) {
    board.withRow(new RowBuilder(heading).id(++id))
    for (const panel of panels) {
      const numbered = { build: (): Panel => ({ ...panel.build(), id: ++id }) }
      board.withPanel(numbered)
    }
  }
  return board.build()
}

function sections(traceUrl: string | undefined): [string, Builder<Panel>[]][] {
  return [
    ['Findings', [latestFindings()]],
    ['Requests', [requestRate(), errorRatio(), latency(), latencyByRoute(), slowestRoutes(traceUrl)]],
    ['Database', [slowestStatements(traceUrl), statementsPerRequest(traceUrl)]],
    ['Event loop', [eventLoopStalls().span(24), stallingFunctions(traceUrl)]],
    ['Browser', [webVitals(), layoutShift()]],
  ]
}

const datasource = { type: CLICKHOUSE_PLUGIN, uid: reference('datasource') }

function queryVariable(
  name: string,
  label: string,
  description: string,
  rawSql: string,
): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .datasource(datasource)
    .query({ editorType: 'sql', rawSql, refId: `variable-${name}` })
    .definition(rawSql)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
}

function variables() {
  return [
    new DatasourceVariableBuilder('datasource')
      .label('Data source')
      .description('A ClickHouse data source that holds the project')
      .type(CLICKHOUSE_PLUGIN),
    queryVariable(
      'database',
      'Project',
      'Database of the project',
      `SELECT database FROM system.tables WHERE name IN ('otel_traces', 'otel_logs', 'hotspan_findings')
GROUP BY database HAVING count(DISTINCT name) = 3 ORDER BY database`,
    ),
    queryVariable(
      'service',
      'Service',
      'Service that answers requests',
      `SELECT DISTINCT ServiceName FROM ${tableOf('otel_traces')}
WHERE $__timeFilter(Timestamp) AND SpanKind = 'Server' ORDER BY ServiceName`,
    ),
    queryVariable(
      'route',
      'Route',
      'Routes of the service',
      `SELECT DISTINCT ${ROUTE} AS route FROM ${tableOf('otel_traces')}
WHERE $__timeFilter(Timestamp) AND ServiceName = ${SERVICE} AND SpanKind = 'Server' ORDER BY route`,
    )
      .multi(true)
      .includeAll(true)
      .current({ text: ['All'], value: ['$__all'] }),
    queryVariable(
      'frontend',
      'Front end',
      'Browser application whose web vitals are shown',
      `SELECT DISTINCT ServiceName FROM ${tableOf('otel_logs')}
WHERE $__timeFilter(Timestamp) AND EventName = '${attr.eventBrowserWebVital}' ORDER BY ServiceName`,
    ),
  ]
}
