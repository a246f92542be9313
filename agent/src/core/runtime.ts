import { AsyncLocalStorage } from 'node:async_hooks'
import type { Server } from 'node:http'
import type { Context } from '@opentelemetry/api'
import type { Accounting } from '../accounting/accounting.ts'
import type { DatabaseMetrics } from '../metrics/database-metrics.ts'
import type { HttpMetrics } from '../metrics/http-metrics.ts'
import type { PoolMetrics } from '../metrics/pool-metrics.ts'
import type { Propagation } from '../propagation/propagation.ts'
import type { LocalTail } from '../sampling/local-tail.ts'
import type { RateLimit } from '../sampling/rate-limit.ts'
import type { RootSampler } from './sampler.ts'
import { ratioSampler } from './sampler.ts'
import type { AgentSpan } from './span.ts'
import type { Trace } from './trace.ts'

/** Limits of one span, in entries; names of the OTEL_ variables that set them are in `settings.ts`. */
export interface SpanLimits {
  attributes: number
  events: number
  links: number
  attributesPerEvent: number
  attributesPerLink: number
  /** UTF-16 units of one text value. */
  valueLength: number
}

/** Text values are never longer than this, whatever the settings say: one span must fit a chunk. */
export const MAX_VALUE_LENGTH = 65_536

/**
 * What the hot paths of this thread read. One agent per thread, so this is module state: a field away instead of a parameter
 * through every call.
 */
export const runtime = {
  sampler: ratioSampler(1, true) as RootSampler,
  /** Moves the sampler's threshold with the arrivals; null when it stays. */
  rateLimit: null as RateLimit | null,
  /** Decides over traces when their first span ends; null when the sampler alone does. */
  tail: null as LocalTail | null,
  limits: {
    attributes: 128,
    events: 128,
    links: 128,
    attributesPerEvent: 128,
    attributesPerLink: 128,
    valueLength: MAX_VALUE_LENGTH,
  } as SpanLimits,
  /** Formats of `OTEL_PROPAGATORS`; null for W3C trace context with baggage, which the hot paths write themselves. */
  propagation: null as Propagation | null,
  /** Counts what each request uses; null when nobody asked. */
  accounting: null as Accounting | null,
  /** Take what the instrumentations measure; null without metrics. */
  httpMetrics: null as HttpMetrics | null,
  databaseMetrics: null as DatabaseMetrics | null,
  poolMetrics: null as PoolMetrics | null,
  /** Our own listener, whose requests are nobody's business. */
  ownServer: null as Server | null,
  /** Takes a span that has just ended. */
  ended: (_span: AgentSpan): void => {},
  /** Sees every activation and end, with the time that was read anyway; set by the stall watcher. */
  touched: null as ((span: AgentSpan, nowMs: number) => void) | null,
  /** Called inside a context whose trace is another than outside; set by the profiler. */
  traceActivated: null as ((trace: Trace) => void) | null,
}

/** The value is the active context; nearly always that is the active span itself. */
export const active = new AsyncLocalStorage<Context>()
