import type { Candidate, Finding, Report } from '@hotspan/analyzers'
import { causesOf } from './causes.ts'
import * as facts from './finding-facts.ts'
import { count, formatMs, formatNumber, formatTime } from './numbers.ts'
import { visibleLine, visibleLines } from './visible-text.ts'

/** Outside text in running Markdown: nothing of it is markup, a link, a mention, an issue number or HTML. */
export const escapeMarkdown = (text: string): string =>
  visibleLine(text)
    .replace(/[\\`*_{}[\]<>#|~&!$:()]/g, '\\$&')
    .replace(/@/g, '@<!-- -->')
    .replace(/\b(www)\./gi, '$1\\.')
    .replace(/^([-+=])/, '\\$1')
    .replace(/^(\d+)\./, '$1\\.')

const fence = (text: string, least: number): string => {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map((run) => run[0].length))
  return '`'.repeat(Math.max(least, longest + 1))
}

/** Outside text as inline code; in a table cell the bar is escaped as GitHub asks. */
export const codeSpan = (text: string): string => {
  const line = visibleLine(text)
  if (line === '') return ''
  const marks = fence(line, 1)
  const space = line.startsWith('`') || line.endsWith('`') ? ' ' : ''
  return `${marks}${space}${line}${space}${marks}`
}
/** The same for a table cell. */
export const cellCode = (text: string): string => codeSpan(text).replace(/\|/g, '\\|')

const codeBlock = (text: string): string => {
  const body = visibleLines(text)
  const marks = fence(body, 3)
  return `${marks}text\n${body}\n${marks}`
}

const findingBlock = (finding: Finding): string => {
  const lines = [
    `### ${finding.severity.toUpperCase()}: ${escapeMarkdown(finding.title)} - ${codeSpan(finding.operation)}`,
    '',
    `**${facts.savingHeadline(finding.saving)}**${finding.saving === null ? '' : ` (${facts.savingDetail(finding.saving)})`}`,
    '',
    `${codeSpan(finding.id)}, ${escapeMarkdown(finding.detector)}, ${finding.confidence}, service ${codeSpan(finding.service)}`,
    '',
    ...facts.locationParts(finding.location).map(([name, text]) => `- ${name}: ${codeSpan(text)}`),
    '',
    'Fix:',
    '',
    codeBlock(finding.fix),
  ]
  if (finding.evidence.length > 0) {
    lines.push('', '| evidence | value | n |', '| --- | ---: | ---: |')
    for (const one of finding.evidence) {
      lines.push(
        `| ${cellCode(one.label)} | ${cellCode(facts.evidenceValue(one))} | ${formatNumber(one.n)} |`,
      )
    }
  }
  if (finding.guards.length > 0) {
    lines.push('', 'Checked:', '', ...finding.guards.map((guard) => `- ${escapeMarkdown(guard)}`))
  }
  if (finding.traceIds.length > 0) lines.push('', `Traces: ${finding.traceIds.map(codeSpan).join(', ')}`)
  if (finding.runIds.length > 0) lines.push('', `Runs: ${finding.runIds.map(codeSpan).join(', ')}`)
  return lines.join('\n')
}

const candidateLine = (candidate: Candidate): string =>
  `- ${escapeMarkdown(candidate.title)} ${codeSpan(candidate.operation)}, ${facts.notConfirmed(candidate.traces, candidate.minutes)} (${codeSpan(candidate.service)}, ${escapeMarkdown(candidate.detector)}): ${escapeMarkdown(candidate.reason)}`

const cannotJudgeLine = (finding: Finding): string =>
  [
    `- ${escapeMarkdown(finding.title)}: ${codeSpan(finding.service)} ${codeSpan(finding.operation)} (${escapeMarkdown(finding.detector)}). Fix: ${escapeMarkdown(finding.fix)}`,
    ...finding.guards.map((guard) => `  - ${escapeMarkdown(guard)}`),
    ...finding.evidence.map((one) => `  - ${escapeMarkdown(facts.evidenceSentence(one))}`),
  ].join('\n')

/** The report for a GitHub step summary or comment. */
export const renderMarkdown = (report: Report, options: { readonly possible?: boolean } = {}): string => {
  const shown = facts.shownFindings(report, options.possible ?? false)
  const hidden = report.findings.length - shown.length
  const blocks = [`## Hotspan: ${facts.verdictLine(report)}`]
  blocks.push(`Project ${codeSpan(report.project)}, ${facts.windowLine(report)}`)
  if (report.coverage.spans === 0) blocks.push(facts.emptyAdvice.join(' '))
  if (shown.length > 0) {
    const rows = causesOf(shown).map(({ lead, alike }) => {
      const all = [lead, ...alike]
      const where = all.map(({ operation }) => cellCode(operation)).join('<br>')
      const savings = all.map(({ saving }) => facts.savingHeadline(saving)).join('<br>')
      return `| ${lead.severity.toUpperCase()} | ${escapeMarkdown(lead.title)} | ${where} | ${savings} |`
    })
    blocks.push(['| severity | what | where | saving |', '| --- | --- | --- | --- |', ...rows].join('\n'))
  }
  if (shown.length > 1) blocks.push(facts.ranking)
  for (const { lead, alike } of causesOf(shown)) blocks.push(...[lead, ...alike].map(findingBlock))
  if (hidden > 0)
    blocks.push(`${count(hidden, 'possible finding')} hidden (pattern only); --possible shows them`)
  if (report.candidates.length > 0) {
    blocks.push(['### Seen, not confirmed', '', ...report.candidates.map(candidateLine)].join('\n'))
  }
  if (report.cannotJudge.length > 0) {
    blocks.push(['### Cannot judge', '', ...report.cannotJudge.map(cannotJudgeLine)].join('\n'))
  }
  blocks.push(
    ['### Coverage', '', ...facts.coverageLines(report).map((line) => `- ${escapeMarkdown(line)}`)].join(
      '\n',
    ),
  )
  const made = `generated ${formatTime(report.generatedAtUnixMs)} in ${formatMs(report.tookMs)}`
  blocks.push(`### Settings\n\n${facts.settingsLine(report)}; ${made}`)
  return `${blocks.join('\n\n')}\n`
}
