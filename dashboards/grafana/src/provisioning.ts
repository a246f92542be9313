import type { RuleGroup } from '@grafana/grafana-foundation-sdk/alerting'
import { type AlertRulesOptions, alertRules } from './alert-rules.ts'
import { CLICKHOUSE_PLUGIN } from './clickhouse-query.ts'
import { type ServiceDashboardOptions, serviceDashboard } from './service-dashboard.ts'
import { toYaml, type YamlValue } from './yaml.ts'

export interface ProvisioningOptions {
  /** URL of the ClickHouse HTTP interface, as Grafana reaches it. Default `http://127.0.0.1:8123`. */
  readonly clickHouseUrl?: string
  /** Database of the project. Default `hotspan_default`. */
  readonly database?: string
  /** User; the password is never written: Grafana takes it from HOTSPAN_CLICKHOUSE_PASSWORD. Default `default`. */
  readonly user?: string
  readonly datasourceUid?: string
  /** Folder of the dashboards and rules in Grafana. Default `Hotspan`. */
  readonly folder?: string
  /** Where Grafana finds the `dashboards/` folder of these files. Default `/var/lib/grafana/dashboards`. */
  readonly dashboardsPath?: string
  readonly dashboard?: ServiceDashboardOptions
  /** One group of alert rules for each. Default: none. */
  readonly alerts?: readonly Omit<AlertRulesOptions, 'database' | 'datasourceUid' | 'folderUid'>[]
}

/**
 * Everything that file provisioning needs, path -> content: `provisioning/` belongs in Grafana's provisioning directory,
 * `dashboards/` into `dashboardsPath`. Throws `TypeError` on a URL that is none.
 */
export function provisioning(options: ProvisioningOptions = {}): Record<string, string> {
  const {
    database = 'hotspan_default',
    datasourceUid = 'hotspan-clickhouse',
    folder = 'Hotspan',
    dashboardsPath = '/var/lib/grafana/dashboards',
    alerts = [],
  } = options
  const files: Record<string, string> = {
    'provisioning/datasources/hotspan.yaml': yamlFile(datasources(options, database, datasourceUid)),
    'provisioning/dashboards/hotspan.yaml': yamlFile({
      providers: [
        {
          name: 'hotspan',
          orgId: 1,
          type: 'file',
          allowUiUpdates: true,
          options: { path: dashboardsPath, foldersFromFilesStructure: true },
        },
      ],
    }),
    [`dashboards/${folder}/service.json`]: `${JSON.stringify(serviceDashboard(options.dashboard), null, 2)}\n`,
  }
  if (alerts.length > 0) {
    const groups = alerts.map((alert) =>
      ruleGroupFile(alertRules({ ...alert, database, datasourceUid }), folder),
    )
    files['provisioning/alerting/hotspan.yaml'] = yamlFile({ groups })
  }
  return files
}

function yamlFile(content: { readonly [key: string]: YamlValue }): string {
  return `# Written by hotspan dashboards.\n${toYaml({ apiVersion: 1, ...content })}`
}

function datasources(options: ProvisioningOptions, database: string, uid: string) {
  const url = new URL(options.clickHouseUrl ?? 'http://127.0.0.1:8123')
  const secure = url.protocol === 'https:'
  const otel = { otelEnabled: true, otelVersion: 'latest', defaultDatabase: database }
  return {
    datasources: [
      {
        name: 'Hotspan ClickHouse',
        uid,
        type: CLICKHOUSE_PLUGIN,
        access: 'proxy',
        jsonData: {
          host: url.hostname,
          port: Number(url.port === '' ? (secure ? 443 : 80) : url.port),
          protocol: 'http',
          secure,
          path: url.pathname === '/' ? undefined : url.pathname,
          username: options.user ?? 'default',
          defaultDatabase: database,
          traces: { ...otel, defaultTable: 'otel_traces', durationUnit: 'nanoseconds' },
          logs: { ...otel, defaultTable: 'otel_logs' },
        },
        secureJsonData: { password: '$HOTSPAN_CLICKHOUSE_PASSWORD' },
      },
    ],
  }
}

/** The SDK's rule group is the HTTP API's form; files name the folder by title and durations by text. */
function ruleGroupFile(group: RuleGroup, folder: string): YamlValue {
  return {
    orgId: 1,
    name: group.title!,
    folder,
    interval: `${group.interval}s`,
    rules: group.rules!.map((rule) => ({
      uid: rule.uid,
      title: rule.title,
      condition: rule.condition,
      data: rule.data.map((query) => ({
        refId: query.refId,
        relativeTimeRange: { from: query.relativeTimeRange?.from, to: query.relativeTimeRange?.to },
        datasourceUid: query.datasourceUid,
        model: JSON.parse(JSON.stringify(query.model)) as YamlValue,
      })),
      noDataState: rule.noDataState,
      execErrState: rule.execErrState,
      for: rule.for,
      annotations: rule.annotations,
      labels: rule.labels,
      isPaused: false,
    })),
  }
}
