/** Stored telemetry and runs to findings and verdicts. The one door of this package. */
export { analyze } from './analyze.ts'
export {
  type Bounds,
  BudgetError,
  type BudgetLine,
  type Budgets,
  type BudgetVerdict,
  judgeBudgets,
  minValues,
} from './budgets.ts'
export type { Detector } from './detector.ts'
export { detectors } from './detectors/all.ts'
export {
  type Candidate,
  type Confidence,
  type Evidence,
  type Finding,
  type FindingKind,
  findingSchemaVersion,
  type Interval,
  type Location,
  type Report,
  type Saving,
  type Severity,
} from './finding.ts'
export { findingId, fingerprintOf } from './fingerprint.ts'
export { AnalysisOptionError, type AnalysisOptions } from './settings.ts'
export { describeStatement, indexColumns, type StatementDescription } from './sql/describe.ts'
export { normaliseStatement } from './sql/normalise.ts'
export { storedFindings, storeFindings } from './store-findings.ts'
export { criticalPath, type PathSegment, pathTimeMs } from './trace/critical-path.ts'
export { dragMs, slackBySpan } from './trace/drag-and-slack.ts'
export { attributePath, type EdgeGap, edgeGaps, type Suspect } from './trace/edge-attribution.ts'
export { type Assumption, type Edit, type Retimed, retime } from './trace/retime.ts'
export { buildTraceTree, type TraceNode, type TraceTree } from './trace/trace-tree.ts'
