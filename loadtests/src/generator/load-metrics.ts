import type { Metric, Sample } from '../run.ts'
import { sortedQuantile } from '../statistics/harrell-davis.ts'

export type RequestSample = Extract<Sample, { type: 'request' }>

export const latencyQuantiles = [
  ['p10', 0.1],
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
] as const

/**
 * Latencies that count, us, sorted: every answer, and every request that got none in time. A refused request stands there with the
 * time limit, so that a bound on open requests cannot flatter the quantiles. Left out: connections that failed and aborted requests,
 * for which no latency exists; they are in `error.ratio`.
 */
export function countedLatenciesUs(samples: readonly RequestSample[]): Float64Array {
  return Float64Array.from(samples.filter(hasLatency), (s) => s.durationUs).sort()
}

export function hasLatency(sample: RequestSample): boolean {
  return sample.status > 0 || sample.error === 'timeout' || sample.error === 'refused'
}

/** Named figures of a run. Keys of one endpoint end in `/` and its name: `latency.p95/GET /products`. */
export function loadMetrics(samples: readonly RequestSample[], measuredMs: number): Record<string, Metric> {
  const metrics: Record<string, Metric> = { ...figures(samples, '') }
  metrics['arrival.rate'] = {
    value: (samples.length * 1000) / measuredMs,
    unit: '{request}/s',
    n: samples.length,
  }
  const byEndpoint = new Map<string, RequestSample[]>()
  for (const sample of samples) {
    const own = byEndpoint.get(sample.endpoint)
    if (own) own.push(sample)
    else byEndpoint.set(sample.endpoint, [sample])
  }
  for (const [endpoint, own] of byEndpoint) Object.assign(metrics, figures(own, `/${endpoint}`))
  return metrics
}

function figures(samples: readonly RequestSample[], suffix: string): Record<string, Metric> {
  const metrics: Record<string, Metric> = {}
  const n = samples.length
  metrics[`requests${suffix}`] = { value: n, unit: '{request}', n }
  const failed = samples.reduce((sum, s) => sum + (s.error === '' ? 0 : 1), 0)
  if (n > 0) metrics[`error.ratio${suffix}`] = { value: failed / n, unit: '1', n }
  const answered = samples.filter((s) => s.status > 0)
  if (answered.length > 0) {
    const bytes = answered.reduce((sum, s) => sum + s.bytes, 0)
    metrics[`response.size${suffix}`] = { value: bytes / answered.length, unit: 'By', n: answered.length }
  }
  const latencies = countedLatenciesUs(samples)
  if (latencies.length === 0) return metrics
  const ms = (us: number): Metric => ({ value: us / 1000, unit: 'ms', n: latencies.length })
  for (const [name, q] of latencyQuantiles)
    metrics[`latency.${name}${suffix}`] = ms(sortedQuantile(latencies, q))
  metrics[`latency.mean${suffix}`] = ms(latencies.reduce((sum, us) => sum + us, 0) / latencies.length)
  metrics[`latency.max${suffix}`] = ms(latencies.at(-1)!)
  return metrics
}
