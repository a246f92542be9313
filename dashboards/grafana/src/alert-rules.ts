import { createHash } from 'node:crypto'
import {
  QueryBuilder,
  RuleBuilder,
  type RuleGroup,
  RuleGroupBuilder,
} from '@grafana/grafana-foundation-sdk/alerting'
import { TypeThresholdBuilder } from '@grafana/grafana-foundation-sdk/expr'
import { clickHouseQuery } from './clickhouse-query.ts'
import { percentiles } from './scope-sql.ts'

export interface AlertRulesOptions {
  /** `service.name` of the service that is watched. */
  readonly service: string
  /** Database of the project. Default `hotspan_default`. */
  readonly database?: string
  /** Uid of the ClickHouse data source. Default `hotspan-clickhouse`. */
  readonly datasourceUid?: string
  /** Uid of Grafana's folder. File provisioning names the folder instead. Default `hotspan`. */
  readonly folderUid?: string
  /** Fires above this 95th percentile of the request duration, ms. Default 500. */
  readonly p95Ms?: number
  /** Fires above this share of failed requests, 0 to 1. Default 0.01. */
  readonly errorRatio?: number
  /** Minutes that one evaluation looks at. Default 10. */
  readonly windowMinutes?: number
  /** Fewer requests than this in the window and the rule stays silent: percentiles of a handful mean nothing. Default 50. */
  readonly minRequests?: number
}

const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/**
 * One group with two rules for a service: 95th percentile of the latency, and error ratio. Each rule asks the store for one
 * number (query A) and compares it (expression B). No data is no alarm: a quiet service has no percentile.
 */
export function alertRules(options: AlertRulesOptions): RuleGroup {
  const { p95Ms = 500, errorRatio = 0.01, windowMinutes = 10, folderUid = 'hotspan', service } = options
  return new RuleGroupBuilder(`hotspan ${service}`)
    .folderUid(folderUid)
    .interval(60)
    .withRule(
      rule(options, {
        key: 'latency-p95',
        title: `${service}: p95 latency above ${p95Ms} ms`,
        value: `${percentiles('ms', 'weight', [0.95])}[1] AS p95_ms`,
        above: p95Ms,
        summary: `The 95th percentile of request latency of ${service} was over ${p95Ms} ms for ${windowMinutes} minutes.`,
      }),
    )
    .withRule(
      rule(options, {
        key: 'error-ratio',
        title: `${service}: error ratio above ${errorRatio * 100} %`,
        value: `sumIf(weight, StatusCode = 'Error') / sum(weight) AS error_ratio`,
        above: errorRatio,
        summary: `More than ${errorRatio * 100} % of the requests of ${service} failed for ${windowMinutes} minutes.`,
      }),
    )
    .build()
}

interface Condition {
  readonly key: string
  readonly title: string
  /** SQL of the one number, over the requests of the window. */
  readonly value: string
  readonly above: number
  readonly summary: string
}

function rule(options: AlertRulesOptions, condition: Condition): RuleBuilder {
  const { service, windowMinutes = 10, folderUid = 'hotspan', datasourceUid = 'hotspan-clickhouse' } = options
  const range = { from: windowMinutes * 60, to: 0 }
  return new RuleBuilder(condition.title)
    .uid(ruleUid(service, condition.key))
    .folderUID(folderUid)
    .ruleGroup(`hotspan ${service}`)
    .orgID(1)
    .condition('B')
    .withQuery(
      new QueryBuilder('A')
        .datasourceUid(datasourceUid)
        .relativeTimeRange(range)
        .model(clickHouseQuery(alertSql(options, condition.value), 'table', datasourceUid)),
    )
    .withQuery(
      new QueryBuilder('B')
        .datasourceUid('__expr__')
        .relativeTimeRange(range)
        .model(
          new TypeThresholdBuilder()
            .refId('B')
            .datasource({ type: '__expr__', uid: '__expr__' })
            .expression('A')
            .conditions([{ evaluator: { type: 'gt', params: [condition.above] } }]),
        ),
    )
    .forDuration('5m')
    .noDataState('OK')
    .execErrState('Error')
    .labels({ service, source: 'hotspan' })
    .annotations({
      summary: condition.summary,
      description:
        'Open the dashboard "Hotspan: service", or run `hotspan analyze` over the same time to see why.',
    })
}

/** Grafana takes at most 40 letters, digits, - and _. A name that does not fit ends in its hash, so two never share a uid. */
function ruleUid(service: string, key: string): string {
  const prefix = `hs-${key}-`
  const room = 40 - prefix.length
  const name = service.replace(/[^a-zA-Z0-9_-]/g, '-')
  if (name === service && name.length <= room) return prefix + name
  const hash = createHash('sha256').update(service).digest('hex').slice(0, 8)
  return `${prefix}${name.slice(0, room - 9)}-${hash}`
}

/** One row with one number, or no row. Text columns become labels of the alert. */
function alertSql(options: AlertRulesOptions, value: string): string {
  const { service, database = 'hotspan_default', minRequests = 50 } = options
  return `SELECT service, ${value}
FROM (
  SELECT ServiceName AS service, Duration / 1e6 AS ms, StatusCode, SampleWeight AS weight
  FROM \`${database}\`.otel_traces
  WHERE $__timeFilter(Timestamp) AND ServiceName = ${quote(service)} AND SpanKind = 'Server'
  LIMIT 1 BY TraceId, SpanId
)
GROUP BY service
HAVING count() >= ${Math.floor(minRequests)}`
}
