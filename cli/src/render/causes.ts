import type { Finding } from '@hotspan/analyzers'

/** Findings of the same lines of code: one change mends all of them. */
export interface Cause {
  readonly lead: Finding
  /** What the same lines cost in other operations, in the order of the report. */
  readonly alike: readonly Finding[]
}

/** Findings by cause, in the order of each cause's first one. A finding without file and line stands for itself. */
export function causesOf(findings: readonly Finding[]): Cause[] {
  const groups = new Map<string, Finding[]>()
  for (const finding of findings) {
    const key = keyOf(finding)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [finding])
    else group.push(finding)
  }
  return [...groups.values()].map(([lead, ...alike]) => ({ lead: lead!, alike }))
}

function keyOf({ id, detector, service, confidence, location }: Finding): string {
  const { file, line, component, statement } = location
  if (file === undefined || line === undefined) return id
  // Findings that are hidden unless asked for are not counted with those that are shown.
  return JSON.stringify([detector, service, confidence === 'possible', file, line, component, statement])
}
