import { MAX_VALUE_LENGTH, type SpanLimits } from './core/runtime.ts'
import { type RootSampler, ratioSampler } from './core/sampler.ts'
import { isDisabled, isTrue } from './disabled.ts'
import type { LogQueueLimits } from './logs/log-queue.ts'
import { detectorNames } from './resource/detect.ts'
import type { Endpoint } from './send/post.ts'
import { endpointOf, parsePairs, type ReadWhole } from './settings-endpoint.ts'

/** What `start()` takes; each wins over its environment variable. */
export interface AgentOptions {
  /** `service.name`; `OTEL_SERVICE_NAME`. Default `unknown_service:node`. */
  service?: string
  /** `service.version`. */
  version?: string
  /** Base URL of an OTLP/HTTP endpoint; `OTEL_EXPORTER_OTLP_ENDPOINT`. Default `http://127.0.0.1:4318`. */
  endpoint?: string
  /** Extra headers of every export, such as a token; `OTEL_EXPORTER_OTLP_HEADERS`. */
  headers?: Record<string, string>
  /** More resource attributes; `OTEL_RESOURCE_ATTRIBUTES`. */
  resource?: Record<string, string | number | boolean>
  /** Share of new traces that are kept, 0 to 1; `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`. Default 1. */
  sampleRatio?: number
  /** About this many new traces a second at most; `HOTSPAN_MAX_TRACES_PER_SEC`. Default no limit. */
  maxTracesPerSec?: number
  /**
   * Traces that begin here and fail or take this long are kept whatever the sampler says, ms; `HOTSPAN_KEEP_SLOW_MS`. Default
   * off: the sampler alone decides.
   */
  keepSlowMs?: number
  /** Header formats, first valid wins: `OTEL_PROPAGATORS`. Default `tracecontext`, `baggage`. */
  propagators?: readonly string[]
  /** pino's and winston's records as OTLP too; `OTEL_LOGS_EXPORTER=otlp`. Default off. */
  logs?: boolean
  /** Metrics by OTLP, on a Prometheus endpoint, or both; `OTEL_METRICS_EXPORTER`. Default none. */
  metrics?: readonly ('otlp' | 'prometheus')[]
  /** Queries, calls and bytes of each request on its server span, `cpu` with CPU time; `HOTSPAN_ACCOUNTING`. Default off. */
  accounting?: boolean | 'cpu'
  /** File, line and function of the app's call on database spans; `HOTSPAN_CALL_SITES=1`. Default off. */
  callSites?: boolean
  /** Samples that name the blocking function of event-loop stalls, by `@datadog/pprof`; `HOTSPAN_PROFILE=1`. Default off. */
  profile?: boolean
  /** `Server-Timing: traceparent` on pages and API answers; `HOTSPAN_SERVER_TIMING=0` turns it off. Default on. */
  serverTiming?: boolean
  /** Instrumentations to leave out, by name; `HOTSPAN_DISABLED_INSTRUMENTATIONS`, separated by commas. */
  without?: readonly string[]
  /** Longest time a last flush may take, ms; `HOTSPAN_FLUSH_DEADLINE_MS`. Default 5000. */
  flushDeadlineMs?: number
}

/** How log records are sent. */
export interface LogSettings {
  readonly endpoint: Endpoint
  readonly delayMs: number
  readonly limits: LogQueueLimits
}

const temporalities = ['cumulative', 'delta', 'lowmemory'] as const

/** Counters and histograms since the start, since the last export, or that only where it costs no memory. */
export type Temporality = (typeof temporalities)[number]

/** Where metrics go. */
export interface MetricsSettings {
  readonly otlp: {
    readonly endpoint: Endpoint
    readonly intervalMs: number
    readonly temporality: Temporality
  } | null
  /** Listener of `/metrics`; port 0 takes a free one. */
  readonly prometheus: { readonly host: string; readonly port: number } | null
}

export interface Settings {
  readonly enabled: boolean
  /** As it was named; undefined leaves it to what is detected. */
  readonly service: string | undefined
  /** Resource detectors that may look. */
  readonly detectors: ReadonlySet<string>
  readonly resource: Readonly<Record<string, string | number | boolean>>
  readonly endpoint: Endpoint
  readonly sampler: RootSampler
  /** New traces a second; 0 for no limit. */
  readonly maxTracesPerSec: number
  /** Null when the sampler alone decides. */
  readonly keepSlowMs: number | null
  readonly limits: SpanLimits
  /** Known names only, each once, in order. */
  readonly propagators: readonly string[]
  readonly delayMs: number
  readonly queue: { readonly maxBytes: number; readonly maxSpans: number; readonly batchSpans: number }
  /** Null when log records stay where the app writes them. */
  readonly logs: LogSettings | null
  /** Null when nothing is measured. */
  readonly metrics: MetricsSettings | null
  readonly accounting: boolean | 'cpu'
  readonly callSites: boolean
  /** Shorter waits for a connection of a pool are no spans; ms. */
  readonly poolWaitMs: number
  readonly profile: boolean
  readonly serverTiming: boolean
  readonly without: ReadonlySet<string>
  readonly flushDeadlineMs: number
  /** What was not understood in the environment; each was replaced by its default. */
  readonly complaints: readonly string[]
}

