/** Between which times the spans of a body start, ns since 1970: what is too old or ahead is looked for only where there is some. */

export let earliestNs: u64 = u64.MAX_VALUE
export let latestNs: u64 = 0

/** Starts on another body. */
export function startTimes(): void {
  earliestNs = u64.MAX_VALUE
  latestNs = 0
}

export function addTime(startNs: u64): void {
  earliestNs = min(earliestNs, startNs)
  latestNs = max(latestNs, startNs)
}
