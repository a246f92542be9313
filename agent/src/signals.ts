import { startAccounting } from './accounting/accounting.ts'
import type { PackageTarget } from './instrumentations/module-hook.ts'
import type { Log } from './log.ts'
import { startLogs } from './logs/logs.ts'
import { type Metrics, startMetrics } from './metrics/metrics.ts'
import type { ResourceAttributes } from './resource/attributes.ts'
import { keyValues } from './resource/resource.ts'
import type { QueueCounts } from './send/batch.ts'
import type { Settings } from './settings.ts'

/** What goes out beside spans. */
export interface Signals {
  /** Packages that they hook into. */
  readonly packages: readonly PackageTarget[]
  /** Null when nothing is measured. */
  readonly metrics: Metrics | null
  /** Counts of log records, zero when none are sent. */
  readonly logCounts: QueueCounts | undefined
  /** More has become known about this process. */
  setResource(resource: ResourceAttributes): void
  flush(deadlineMs: number): Promise<void>
  stop(): void
}

/** Starts what the settings ask for beside tracing. */
export function startSignals(settings: Settings, resource: ResourceAttributes, log: Log): Signals {
  const logs = startLogs(settings.logs, keyValues(resource), log)
  const metrics = settings.metrics === null ? null : startMetrics(settings.metrics, keyValues(resource), log)
  const stopAccounting =
    settings.accounting === false ? undefined : startAccounting(settings.accounting === 'cpu')
  return {
    packages: logs.packages.filter(({ name }) => !settings.without.has(name)),
    metrics,
    logCounts: logs.counts,
    setResource(told) {
      logs.setResource(keyValues(told))
      metrics?.setResource(keyValues(told))
    },
    async flush(deadlineMs) {
      await Promise.all([logs.flush(deadlineMs), metrics?.flush(deadlineMs)])
    },
    stop() {
      logs.close()
      metrics?.close()
      stopAccounting?.()
    },
  }
}
