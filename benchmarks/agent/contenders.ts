import { fileURLToPath } from 'node:url'

export interface Contender {
  readonly id: 'bare' | 'bare-again' | 'hotspan' | 'stock'
  /** Arguments of node before the app. */
  readonly args: readonly string[]
  env(sinkUrl: string): NodeJS.ProcessEnv
}

const register = fileURLToPath(new URL('../../agent/dist/register.js', import.meta.url))
const stockRegister = fileURLToPath(
  new URL('../node_modules/@opentelemetry/auto-instrumentations-node/dist/register.cjs', import.meta.url),
)

/** `bare` runs twice in a round: the difference of the two is the noise that everything else stands in. */
export const contenders: readonly Contender[] = [
  { id: 'bare', args: [], env: () => ({}) },
  {
    id: 'hotspan',
    args: ['--import', register],
    env: (sinkUrl) => ({ OTEL_SERVICE_NAME: 'bench', OTEL_EXPORTER_OTLP_ENDPOINT: sinkUrl }),
  },
  {
    id: 'stock',
    args: ['--require', stockRegister],
    env: (sinkUrl) => ({
      OTEL_SERVICE_NAME: 'bench',
      OTEL_EXPORTER_OTLP_ENDPOINT: sinkUrl,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      // The batch is compared, not its loss: large enough for a saturated core.
      OTEL_BSP_MAX_QUEUE_SIZE: '65536',
      OTEL_SEMCONV_STABILITY_OPT_IN: 'http,database',
    }),
  },
  { id: 'bare-again', args: [], env: () => ({}) },
]
