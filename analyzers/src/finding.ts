/**
 * The finding: what every detector yields and every report shows. One record, whatever the detector.
 */

/** Version of the stored and printed documents that carry findings. */
export const findingSchemaVersion = 1

export type FindingKind = 'finding' | 'cannot-judge' | 'regression'

/** By share of the operation's time: high >= 20 %, medium >= 5 %, else low. */
export type Severity = 'high' | 'medium' | 'low'

/** `proven`: a counterfactual was seen; `likely`: two independent signals; `possible`: pattern only, hidden by default. */
export type Confidence = 'proven' | 'likely' | 'possible'

/** An estimate with its 95 % interval. */
export interface Interval {
  readonly value: number
  readonly low: number
  readonly high: number
}

export interface Location {
  readonly route?: string
  /** Normalised statement. */
  readonly statement?: string
  readonly component?: string
  readonly function?: string
  readonly file?: string
  readonly line?: number
  /** Model name of an inference finding. */
  readonly model?: string
}

/** One number that supports the finding, with the count it rests on. */
export interface Evidence {
  readonly label: string
  readonly value: number
  readonly unit: string
  readonly n: number
  readonly low?: number
  readonly high?: number
}

export interface Saving {
  /** ms per affected request, retimed on the critical path. */
  readonly perRequestMs: Interval
  readonly affectedRequestsPerDay: number
  /** Share of the operation's time, 0 to 1. */
  readonly shareRatio: number
}

export interface Finding {
  readonly schemaVersion: typeof findingSchemaVersion
  /** `HS-` and 12 hex digits of the fingerprint. */
  readonly id: string
  /** sha256 hex, see `fingerprint.ts`. */
  readonly fingerprint: string
  readonly kind: FindingKind
  /** Detector id: `slow-query`, `n-plus-one`, ... */
  readonly detector: string
  readonly title: string
  readonly severity: Severity
  readonly confidence: Confidence
  readonly service: string
  /** Root operation, e.g. `GET /products`. */
  readonly operation: string
  readonly location: Location
  readonly evidence: readonly Evidence[]
  /** At least three that resolve to whole traces (empty only for `cannot-judge` and lab findings). */
  readonly traceIds: readonly string[]
  /** Runs of a lab finding. */
  readonly runIds: readonly string[]
  /** null when none can be claimed honestly. */
  readonly saving: Saving | null
  readonly fix: string
  /** What was ruled out, one sentence each. */
  readonly guards: readonly string[]
}

/** A pattern that was seen but has not met the confirmation rule; shown by `hotspan dev`. */
export interface Candidate {
  readonly detector: string
  readonly title: string
  readonly service: string
  readonly operation: string
  readonly traces: number
  readonly minutes: number
  /** Which guard or rule it failed, in words. */
  readonly reason: string
}

/** One analysis: everything that `text`, `json`, `markdown` and `html` show. */
export interface Report {
  readonly schemaVersion: typeof findingSchemaVersion
  readonly project: string
  readonly generatedAtUnixMs: number
  /** Epoch ms of the analysed window. */
  readonly window: { readonly fromMs: number; readonly toMs: number }
  readonly settings: {
    readonly warmUpSec: number
    readonly minTraces: number
    readonly minMinutes: number
    readonly falseDiscoveryRate: number
  }
  readonly coverage: {
    readonly spans: number
    readonly traces: number
    readonly incompleteTraces: number
    /** Spans without a known sampling probability. */
    readonly spansOfUnknownWeight: number
    readonly services: readonly { readonly name: string; readonly spans: number }[]
  }
  /** `proven` and `likely` first, by saving per day; `possible` last. */
  readonly findings: readonly Finding[]
  readonly cannotJudge: readonly Finding[]
  readonly candidates: readonly Candidate[]
  /** ms the analysis took. */
  readonly tookMs: number
}
