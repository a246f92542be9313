import { fileURLToPath } from 'node:url'

/** Where a contender sends to. `tlsUrl` and `certificate` are there when openssl could make one. */
export interface Sink {
  readonly url: string
  readonly tlsUrl: string | undefined
  readonly certificate: string | undefined
}

export interface Contender {
  readonly id: string
  /** Arguments of node before the app. */
  readonly args: readonly string[]
  /** Environment, or why it cannot run here. */
  env(sink: Sink): NodeJS.ProcessEnv | string
  /** What a reader must know of its set-up. */
  readonly configuration: string
}

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const none = () => ({})

const otlp = (sink: Sink) => ({ OTEL_SERVICE_NAME: 'bench', OTEL_EXPORTER_OTLP_ENDPOINT: sink.url })

/**
 * What the figures are made of. `bare` runs twice: the difference of the two is the noise that everything else stands in. For
 * the same spans ours makes one per wait for a connection, as stock does.
 */
export const core: readonly Contender[] = [
  { id: 'bare', args: [], env: none, configuration: '' },
  {
    id: 'hotspan',
    args: ['--import', file('../../agent/dist/register.js')],
    env: (sink) => ({ ...otlp(sink), OTEL_METRICS_EXPORTER: 'none', HOTSPAN_POOL_WAIT_MS: '0' }),
    configuration: '--import @hotspan/agent/register; defaults, but pg-pool.connect for every wait, as stock',
  },
  {
    id: 'stock',
    args: ['--require', file('../node_modules/@opentelemetry/auto-instrumentations-node/dist/register.cjs')],
    env: (sink) => ({
      ...otlp(sink),
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      // The batch is compared, not its loss: large enough for a saturated core.
      OTEL_BSP_MAX_QUEUE_SIZE: '65536',
      OTEL_SEMCONV_STABILITY_OPT_IN: 'http,database',
    }),
    configuration:
      'auto-instrumentations-node 0.82.0 --require register (as its README says), OTLP http/protobuf, traces only, new HTTP and database names, queue 65,536 so that it drops nothing',
  },
  { id: 'bare-again', args: [], env: none, configuration: '' },
]

/** The other agents, as their documentation sets them up for production. */
export const peers: readonly Contender[] = [
  {
    id: 'dd-trace',
    args: ['--import', file('../node_modules/dd-trace/initialize.mjs')],
    env: (sink) => ({
      DD_TRACE_AGENT_URL: sink.url,
      DD_SERVICE: 'bench',
      DD_ENV: 'production',
      DD_VERSION: '1',
    }),
    configuration:
      'dd-trace 6.21.0 --import dd-trace/initialize.mjs; DD_SERVICE, DD_ENV, DD_VERSION, DD_TRACE_AGENT_URL',
  },
  {
    id: 'edot',
    args: ['--import', file('../node_modules/@elastic/opentelemetry-node/import.mjs')],
    // Its greeting would come before the line that says where the app listens.
    env: (sink) => ({ ...otlp(sink), OTEL_LOG_LEVEL: 'error' }),
    configuration:
      '@elastic/opentelemetry-node 1.18.0 --import; OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_ENDPOINT, log level error; traces, metrics and logs, its default',
  },
  {
    id: 'newrelic',
    args: [
      '--import',
      file('../node_modules/newrelic/esm-loader.mjs'),
      '--require',
      file('../node_modules/newrelic/index.js'),
    ],
    env: (sink) => {
      if (sink.tlsUrl === undefined || sink.certificate === undefined)
        return 'it sends by TLS only, and openssl is not here to make a certificate'
      const { hostname, port } = new URL(sink.tlsUrl)
      return {
        NEW_RELIC_APP_NAME: 'bench',
        NEW_RELIC_LICENSE_KEY: '0'.repeat(40),
        NEW_RELIC_HOST: hostname,
        NEW_RELIC_PORT: port,
        NEW_RELIC_LOG: 'stdout',
        NEW_RELIC_LOG_ENABLED: 'false',
        NODE_EXTRA_CA_CERTS: sink.certificate,
      }
    },
    configuration:
      'newrelic 14.5.1 --import esm-loader.mjs --require newrelic; app name, licence key, collector = the sink; samples its spans by default',
  },
  {
    id: 'sentry',
    args: ['--import', file('sentry.mjs')],
    env: (sink) => ({ BENCH_SENTRY_DSN: sink.url.replace('http://', 'http://key@').concat('/1') }),
    configuration:
      '@sentry/node 11.12.0 --import instrument.mjs with Sentry.init({ dsn, tracesSampleRate: 1 })',
  },
]
