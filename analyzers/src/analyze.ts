import type { Store } from '@hotspan/collector'
import { cannotJudge } from './cannot-judge.ts'
import { type Confirmed, candidateOf, confirmPattern, isConfirmed } from './confirm.ts'
import { type Detector, isRejected, minutesOf, tracesOf } from './detector.ts'
import { detectors } from './detectors/all.ts'
import type { Candidate, Confidence, Finding, Report } from './finding.ts'
import { findingSchemaVersion } from './finding.ts'
import { creditRemainders } from './overlap.ts'
import { inWindow, rows } from './rows.ts'
import { AnalysisOptionError, type AnalysisOptions, parseSettings } from './settings.ts'
import { benjaminiHochberg } from './statistics/tests.ts'
import { loadSample, type TraceSample } from './trace-sample.ts'
import { type AnalysisWindow, openWindow } from './window.ts'

/** Candidates are for people who wait for a confirmation; more are not read. */
const maxCandidates = 50

/**
 * Looks for everything that the detectors know in a window of the store. Memory is bounded by the sample of traces
 * (300,000 spans); the rest is aggregated by the engine.
 *
 * @throws AnalysisOptionError for an option out of range; errors of the store as they are.
 */
export async function analyze(store: Store, options: AnalysisOptions): Promise<Report> {
  const startedAt = performance.now()
  const settings = parseSettings(options)
  const chosen = chooseDetectors(options.detectors)
  const scope = { fromMs: options.fromMs, toMs: options.toMs }
  const window = await openWindow(store, scope, settings)
  const hints = (await Promise.all(chosen.map((detector) => detector.candidates(window)))).flat()
  const sample = await loadSample(window, hints)

  const confirmed: Confirmed[] = []
  const candidates: Candidate[] = []
  for (const detector of chosen) {
    const mine = hints.filter((hint) => hint.detector === detector.id)
    for (const judgement of await detector.confirm(mine, sample, window)) {
      if (isRejected(judgement)) {
        const { rejectedBy, ...seen } = judgement
        candidates.push({ ...seen, reason: rejectedBy })
        continue
      }
      const verdict = confirmPattern(judgement, sample, window)
      if (isConfirmed(verdict)) confirmed.push(verdict)
      else candidates.push(verdict)
    }
  }
  const { kept, dropped } = correctForManyTests(confirmed, settings.falseDiscoveryRate)
  return {
    schemaVersion: findingSchemaVersion,
    project: store.project,
    generatedAtUnixMs: Date.now(),
    window: scope,
    settings,
    coverage: await coverageOf(window, sample),
    findings: creditRemainders(ranked(kept)),
    cannotJudge: await cannotJudge(window),
    candidates: [...candidates, ...dropped].sort((a, b) => b.traces - a.traces).slice(0, maxCandidates),
    tookMs: performance.now() - startedAt,
  }
}

function chooseDetectors(ids: readonly string[] | undefined): readonly Detector[] {
  if (ids === undefined) return detectors
  return ids.map((id) => {
    const found = detectors.find((detector) => detector.id === id)
    if (found !== undefined) return found
    throw new AnalysisOptionError(
      `detectors has "${id}"; expected some of ${detectors.map((known) => known.id).join(', ')}`,
    )
  })
}

function correctForManyTests(
  confirmed: readonly Confirmed[],
  rate: number,
): { kept: Confirmed[]; dropped: Candidate[] } {
  const isReal = benjaminiHochberg(
    confirmed.map(({ p }) => p),
    rate,
  )
  const dropped = confirmed
    .filter((_, i) => !isReal[i])
    .map(({ pattern, p }) =>
      candidateOf(
        pattern,
        tracesOf(pattern.observations),
        minutesOf(pattern.observations),
        `p ${p.toPrecision(2)} does not stand up to the correction for ${confirmed.length} tests`,
      ),
    )
  return { kept: confirmed.filter((_, i) => isReal[i]), dropped }
}

const confidenceOrder: Record<Confidence, number> = { proven: 0, likely: 0, possible: 1 }

/** `proven` and `likely` by what a day would save, `possible` last. */
function ranked(confirmed: readonly Confirmed[]): Confirmed[] {
  return [...confirmed].sort(
    (a, b) =>
      confidenceOrder[a.finding.confidence] - confidenceOrder[b.finding.confidence] ||
      savingPerDayMs(b.finding) - savingPerDayMs(a.finding) ||
      (a.finding.id < b.finding.id ? -1 : 1),
  )
}

const savingPerDayMs = ({ saving }: Finding): number =>
  saving === null ? 0 : saving.perRequestMs.value * saving.affectedRequestsPerDay

async function coverageOf(window: AnalysisWindow, sample: TraceSample): Promise<Report['coverage']> {
  const [counted] = await rows<{ traces: number }>(
    window.store,
    `SELECT toFloat64(uniq(TraceId)) AS traces FROM otel_traces WHERE ${inWindow}`,
    window.parameters,
  )
  const traces = counted?.traces ?? 0
  const looked = [...sample.traces.values()]
  const incomplete = looked.filter(({ tree }) =>
    tree.orphans.some((orphan) => orphan.span.kind !== 'server'),
  ).length
  return {
    spans: window.services.reduce((sum, { spans }) => sum + spans, 0),
    traces,
    // Counted on the sample; a count over all would have to join every span with its parent.
    incompleteTraces: looked.length === 0 ? 0 : Math.round((traces * incomplete) / looked.length),
    spansOfUnknownWeight: window.services.reduce((sum, { unknownWeight }) => sum + unknownWeight, 0),
    services: window.services.map(({ name, spans }) => ({ name, spans })),
  }
}
