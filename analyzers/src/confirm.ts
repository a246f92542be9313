import { fairOnes, minutesOf, type Pattern, tracesOf } from './detector.ts'
import type { Candidate, Finding, Interval } from './finding.ts'
import { findingOfPattern } from './finding-of-pattern.ts'
import { medianInterval } from './statistics/intervals.ts'
import { aboveBoundP } from './statistics/tests.ts'
import type { TraceSample } from './trace-sample.ts'
import { type AnalysisWindow, busyMsOf, operationOf } from './window.ts'

/** A saving below it is not worth a reader's time: max(20 ms, 5 % of the operation's median) a request. */
const floorMs = 20
const floorRatio = 0.05
/** Or 1 % of all the time that the service spends on requests. */
const busyShareRatio = 0.01

/** A pattern that met every rule but the correction for many tests, which needs all of them. */
export interface Confirmed {
  readonly pattern: Pattern
  readonly finding: Finding
  readonly p: number
}

export type Verdict = Confirmed | Candidate

export const isConfirmed = (verdict: Verdict): verdict is Confirmed => 'finding' in verdict

/**
 * Second stage: enough traces, enough minutes, and a saving whose lower 95 % bound lies above the floor.
 * Savings are medians over requests that were chosen blindly, so that slow exemplars do not inflate them.
 */
export function confirmPattern(pattern: Pattern, sample: TraceSample, window: AnalysisWindow): Verdict {
  const { observations } = pattern
  const traces = tracesOf(observations)
  const minutes = minutesOf(observations)
  const needed = Math.max(pattern.minTraces, window.settings.minTraces)
  const no = (reason: string): Candidate => candidateOf(pattern, traces, minutes, reason)
  if (traces < needed) return no(`seen in ${traces} of ${needed} traces`)
  if (minutes < window.settings.minMinutes)
    return no(`seen in ${minutes} of ${window.settings.minMinutes} distinct minutes`)

  const operation = operationOf(window, pattern.service, pattern.operation)
  const savings = fairOnes(observations, needed).map((observation) => observation.savingMs)
  const saving = pattern.savingMs ?? medianInterval(savings)
  const requestFloorMs = Math.max(floorMs, floorRatio * (pattern.operationP50Ms ?? operation?.p50Ms ?? 0))
  const affected = affectedInWindow(pattern, sample, window)
  const busyMs = pattern.busyMs ?? busyMsOf(window, pattern.service)
  const meetsRequestFloor = saving.low >= requestFloorMs
  const meetsBusyFloor = saving.low > 0 && busyMs > 0 && saving.low * affected >= busyShareRatio * busyMs
  if (!meetsRequestFloor && !meetsBusyFloor)
    return no(
      `the saving is ${ms(saving)}; its lower bound is below ${Math.round(requestFloorMs)} ms and 1 % of the service's time`,
    )

  const bound = meetsRequestFloor ? requestFloorMs : 0
  const p = Math.max(aboveBoundP(savings, bound), pattern.p ?? 0)
  return { pattern, p, finding: findingOfPattern(pattern, saving, affected, savings.length, window) }
}

export function candidateOf(pattern: Pattern, traces: number, minutes: number, reason: string): Candidate {
  const { detector, title, service, operation } = pattern
  return { detector, title, service, operation, traces, minutes, reason }
}

/** Weighted requests of the window that show the pattern: the operation's requests times their share among blindly chosen ones. */
function affectedInWindow(pattern: Pattern, sample: TraceSample, window: AnalysisWindow): number {
  if (pattern.affectedInWindow !== undefined) return pattern.affectedInWindow
  const operation = operationOf(window, pattern.service, pattern.operation)
  const observed = pattern.observations.reduce((sum, observation) => sum + observation.weight, 0)
  if (operation === undefined) return observed
  const blind = sample.entriesOf(pattern.service, pattern.operation).filter((entry) => entry.trace.isBlind)
  const showing = new Set(pattern.observations.map((observation) => observation.entry?.node))
  if (blind.length === 0) return observed
  const share = blind.filter((entry) => showing.has(entry.node)).length / blind.length
  return Math.max(share * operation.weightedRequests, Math.min(observed, operation.weightedRequests))
}

const ms = ({ value, low, high }: Interval) =>
  `${value.toFixed(1)} ms (${Number.isFinite(low) ? low.toFixed(1) : '?'} to ${Number.isFinite(high) ? high.toFixed(1) : '?'})`
