import { type Report, storeFindings } from '@hotspan/analyzers'
import type { Store } from '@hotspan/collector'
import { note } from '../process/output.ts'

let isTold = false

/** Stores the findings for Grafana and later readers. A store that may only be read is no failure: it is said once. */
export const recordFindings = async (store: Store, report: Report): Promise<void> => {
  try {
    await storeFindings(store, report)
  } catch (error) {
    if (!isTold)
      note(`hotspan  the findings were not stored: ${error instanceof Error ? error.message : error}`)
    isTold = true
  }
}
