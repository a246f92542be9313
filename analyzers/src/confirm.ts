import { fairOnes, minutesOf, type Observation, type Pattern, tracesOf } from './detector.ts'
import type { Candidate, Confidence, Evidence, Finding, Interval, Saving, Severity } from './finding.ts'
import { findingSchemaVersion } from './finding.ts'
import { findingId, fingerprintOf } from './fingerprint.ts'
import { medianInterval } from './statistics/intervals.ts'
import { aboveBoundP } from './statistics/tests.ts'
import type { TraceSample } from './trace-sample.ts'
import { type AnalysisWindow, busyMsOf, operationOf, perDay } from './window.ts'

/** A saving below it is not worth a reader's time: max(20 ms, 5 % of the operation's median) a request. */
const floorMs = 20
const floorRatio = 0.05
/** Or 1 % of all the time that the service spends on requests. */
const busyShareRatio = 0.01

const maxTraceIds = 10

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
  return { pattern, p, finding: findingOf(pattern, saving, affected, savings.length, window) }
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

function findingOf(
  pattern: Pattern,
  perRequestMs: Interval,
  affected: number,
  n: number,
  window: AnalysisWindow,
): Finding {
  const operation = operationOf(window, pattern.service, pattern.operation)
  const busyMs = pattern.busyMs ?? operation?.busyMs ?? 0
  const shareRatio = busyMs > 0 ? Math.min(1, (perRequestMs.value * affected) / busyMs) : 0
  const saving = savingOf(pattern, perRequestMs, affected, shareRatio, window)
  const fingerprint = fingerprintOf(pattern)
  const savingEvidence: Evidence = {
    label:
      pattern.reported === undefined
        ? 'saving per affected request'
        : 'time at stake per request that shows it',
    value: perRequestMs.value,
    unit: 'ms',
    n,
    ...(Number.isFinite(perRequestMs.low) && { low: perRequestMs.low }),
    ...(Number.isFinite(perRequestMs.high) && { high: perRequestMs.high }),
  }
  return {
    schemaVersion: findingSchemaVersion,
    id: findingId(fingerprint),
    fingerprint,
    kind: 'finding',
    detector: pattern.detector,
    title: pattern.title,
    severity: severityOf(Math.max(shareRatio, pattern.severityRatio ?? 0)),
    confidence: confidenceOf(pattern),
    service: pattern.service,
    operation: pattern.operation,
    location: pattern.location,
    evidence: [savingEvidence, ...pattern.evidence, ...weightEvidence(pattern.service, window)],
    traceIds: exemplars(pattern.observations),
    runIds: [],
    saving,
    fix: pattern.fix,
    guards: [...pattern.signals.map((signal) => `Seen: ${signal}.`), ...pattern.guards],
  }
}

function savingOf(
  pattern: Pattern,
  perRequestMs: Interval,
  affected: number,
  shareRatio: number,
  window: AnalysisWindow,
): Saving | null {
  const { reported } = pattern
  if (reported === null) return null
  if (reported === undefined)
    return {
      perRequestMs: finite(perRequestMs),
      affectedRequestsPerDay: perDay(window, affected),
      shareRatio,
    }
  const busyMs = perDay(window, busyMsOf(window, pattern.service))
  const reportedMs = reported.perRequestMs.value * reported.affectedRequestsPerDay
  return {
    ...reported,
    perRequestMs: finite(reported.perRequestMs),
    shareRatio: busyMs > 0 ? Math.min(1, reportedMs / busyMs) : 0,
  }
}

/** high >= 20 %, medium >= 5 % of the operation's time. */
export const severityOf = (shareRatio: number): Severity =>
  shareRatio >= 0.2 ? 'high' : shareRatio >= 0.05 ? 'medium' : 'low'

const rank: readonly Confidence[] = ['possible', 'likely', 'proven']

function confidenceOf(pattern: Pattern): Confidence {
  const reached: Confidence =
    pattern.counterfactual !== undefined ? 'proven' : pattern.signals.length >= 2 ? 'likely' : 'possible'
  const most = pattern.atMost ?? 'proven'
  return rank.indexOf(reached) <= rank.indexOf(most) ? reached : most
}

/**
 * Traces to open: whole ones, those that start in a browser first. Only where fewer than three are whole (callers that send no
 * spans), traces that begin at the service are shown too.
 */
function exemplars(observations: readonly Observation[]): string[] {
  const order = [...observations].sort(
    (a, b) =>
      Number(b.isWhole) - Number(a.isWhole) ||
      Number(b.startsInBrowser) - Number(a.startsInBrowser) ||
      Number(b.isFair) - Number(a.isFair) ||
      (a.traceId < b.traceId ? -1 : 1),
  )
  const whole = new Set(
    order.filter((observation) => observation.isWhole).map((observation) => observation.traceId),
  )
  const all = new Set(order.map((observation) => observation.traceId))
  return [...(whole.size >= 3 ? whole : all)].slice(0, maxTraceIds)
}

/** Sampling that is not known is said, never assumed. */
function weightEvidence(service: string, window: AnalysisWindow): Evidence[] {
  const coverage = window.services.find((known) => known.name === service)
  if (coverage === undefined || coverage.unknownWeight === 0) return []
  return [
    {
      label: 'spans of this service with unknown sampling, counted once each',
      value: coverage.unknownWeight,
      unit: '{span}',
      n: coverage.spans,
    },
  ]
}

const finite = ({ value, low, high }: Interval): Interval => ({
  value,
  low: Number.isFinite(low) ? low : 0,
  high: Number.isFinite(high) ? high : value,
})

const ms = ({ value, low, high }: Interval) =>
  `${value.toFixed(1)} ms (${Number.isFinite(low) ? low.toFixed(1) : '?'} to ${Number.isFinite(high) ? high.toFixed(1) : '?'})`
