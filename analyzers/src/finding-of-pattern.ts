import type { Observation, Pattern } from './detector.ts'
import type { Confidence, Evidence, Finding, Interval, Saving, Severity } from './finding.ts'
import { findingSchemaVersion } from './finding.ts'
import { findingId, fingerprintOf } from './fingerprint.ts'
import { type AnalysisWindow, busyMsOf, operationOf, perDay } from './window.ts'

const maxTraceIds = 10

/** What a reader is told of a pattern that was confirmed: `affected` weighted requests of the window, savings from `n` of them. */
export function findingOfPattern(
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
const severityOf = (shareRatio: number): Severity =>
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
