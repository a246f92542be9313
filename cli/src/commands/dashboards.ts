import { Command, Option } from 'commander'
import type { DashboardsFlags } from '../actions/dashboards.ts'
import { numberBetween, parseHttpUrl, urlExpected } from '../config/parse.ts'
import { choice, parsed } from '../process/choice.ts'
import { addStoreOptions } from '../process/store-options.ts'

export const dashboardsCommand = (): Command =>
  addStoreOptions(
    new Command('dashboards')
      .description('write Grafana dashboards and alert rules as files')
      .option('--out <dir>', 'directory to write to', 'hotspan-grafana')
      .addOption(
        new Option(
          '--clickhouse-url <url>',
          'ClickHouse as Grafana reaches it\n(default: http://127.0.0.1:8123)',
        ).argParser(parsed('--clickhouse-url', parseHttpUrl, urlExpected)),
      )
      .option('--user <name>', 'ClickHouse user (default: "default")')
      .option('--dashboards-path <dir>', 'where Grafana will find the dashboards')
      .addOption(
        new Option('--service <name>', 'alert rules for this service; repeat it')
          .argParser((text: string, before: string[]) => [...before, text])
          .default([], 'no alert rules'),
      )
      .addOption(
        new Option('--p95 <ms>', 'alert above this p95 (default: 500)').argParser(
          parsed('--p95', numberBetween(1, 3_600_000, false), 'milliseconds from 1 to 3600000'),
        ),
      )
      .addOption(
        new Option('--error-ratio <ratio>', 'alert above it (default: 0.01)').argParser(
          parsed('--error-ratio', numberBetween(0, 1, false), 'a ratio from 0 to 1'),
        ),
      )
      .addOption(
        new Option('--format <format>', 'text or json')
          .argParser(choice('--format', ['text', 'json']))
          .default('text'),
      ),
  ).action(async (flags: DashboardsFlags) => (await import('../actions/dashboards.ts')).runDashboards(flags))
