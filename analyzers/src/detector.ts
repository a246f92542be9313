import type { Confidence, Evidence, Interval, Location } from './finding.ts'
import type { Entry } from './trace/entry.ts'
import type { Edit } from './trace/retime.ts'
import type { TraceSample } from './trace-sample.ts'
import type { AnalysisWindow } from './window.ts'

/** A pattern that SQL found over the whole window, with traces to look at. The rest is the detector's own. */
export interface Hint {
  readonly detector: string
  readonly service: string
  /** Traces that show it, chosen without looking at their duration where that is possible. */
  readonly traceIds: readonly string[]
}

/** What one request or interaction says about a pattern. */
export interface Observation {
  readonly traceId: string
  /** Minutes since the epoch. */
  readonly minute: number
  readonly savingMs: number
  readonly weight: number
  /** Chosen without looking at its duration. */
  readonly isFair: boolean
  /** Whole and starting in a browser are shown first. */
  readonly isWhole: boolean
  readonly startsInBrowser: boolean
  /** The request, and the changes that the fix would make to it; empty when the saving is not re-timed. */
  readonly entry: Entry | null
  readonly edits: readonly Edit[]
}

/** One suspected cause with everything that speaks for it; `confirm.ts` decides whether it becomes a finding. */
export interface Pattern {
  readonly detector: string
  readonly service: string
  readonly operation: string
  /** Code location (file and function) or normalised parent. */
  readonly place: string
  readonly target: string
  readonly title: string
  readonly location: Location
  readonly observations: readonly Observation[]
  /** At least this many traces; 20 for detectors that rest on a distribution. */
  readonly minTraces: number
  /** Independent signals that were seen, in words. Two make it `likely`. */
  readonly signals: readonly string[]
  /** The counterfactual that was seen, which makes it `proven`. */
  readonly counterfactual?: string
  /** Caps the confidence, with the reason among the guards. */
  readonly atMost?: Confidence
  /** The saving of an affected request when it is not the median of the observations. */
  readonly savingMs?: Interval
  /** The saving to show when it belongs to other requests than the observed ones; null when none can be claimed. */
  readonly reported?: { readonly perRequestMs: Interval; readonly affectedRequestsPerDay: number } | null
  /** Share of the operation's time that severity goes by, when it is more than the saving's. */
  readonly severityRatio?: number
  /** p of the detector's own test, beside the one on the saving. */
  readonly p?: number
  /** Weighted requests or interactions in the window that show the pattern, when it is not a share of the operation's requests. */
  readonly affectedInWindow?: number
  /** What the service is busy with, weighted ms, and the operation's median, when they are not its requests' (browser views). */
  readonly busyMs?: number
  readonly operationP50Ms?: number
  readonly evidence: readonly Evidence[]
  readonly fix: string
  readonly guards: readonly string[]
}

/** A pattern that a guard ruled out, or that failed the detector's own rule. */
export interface Rejected {
  readonly detector: string
  readonly service: string
  readonly operation: string
  readonly title: string
  readonly traces: number
  readonly minutes: number
  /** Name of the guard or rule, in words. */
  readonly rejectedBy: string
}

export type Judgement = Pattern | Rejected

export const isRejected = (judgement: Judgement): judgement is Rejected => 'rejectedBy' in judgement

/** A detector is a record: variation by passing one, never by inheriting. */
export interface Detector {
  readonly id: string
  /** Attributes that it cannot judge without; their absence is reported once for all detectors by `cannot-judge.ts`. */
  readonly needs: readonly string[]
  /** SQL over the window: where to look. */
  readonly candidates: (window: AnalysisWindow) => Promise<Hint[]>
  /** Tree code on the chosen traces: what is there. */
  readonly confirm: (
    hints: readonly Hint[],
    sample: TraceSample,
    window: AnalysisWindow,
  ) => Promise<Judgement[]>
}

/** The observation of one request. */
export function observe(entry: Entry, savingMs: number, edits: readonly Edit[]): Observation {
  return {
    traceId: entry.trace.tree.traceId,
    minute: entry.minute,
    savingMs,
    weight: entry.weight,
    isFair: entry.trace.isFair,
    isWhole: entry.trace.isWhole,
    startsInBrowser: entry.trace.startsInBrowser,
    entry,
    edits,
  }
}

export const tracesOf = (observations: readonly Observation[]): number =>
  new Set(observations.map((observation) => observation.traceId)).size

export const minutesOf = (observations: readonly Observation[]): number =>
  new Set(observations.map((observation) => observation.minute)).size

/** The observations that medians are taken over: the fair ones when there are enough, else all. */
export function fairOnes(observations: readonly Observation[], min = 3): readonly Observation[] {
  const fair = observations.filter((observation) => observation.isFair)
  return fair.length >= min ? fair : observations
}