type Env = Readonly<Record<string, string | undefined>>

const isFalse = (value: string | undefined): boolean => value === '0' || value?.toLowerCase() === 'false'

/** Options, then `HOTSPAN_*` and `OTEL_*` variables, then defaults. Never throws: a bad value becomes a complaint. */
export function readSettings(options: AgentOptions, env: Env): Settings {
  const complaints: string[] = []
  const whole = (name: string, fallback: number, least = 0): number => {
    const text = env[name]
    if (text === undefined || text === '') return fallback
    const value = Number(text)
    if (Number.isInteger(value) && value >= least) return value
    complaints.push(`${name} is '${text}'; expected a whole number from ${least}; ${fallback} is used`)
    return fallback
  }
  const attributes = parsePairs(env.OTEL_RESOURCE_ATTRIBUTES, 'OTEL_RESOURCE_ATTRIBUTES', complaints)
  const count = whole('OTEL_ATTRIBUTE_COUNT_LIMIT', 128)
  const valueLength = whole('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', MAX_VALUE_LENGTH)
  return {
    enabled: !isDisabled(env),
    service: options.service ?? (env.OTEL_SERVICE_NAME || attributes['service.name'] || undefined),
    detectors: detectorNames(env.OTEL_NODE_RESOURCE_DETECTORS, complaints),
    resource: {
      ...attributes,
      ...(options.version === undefined ? {} : { 'service.version': options.version }),
      ...options.resource,
    },
    endpoint: endpointOf('TRACES', options, env, whole, complaints),
    sampler: samplerOf(options, env, complaints),
    maxTracesPerSec: options.maxTracesPerSec ?? whole('HOTSPAN_MAX_TRACES_PER_SEC', 0),
    keepSlowMs: options.keepSlowMs ?? (env.HOTSPAN_KEEP_SLOW_MS ? whole('HOTSPAN_KEEP_SLOW_MS', 500) : null),
    limits: {
      attributes: whole('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', count),
      events: whole('OTEL_SPAN_EVENT_COUNT_LIMIT', 128),
      links: whole('OTEL_SPAN_LINK_COUNT_LIMIT', 128),
      attributesPerEvent: whole('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', count),
      attributesPerLink: whole('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', count),
      valueLength: Math.min(MAX_VALUE_LENGTH, whole('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', valueLength)),
    },
    propagators: propagatorsOf(options.propagators ?? env.OTEL_PROPAGATORS?.split(','), complaints),
    delayMs: whole('OTEL_BSP_SCHEDULE_DELAY', 1000, 1),
    queue: {
      maxBytes: 8 * 1024 * 1024,
      maxSpans: whole('OTEL_BSP_MAX_QUEUE_SIZE', 65_536, 1),
      batchSpans: whole('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 2048, 1),
    },
    logs: logsOf(options, env, whole, complaints),
    metrics: metricsOf(options, env, whole, complaints),
    accounting:
      options.accounting ?? (env.HOTSPAN_ACCOUNTING === 'cpu' ? 'cpu' : isTrue(env.HOTSPAN_ACCOUNTING)),
    callSites: options.callSites ?? isTrue(env.HOTSPAN_CALL_SITES),
    poolWaitMs: whole('HOTSPAN_POOL_WAIT_MS', 1),
    profile: options.profile ?? isTrue(env.HOTSPAN_PROFILE),
    serverTiming: options.serverTiming ?? !isFalse(env.HOTSPAN_SERVER_TIMING),
    without: new Set(
      options.without ?? (env.HOTSPAN_DISABLED_INSTRUMENTATIONS ?? '').split(',').map((name) => name.trim()),
    ),
    flushDeadlineMs: options.flushDeadlineMs ?? whole('HOTSPAN_FLUSH_DEADLINE_MS', 5000),
    complaints,
  }
}

/** The exporters that a variable lists; those that do not exist here are complained about. */
function exportersOf(name: string, env: Env, known: readonly string[], complaints: string[]): Set<string> {
  const chosen = new Set<string>()
  for (const exporter of (env[name] ?? '').split(',').map((text) => text.trim())) {
    if (exporter === '' || exporter === 'none') continue
    if (known.includes(exporter)) chosen.add(exporter)
    else complaints.push(`${name} is '${exporter}'; expected ${known.join(', ')} or none; it is left out`)
  }
  return chosen
}

function logsOf(options: AgentOptions, env: Env, whole: ReadWhole, complaints: string[]): LogSettings | null {
  const asked = exportersOf('OTEL_LOGS_EXPORTER', env, ['otlp'], complaints).has('otlp')
  if (!(options.logs ?? asked)) return null
  return {
    endpoint: endpointOf('LOGS', options, env, whole, complaints),
    delayMs: whole('OTEL_BLRP_SCHEDULE_DELAY', 1000, 1),
    limits: {
      maxBytes: 8 * 1024 * 1024,
      maxRecords: whole('OTEL_BLRP_MAX_QUEUE_SIZE', 2048, 1),
      batchRecords: whole('OTEL_BLRP_MAX_EXPORT_BATCH_SIZE', 512, 1),
    },
  }
}

function metricsOf(
  options: AgentOptions,
  env: Env,
  whole: ReadWhole,
  complaints: string[],
): MetricsSettings | null {
  const chosen = new Set<string>(
    options.metrics ?? exportersOf('OTEL_METRICS_EXPORTER', env, ['otlp', 'prometheus'], complaints),
  )
  if (chosen.size === 0) return null
  return {
    otlp: chosen.has('otlp')
      ? {
          endpoint: endpointOf('METRICS', options, env, whole, complaints),
          intervalMs: whole('OTEL_METRIC_EXPORT_INTERVAL', 60_000, 1),
          temporality: temporalityOf(env, complaints),
        }
      : null,
    prometheus: chosen.has('prometheus')
      ? {
          host: env.OTEL_EXPORTER_PROMETHEUS_HOST || '127.0.0.1',
          port: whole('OTEL_EXPORTER_PROMETHEUS_PORT', 9464),
        }
      : null,
  }
}

function temporalityOf(env: Env, complaints: string[]): Temporality {
  const text = env.OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE || 'cumulative'
  const known = temporalities.find((name) => name === text.toLowerCase())
  if (known === undefined) {
    complaints.push(
      `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE is '${text}'; expected ${temporalities.join(', ')}; cumulative is used`,
    )
  }
  return known ?? 'cumulative'
}

const PROPAGATORS = ['tracecontext', 'baggage', 'b3', 'b3multi', 'xray', 'jaeger', 'gcp']
const DEFAULT_PROPAGATORS = ['tracecontext', 'baggage']

function propagatorsOf(given: readonly string[] | undefined, complaints: string[]): string[] {
  const names = (given ?? []).map((name) => name.trim().toLowerCase()).filter((name) => name !== '')
  if (names.length === 0) return given === undefined || given.length > 0 ? DEFAULT_PROPAGATORS : []
  if (names.includes('none')) return []
  const known = new Set<string>()
  for (const name of names) {
    const own = name === 'cloudtrace' ? 'gcp' : name
    if (PROPAGATORS.includes(own)) known.add(own)
    else
      complaints.push(
        `OTEL_PROPAGATORS has '${name}'; expected ${PROPAGATORS.join(', ')} or none; it is left out`,
      )
  }
  return known.size > 0 ? [...known] : DEFAULT_PROPAGATORS
}

function samplerOf(options: AgentOptions, env: Env, complaints: string[]): RootSampler {
  const exporter = env.OTEL_TRACES_EXPORTER
  // Ids still travel: a caller's trace goes on behind this process.
  if (exporter === 'none') return ratioSampler(0, false)
  if (exporter && exporter !== 'otlp') {
    complaints.push(`OTEL_TRACES_EXPORTER is '${exporter}'; expected otlp or none; otlp is used`)
  }
  if (options.sampleRatio !== undefined) return ratioSampler(options.sampleRatio, true)
  const name = env.OTEL_TRACES_SAMPLER || 'parentbased_always_on'
  const parentBased = name.startsWith('parentbased_')
  switch (parentBased ? name.slice('parentbased_'.length) : name) {
    case 'always_on':
      return ratioSampler(1, parentBased)
    case 'always_off':
      return ratioSampler(0, parentBased)
    case 'traceidratio': {
      const text = env.OTEL_TRACES_SAMPLER_ARG
      const ratio = text === undefined || text === '' ? 1 : Number(text)
      if (ratio >= 0 && ratio <= 1) return ratioSampler(ratio, parentBased)
      complaints.push(`OTEL_TRACES_SAMPLER_ARG is '${text}'; expected a number from 0 to 1; 1 is used`)
      return ratioSampler(1, parentBased)
    }
    default:
      complaints.push(
        `OTEL_TRACES_SAMPLER is '${name}'; expected always_on, always_off, traceidratio or one of them behind ` +
          'parentbased_; parentbased_always_on is used',
      )
      return ratioSampler(1, true)
  }
}
