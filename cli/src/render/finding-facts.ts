import type { Evidence, Finding, Location, Report, Saving } from '@hotspan/analyzers'
import { causesOf } from './causes.ts'
import {
  count,
  formatInterval,
  formatMs,
  formatNumber,
  formatQuantity,
  formatShare,
  formatTime,
} from './numbers.ts'

/** The words of a report. Every format prints these, so that all of them carry the same facts; escaping is the format's own matter. */

/** `api/src/products.ts:48`, `ProductCard src/product-card.tsx:41`, else the most precise place that is known. */
export const place = (location: Location): string => {
  if (location.file !== undefined)
    return `${location.component === undefined ? '' : `${location.component} `}${filePlace(location)}`
  return (
    location.function ?? location.component ?? location.model ?? location.statement ?? location.route ?? ''
  )
}

const filePlace = ({ file = '', line }: Location): string => `${file}${line === undefined ? '' : `:${line}`}`

/** Every known part of a location with its name. */
export const locationParts = (location: Location): [string, string][] => {
  const parts: [string, string][] = []
  if (location.file !== undefined) parts.push(['file', filePlace(location)])
  if (location.function !== undefined) parts.push(['function', location.function])
  if (location.component !== undefined) parts.push(['component', location.component])
  if (location.model !== undefined) parts.push(['model', location.model])
  if (location.route !== undefined) parts.push(['route', location.route])
  if (location.statement !== undefined) parts.push(['statement', location.statement])
  return parts
}

/**
 * `saves 182 ms (165-198), 76 % of the time`: per affected request with its 95 % interval, and the share of the operation's time. The
 * operation's own ms are not derived from the two: with unaffected requests among them the quotient is no request's time.
 */
export const savingHeadline = (saving: Saving | null): string => {
  if (saving === null) return 'no saving claimed'
  const { value, low, high } = saving.perRequestMs
  return `saves ${formatMs(value)} (${formatInterval(low, high)}), ${formatShare(saving.shareRatio)} of the time`
}

/** The rest of what a saving says. */
export const savingDetail = (saving: Saving): string =>
  `${count(Math.round(saving.affectedRequestsPerDay), 'affected request')} per day at this rate`

/** Value and interval: `47 calls (45-49)`. */
export const evidenceValue = (evidence: Evidence): string => {
  const value = formatQuantity(evidence.value, evidence.unit)
  if (evidence.low === undefined || evidence.high === undefined) return value
  return `${value} (${formatInterval(evidence.low, evidence.high)})`
}

/** `47 calls (45-49) calls per request, n 212` */
export const evidenceSentence = (evidence: Evidence): string =>
  `${evidence.label}: ${evidenceValue(evidence)}, n ${formatNumber(evidence.n)}`

/** Findings to show: `possible` ones are patterns only and stay hidden unless asked for. */
export const shownFindings = (report: Report, possible: boolean): Finding[] =>
  report.findings.filter((finding) => possible || finding.confidence !== 'possible')

export const emptyAdvice = [
  'No spans were received in this window, so nothing can be said about it.',
  'Start an application with `hotspan dev -- COMMAND`, or widen the window with --since.',
]

export const ranking =
  'Ranked by what the requests of a day would save. Savings overlap: they are never added up.'

/** `also in GET /search: saves 131 ms (91-162), 40 % of the time` */
export const alsoIn = ({ operation, saving }: Finding): string =>
  `also in ${operation}: ${savingHeadline(saving)}`

/** `9 findings with 6 causes`, or the honest opposite. */
export const verdictLine = (report: Report): string => {
  const { coverage } = report
  const findings = shownFindings(report, false)
  const causes = causesOf(findings).length
  if (causes < findings.length) return `${count(findings.length, 'finding')} with ${count(causes, 'cause')}`
  if (findings.length > 0) return count(findings.length, 'finding')
  if (coverage.spans === 0) return 'nothing to judge: the window holds no spans'
  return 'no findings'
}

export const windowLine = (report: Report): string =>
  `${formatTime(report.window.fromMs)} to ${formatTime(report.window.toMs)}`

export const coverageLines = (report: Report): string[] => {
  const { spans, traces, incompleteTraces, spansOfUnknownWeight, services } = report.coverage
  const lines = [
    `${count(spans, 'span')} in ${count(traces, 'trace')}, ${formatNumber(incompleteTraces)} incomplete`,
    `${formatNumber(spansOfUnknownWeight)} spans of unknown sampling probability, counted as 1`,
  ]
  for (const service of services) lines.push(`${service.name}: ${count(service.spans, 'span')}`)
  return lines
}

export const settingsLine = (report: Report): string => {
  const { warmUpSec, minTraces, minMinutes, falseDiscoveryRate } = report.settings
  return `warm-up ${formatNumber(warmUpSec)} s, at least ${count(minTraces, 'trace')} in ${count(minMinutes, 'minute')}, false discovery rate ${formatNumber(falseDiscoveryRate)}`
}

/** `not confirmed: 2 traces, 1 minute` */
export const notConfirmed = (traces: number, minutes: number): string =>
  `not confirmed: ${count(traces, 'trace')}, ${count(minutes, 'minute')}`

/** The first trace of every finding: what a caller loads for the waterfalls of the HTML report. */
export const exampleTraceIds = (report: Report): string[] => [
  ...new Set(report.findings.flatMap((finding: Finding) => finding.traceIds.slice(0, 1))),
]
