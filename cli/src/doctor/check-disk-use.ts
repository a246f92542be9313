import { existsSync } from 'node:fs'
import { diskUse, storeLimits } from '@hotspan/collector'
import { shownPath } from '../process/shown-path.ts'
import { formatQuantity } from '../render/numbers.ts'
import { type DoctorCheck, ok } from './check.ts'

const neededBy = 'keeping telemetry'
const size = (bytes: number): string => formatQuantity(bytes, 'By')

/** What the store takes and may take, and what was moved aside and is never removed by us. */
export const checkDiskUse = async (
  dataDir: string,
  bounds: Parameters<typeof storeLimits>[0],
): Promise<DoctorCheck[]> => {
  if (!existsSync(dataDir)) return []
  const use = await diskUse(dataDir)
  const { maxBytes, retentionDays } = storeLimits(bounds)
  const cap = maxBytes === null ? 'no cap' : `cap ${size(maxBytes)}`
  const days = retentionDays === null ? 'kept for ever' : `kept ${retentionDays} days`
  const checks = [
    ok('store', `${size(use.storeBytes)}, ${cap}, ${days}; journal ${size(use.journalBytes)}`, neededBy),
  ]
  if (use.quarantineBytes > 0) {
    checks.push({
      id: 'moved aside',
      state: 'warning',
      found: `${size(use.quarantineBytes)} of stores and rows that were moved aside in ${shownPath(dataDir)}`,
      neededBy: 'nothing; Hotspan never removes them',
      fix: 'look at store.quarantine-*, *.before-restore-* and journal/quarantine there, and remove what you do not need',
    })
  }
  return checks
}
