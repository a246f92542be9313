import { isMainThread } from 'node:worker_threads'
import type { KeyValue } from '@hotspan/otlp'
import { SUPPRESSED_CONTEXT } from '../core/linked-context.ts'
import { active, runtime } from '../core/runtime.ts'
import { fault } from '../faults.ts'
import type { Log } from '../log.ts'
import type { QueueCounts } from '../send/batch.ts'
import { createSender, type Sender } from '../send/sender.ts'
import type { MetricsSettings } from '../settings.ts'
import { AGENT_VERSION } from '../version.ts'
import { createDatabaseMetrics } from './database-metrics.ts'
import { DeltaView } from './delta-view.ts'
import { createHttpMetrics } from './http-metrics.ts'
import { AgentMeterProvider } from './meter-provider.ts'
import { MetricQueue } from './metric-queue.ts'
import { createPoolMetrics } from './pool-metrics.ts'
import { type PrometheusEndpoint, startPrometheusEndpoint } from './prometheus-endpoint.ts'
import { Registry } from './registry.ts'
import { startRuntimeMetrics } from './runtime-metrics.ts'

const SCOPE = '@hotspan/agent'

export interface Metrics {
  readonly provider: AgentMeterProvider
  readonly counts: QueueCounts | undefined
  /** Port of the Prometheus endpoint once it listens. */
  prometheusPort(): number | undefined
  setResource(resource: readonly KeyValue[]): void
  /** Sends a last collection. */
  flush(deadlineMs: number): Promise<void>
  close(): void
}

/** Starts measuring, and sends or serves what was measured. */
export function startMetrics(settings: MetricsSettings, resource: readonly KeyValue[], log: Log): Metrics {
  const registry = new Registry()
  runtime.httpMetrics = createHttpMetrics(registry, SCOPE, AGENT_VERSION)
  runtime.databaseMetrics = createDatabaseMetrics(registry, SCOPE, AGENT_VERSION)
  runtime.poolMetrics = createPoolMetrics(registry, SCOPE, AGENT_VERSION)
  const stopRuntime = startRuntimeMetrics(registry, SCOPE, AGENT_VERSION)
  let current = resource

  let queue: MetricQueue | undefined
  let delta: DeltaView | undefined
  let sender: Sender | undefined
  let timer: NodeJS.Timeout | undefined
  const push = async (): Promise<void> => {
    try {
      const collected = await registry.collect(true)
      if (queue !== undefined) queue.put(current, delta?.since(collected, queue.waiting === 0) ?? collected)
    } catch (error) {
      fault('metrics', error)
    }
  }
  if (settings.otlp !== null) {
    const ours = new MetricQueue()
    queue = ours
    const { endpoint, intervalMs, temporality } = settings.otlp
    if (temporality === 'delta') delta = new DeltaView(() => true)
    else if (temporality === 'lowmemory')
      delta = new DeltaView((scope, { name }) => !registry.isObserved(scope, name))
    const made = createSender(() => ours, endpoint, 1, log)
    sender = made
    active.run(SUPPRESSED_CONTEXT, () => {
      timer = setInterval(() => void push().then(() => made.wake(false)), intervalMs)
      timer.unref()
    })
  }
  const endpoint: PrometheusEndpoint | undefined =
    // One port for the process: workers leave it to the main thread.
    settings.prometheus === null || !isMainThread
      ? undefined
      : startPrometheusEndpoint(registry, () => current, settings.prometheus, log)

  return {
    provider: new AgentMeterProvider(registry),
    counts: queue?.counts,
    prometheusPort: () => endpoint?.port(),
    setResource(known) {
      current = known
    },
    async flush(deadlineMs) {
      if (sender === undefined) return
      await push()
      await sender.flush(deadlineMs)
    },
    close() {
      clearInterval(timer)
      stopRuntime()
      sender?.close()
      endpoint?.close()
      runtime.httpMetrics = null
      runtime.databaseMetrics = null
      runtime.poolMetrics = null
    },
  }
}
