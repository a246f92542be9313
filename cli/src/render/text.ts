import type { Candidate, Finding, Report } from '@hotspan/analyzers'
import { type Cause, causesOf } from './causes.ts'
import * as facts from './finding-facts.ts'
import { count, formatMs, formatTime } from './numbers.ts'
import { type Colors, colors, wrap } from './terminal.ts'
import { visibleLine, visibleLines } from './visible-text.ts'

export interface TextOptions {
  readonly color?: boolean
  /** Columns to wrap at; default 80. */
  readonly width?: number
  /** A few lines a cause: no evidence table, guards, coverage or settings. */
  readonly brief?: boolean
  /** What opens a trace when its id follows; default `hotspan trace`. Empty where nothing can: three ids are listed instead. */
  readonly traceCommand?: string
  /** Also findings of confidence `possible`. */
  readonly possible?: boolean
}

const indent = '      '

/** Candidates that the brief form lists; the rest is counted. */
const briefCandidates = 4

const severityColor = (color: Colors, finding: Finding): ((text: string) => string) =>
  finding.severity === 'high' ? color.red : finding.severity === 'medium' ? color.yellow : color.blue

const wrapped = (text: string, width: number, first: string, rest = first): string[] =>
  wrap(visibleLine(text), Math.max(20, width - first.length)).map(
    (line, index) => `${index === 0 ? first : rest}${line}`,
  )

/** A fix keeps its own line breaks: it may hold DDL or code to copy. */
const fixLines = (fix: string, width: number): string[] => {
  const [first = '', ...more] = visibleLines(fix).split('\n')
  const rest = `${indent}     `
  return [
    ...wrapped(first, width, `${indent}fix: `, rest),
    ...more.map((line) => (line === '' ? '' : `${rest}${line}`)),
  ]
}

/** What a reader types for the first trace; else the ids of three, a line each. */
function traceLines({ traceIds }: Finding, { traceCommand = 'hotspan trace' }: TextOptions): string[] {
  if (traceIds.length === 0) return []
  if (traceCommand !== '') return [`${traceCommand} ${visibleLine(traceIds[0]!)}`]
  return traceIds.slice(0, 3).map((id, index) => `${index === 0 ? 'traces: ' : '        '}${visibleLine(id)}`)
}

/** One cause as in a list; what stands behind its findings follows unless `brief`. */
export const renderCauseText = ({ lead, alike }: Cause, options: TextOptions = {}): string => {
  const { width = 80, brief = false } = options
  if (!brief) return [lead, ...alike].map((finding) => renderFindingText(finding, options)).join('\n')
  const also = alike.flatMap((finding) => wrapped(facts.alsoIn(finding), width, indent, `${indent}  `))
  return `${renderFindingText(lead, options)}${also.map((line) => `${line}\n`).join('')}`
}

/** One finding as in a list; what stands behind it follows unless `brief`. */
export const renderFindingText = (finding: Finding, options: TextOptions = {}): string => {
  const { width = 80, brief = false } = options
  const color = colors(options.color ?? false)
  const label = severityColor(color, finding)(color.bold(finding.severity.toUpperCase().padEnd(6)))
  const sure = finding.confidence === 'possible' ? ' (possible)' : ''
  const title = `${visibleLine(finding.title)}${sure}`
  // Titles of some detectors end in the operation already.
  const operation = title.endsWith(visibleLine(finding.operation)) ? '' : visibleLine(finding.operation)
  const saving = facts.savingHeadline(finding.saving)
  const lines: string[] = []
  const where = operation === '' ? '' : `  ${operation}`
  if (`${indent} ${title}${where}   ${saving}`.length <= width) {
    lines.push(`${label} ${color.bold(title)}${where}   ${color.green(saving)}`)
  } else {
    const [first = '', ...more] = wrap(title, width - indent.length - 1)
    lines.push(`${label} ${color.bold(first)}`, ...more.map((line) => `${indent}${color.bold(line)}`))
    const rest = `${indent}${where.trimStart()}${where === '' ? '' : '   '}`
    if (rest.length + saving.length <= width) lines.push(`${rest}${color.green(saving)}`)
    else lines.push(rest.trimEnd(), `${indent}${color.green(saving)}`)
  }
  // The saving stands in the head line already.
  const main = finding.evidence.find((one) => one.value !== finding.saving?.perRequestMs.value)
  const seen = main === undefined ? '' : visibleLine(facts.evidenceSentence(main))
  const place = visibleLine(facts.place(finding.location))
  const together = [place, seen].filter((text) => text !== '').join('   ')
  if (indent.length + together.length <= width) lines.push(`${indent}${together}`)
  else lines.push(...wrapped(place, width, indent), ...wrapped(seen, width, indent))
  lines.push(...fixLines(finding.fix, width))
  lines.push(...traceLines(finding, options).map((line) => `${indent}${color.cyan(line)}`))
  if (brief) return `${lines.join('\n')}\n`

  const detail = (text: string): void => {
    for (const line of wrapped(text, width, indent, `${indent}  `)) lines.push(color.dim(line))
  }
  lines.push('')
  detail(`${finding.id}, ${finding.detector}, ${finding.confidence}, service ${finding.service}`)
  if (finding.saving !== null) detail(facts.savingDetail(finding.saving))
  for (const [name, text] of facts.locationParts(finding.location)) detail(`${name}: ${text}`)
  for (const evidence of finding.evidence) detail(facts.evidenceSentence(evidence))
  for (const guard of finding.guards) detail(`checked: ${guard}`)
  if (finding.traceIds.length > 0) detail(`traces: ${finding.traceIds.join(' ')}`)
  if (finding.runIds.length > 0) detail(`runs: ${finding.runIds.join(' ')}`)
  return `${lines.join('\n')}\n`
}

