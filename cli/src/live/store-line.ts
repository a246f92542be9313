import type { CollectorStats } from '@hotspan/collector'
import { formatQuantity } from '../render/numbers.ts'

const size = (bytes: number): string => formatQuantity(bytes, 'By')

/** One line about the store: what it takes, what it may take, and what is wrong with it now. */
export const storeLine = (stats: CollectorStats): string => {
  const cap = stats.diskLimitBytes === null ? '' : ` of ${size(stats.diskLimitBytes)}`
  const kept = stats.retentionDays === null ? 'kept for ever' : `kept ${stats.retentionDays} days`
  const journal = stats.journalBytes > 1e6 ? `, ${size(stats.journalBytes)} waiting in the journal` : ''
  const trouble = stats.state === 'ok' ? '' : `; ${stats.state}: ${stats.stateReason}`
  return `store ${size(stats.diskBytes)}${cap}, ${kept}, ${size(stats.diskFreeBytes)} free on the disk${journal}${trouble}`
}
