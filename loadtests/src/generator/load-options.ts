import { badOption } from '../errors.ts'
import type { Scenario } from './scenario.ts'
import { checkHeaders, checkScenario } from './scenario.ts'
import type { Arrivals } from './schedule.ts'

export interface LoadProgress {
  /** ms since the schedule started, warm-up included. */
  readonly elapsedMs: number
  /** Whole length of the schedule, warm-up included, ms. */
  readonly lengthMs: number
  readonly warmingUp: boolean
  /** Requests that came due so far, warm-up included. */
  readonly due: number
  readonly open: number
  /** Failed ones of the measured part so far. */
  readonly failed: number
  /** Measured part so far, from an HdrHistogram (3 digits); 0 before the first answer. */
  readonly p50Ms: number
  readonly p95Ms: number
}

export interface LoadOptions {
  /** Origin, with a path prefix if there is one. Loopback unless `allowRemote`. */
  readonly url: string
  readonly scenario: Scenario
  /** Default `poisson`. */
  readonly arrivals?: Arrivals
  /** Arrivals per second over all endpoints together, at most 20,000. */
  readonly arrivalsPerSec: number
  /** Length of the measured part, ms. */
  readonly measuredMs: number
  /** Sent before the measured part, on the same schedule, and left out of samples and metrics. Default 0. */
  readonly warmUpMs?: number
  /** Default: drawn. The run records it. */
  readonly seed?: number
  /** From sending to the last byte, ms; default 10,000. */
  readonly timeoutMs?: number
  /** Bound on open requests, default 1,000; an arrival above it is refused and counts as failed. */
  readonly maxOpen?: number
  /** Bound on the whole schedule, default 1,000,000. */
  readonly maxRequests?: number
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** Send a fresh `traceparent` with every request; default true. */
  readonly tracing?: boolean
  readonly allowRemote?: boolean
  /** Ends the run early: open requests are aborted, the run says so in `health.voidReason`. */
  readonly signal?: AbortSignal
  /** About four times a second. */
  readonly onProgress?: (progress: LoadProgress) => void
  /** Recorded in the run: the command that a person can type again. */
  readonly command?: readonly string[]
  /** Folder whose git facts the run records; default the working directory. */
  readonly cwd?: string
}

export interface ResolvedLoadOptions {
  readonly scenario: Scenario
  readonly arrivals: Arrivals
  readonly arrivalsPerSec: number
  readonly measuredMs: number
  readonly warmUpMs: number
  readonly seed: number
  readonly timeoutMs: number
  readonly maxOpen: number
  readonly maxRequests: number
  readonly headers: Readonly<Record<string, string>>
  readonly tracing: boolean
}

const dayMs = 86_400_000

/** Fills in defaults; throws `HS_LOAD_OPTION` naming key, value and expectation. */
export function resolveLoadOptions(options: LoadOptions): ResolvedLoadOptions {
  const arrivals = options.arrivals ?? 'poisson'
  if (arrivals !== 'constant' && arrivals !== 'poisson')
    throw badOption('arrivals', arrivals, 'constant or poisson')
  checkScenario(options.scenario)
  checkHeaders('headers', options.headers ?? {})
  const resolved: ResolvedLoadOptions = {
    scenario: options.scenario,
    arrivals,
    arrivalsPerSec: numberIn('arrivalsPerSec', options.arrivalsPerSec, 0.001, 20_000),
    measuredMs: numberIn('measuredMs', options.measuredMs, 1, dayMs),
    warmUpMs: numberIn('warmUpMs', options.warmUpMs ?? 0, 0, dayMs),
    seed: integerIn(
      'seed',
      options.seed ?? Math.floor(Math.random() * 0x1_0000_0000),
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    timeoutMs: numberIn('timeoutMs', options.timeoutMs ?? 10_000, 1, dayMs),
    maxOpen: integerIn('maxOpen', options.maxOpen ?? 1000, 1, 20_000),
    maxRequests: integerIn('maxRequests', options.maxRequests ?? 1_000_000, 1, 100_000_000),
    headers: options.headers ?? {},
    tracing: options.tracing ?? true,
  }
  const expected = (resolved.arrivalsPerSec * (resolved.warmUpMs + resolved.measuredMs)) / 1000
  if (expected > resolved.maxRequests) {
    const sentence = `at least arrivalsPerSec x (warmUpMs + measuredMs) = ${Math.ceil(expected)}`
    throw badOption('maxRequests', resolved.maxRequests, sentence)
  }
  return resolved
}

function numberIn(key: string, value: number, low: number, high: number): number {
  if (!Number.isFinite(value) || value < low || value > high)
    throw badOption(key, value, `a number from ${low} to ${high}`)
  return value
}

function integerIn(key: string, value: number, low: number, high: number): number {
  if (!Number.isInteger(value) || value < low || value > high)
    throw badOption(key, value, `an integer from ${low} to ${high}`)
  return value
}
