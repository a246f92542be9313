import type { startAccounting } from './accounting/accounting.ts'
import type { startMetrics } from './metrics/metrics.ts'

/** What most processes do without: loaded when it is asked for, because each file costs start-up time. */
export const parts = {
  startMetrics: undefined as typeof startMetrics | undefined,
  startAccounting: undefined as typeof startAccounting | undefined,
}
