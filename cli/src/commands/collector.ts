import { Command } from 'commander'
import type { CollectorFlags } from '../actions/collector.ts'
import { addStoreOptions } from '../process/store-options.ts'

export const collectorCommand = (): Command =>
  addStoreOptions(
    new Command('collector')
      .description('receive and store telemetry until stopped')
      .option('--host <address>', 'address to bind to (default: 127.0.0.1)')
      .option('--otlp-port <port>', 'OTLP/HTTP port, 0 for any (default: 4318)')
      .option('--otlp-grpc-port <port>', 'OTLP/gRPC port, 0 for any (default: 4317)')
      .option('--clickhouse-port <port>', 'serve the ClickHouse interface, 0 for any')
      .option('--clickhouse-inserts', 'and take inserts there, with a write token')
      .option('--path-prefix <path>', 'in front of /v1/traces, such as /otlp')
      .option('--forward-to <url>', 'send everything on to this OTLP receiver')
      .option('--tls-cert <file>', 'PEM certificate chain: every listener speaks TLS')
      .option('--tls-key <file>', 'its PEM key')
      .option('--page-port <port>', 'port of page and API, 0 for any (default: 4319)')
      .option('--retention-days <days>', 'days kept besides today (default: 30)')
      .option('--max-store-gb <gb>', 'cap of the store on disk (default: 10)'),
  ).action(async (flags: CollectorFlags) => (await import('../actions/collector.ts')).runCollector(flags))
