import type { Confirmed } from './confirm.ts'
import type { Evidence, Finding } from './finding.ts'
import { median } from './statistics/intervals.ts'
import { type Edit, retime } from './trace/retime.ts'

/** A finding whose saving shrinks by less than this once earlier ones are fixed does not overlap with them. */
const overlapRatio = 0.1

/**
 * Savings of overlapping findings are never added up: in ranked order each finding's fix is applied on top of the earlier ones,
 * the request is re-timed, and a finding that has less left says so in its evidence.
 */
export function creditRemainders(ranked: readonly Confirmed[]): Finding[] {
  const appliedByEntry = new Map<object, Edit[]>()
  return ranked.map(({ finding, pattern }) => {
    const alone: number[] = []
    const after: number[] = []
    for (const { entry, edits } of pattern.observations) {
      if (entry === null || edits.length === 0) continue
      const applied = appliedByEntry.get(entry.node) ?? []
      const together = [...applied, ...edits]
      if (applied.length > 0) {
        alone.push(retime(entry.node, edits).savedMs)
        after.push(retime(entry.node, applied).afterMs - retime(entry.node, together).afterMs)
      }
      appliedByEntry.set(entry.node, together)
    }
    if (alone.length === 0 || finding.saving === null) return finding
    const leftRatio = Math.max(0, Math.min(1, median(after) / Math.max(median(alone), 1e-9)))
    if (leftRatio > 1 - overlapRatio) return finding
    const evidence: Evidence = {
      label: 'saving left once the findings ranked above it are fixed',
      value: finding.saving.perRequestMs.value * leftRatio,
      unit: 'ms',
      n: after.length,
    }
    return { ...finding, evidence: [...finding.evidence, evidence] }
  })
}