export const renderCandidateText = (candidate: Candidate, width = 80): string =>
  wrapped(
    `${candidate.title}, ${candidate.operation} (${facts.notConfirmed(candidate.traces, candidate.minutes)}; ${candidate.service}, ${candidate.detector}: ${candidate.reason})`,
    width,
    '  - ',
    '    ',
  ).join('\n')

const cannotJudgeText = (finding: Finding, width: number): string => {
  const unsaid = [finding.service, finding.operation, finding.detector].filter(
    (word) => !finding.title.includes(word),
  )
  return [
    ...wrapped(
      unsaid.length === 0 ? finding.title : `${finding.title} (${unsaid.join(', ')})`,
      width,
      '  - ',
      '    ',
    ),
    ...wrapped(finding.fix, width, '    fix: ', '         '),
    ...finding.guards.flatMap((guard) => wrapped(guard, width, '    ')),
    ...finding.evidence.flatMap((one) => wrapped(facts.evidenceSentence(one), width, '    ')),
  ].join('\n')
}

/** The report for a terminal: the most useful fact first, 80 columns, colour never the only carrier. */
export const renderText = (report: Report, options: TextOptions = {}): string => {
  const { width = 80, brief = false } = options
  const color = colors(options.color ?? false)
  const shown = facts.shownFindings(report, options.possible ?? false)
  const hidden = report.findings.length - shown.length
  const blocks: string[] = []

  const title = `${color.bold(facts.verdictLine(report))}   project ${visibleLine(report.project)}`
  blocks.push([title, ...wrapped(facts.windowLine(report), width, '')].join('\n'))
  if (report.coverage.spans === 0)
    blocks.push(facts.emptyAdvice.flatMap((line) => wrapped(line, width, '')).join('\n'))
  for (const cause of causesOf(shown)) blocks.push(renderCauseText(cause, options).trimEnd())
  if (shown.length > 1) blocks.push(wrapped(facts.ranking, width, '').join('\n'))
  if (hidden > 0)
    blocks.push(`${count(hidden, 'possible finding')} hidden (pattern only); --possible shows them`)

  if (report.candidates.length > 0) {
    const listed = brief ? report.candidates.slice(0, briefCandidates) : report.candidates
    const lines = listed.map((candidate) => renderCandidateText(candidate, width))
    const more = report.candidates.length - listed.length
    if (more > 0) lines.push(`  and ${more} more`)
    blocks.push([color.bold('Seen, not confirmed'), ...lines].join('\n'))
  }
  if (report.cannotJudge.length > 0) {
    const lines = report.cannotJudge.map((finding) => cannotJudgeText(finding, width))
    blocks.push([color.bold('Cannot judge'), ...lines].join('\n'))
  }
  if (!brief) {
    const coverage = facts.coverageLines(report).flatMap((line) => wrapped(line, width, '  '))
    blocks.push([color.bold('Coverage'), ...coverage].join('\n'))
    const settings = `${facts.settingsLine(report)}; generated ${formatTime(report.generatedAtUnixMs)} in ${formatMs(report.tookMs)}`
    blocks.push([color.bold('Settings'), ...wrapped(settings, width, '  ')].join('\n'))
  }
  return `${blocks.join('\n\n')}\n`
}
