import type { Report } from '@hotspan/analyzers'
import { expect, test } from 'vitest'
import { reportOf } from '../testing/reports.ts'
import * as facts from './finding-facts.ts'
import { renderHtml } from './html.ts'
import { renderJson } from './json.ts'
import { renderMarkdown } from './markdown.ts'
import { renderText } from './text.ts'

const squeeze = (text: string): string => text.replace(/\s+/g, '')
const fromHtml = (html: string): string =>
  html
    .replace(/<(style|script)>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
const fromMarkdown = (markdown: string): string =>
  markdown
    .replace(/\\([!-/:-@[-`{-~])/g, '$1')
    .replace(/[`*]/g, '')
    .replace(/<!-- -->/g, '')
const fixFree = (text: string): string => text.replace(/[`*]/g, '')

/** Everything that a reader must be able to see, in the words that all formats share. */
const expectedFacts = (report: Report): string[] => {
  const all: string[] = [
    facts.verdictLine(report),
    report.project,
    facts.windowLine(report),
    facts.settingsLine(report),
    ...facts.coverageLines(report),
  ]
  for (const finding of [...report.findings, ...report.cannotJudge]) {
    all.push(
      finding.title,
      finding.service,
      finding.operation,
      finding.detector,
      ...finding.fix.split('\n'),
      ...finding.guards,
    )
    for (const evidence of finding.evidence) all.push(evidence.label, facts.evidenceValue(evidence))
    if (finding.kind === 'cannot-judge') continue
    all.push(
      finding.id,
      finding.severity.toUpperCase(),
      finding.confidence,
      facts.savingHeadline(finding.saving),
    )
    if (finding.saving) all.push(facts.savingDetail(finding.saving))
    for (const [, text] of facts.locationParts(finding.location)) all.push(text)
    all.push(...finding.traceIds, ...finding.runIds)
  }
  for (const one of report.candidates)
    all.push(one.title, one.service, one.operation, one.reason, facts.notConfirmed(one.traces, one.minutes))
  return all
}

const report = reportOf()

test.each([
  ['text', squeeze(fixFree(renderText(report)))],
  ['markdown', squeeze(fromMarkdown(renderMarkdown(report)))],
  ['html', squeeze(fixFree(fromHtml(renderHtml(report))))],
])('%s carries every fact', (_format, output) => {
  const missing = expectedFacts(report).filter((fact) => !output.includes(squeeze(fixFree(fact))))
  expect(missing).toEqual([])
})

test('json is the report itself', () => {
  expect(JSON.parse(renderJson(report))).toEqual(report)
})

test('possible findings stay hidden and are counted, in json they are all there', () => {
  const [first, second] = report.findings
  const withPossible = reportOf({
    findings: [first!, { ...second!, confidence: 'possible', title: 'Only a pattern' }],
  })
  expect(renderText(withPossible)).toContain('1 possible finding hidden')
  expect(renderText(withPossible)).not.toContain('Only a pattern')
  expect(renderText(withPossible, { possible: true })).toContain('Only a pattern (possible)')
  expect(renderMarkdown(withPossible)).not.toContain('Only a pattern')
  expect(renderHtml(withPossible)).toContain('<details data-id="possible"><summary>1 possible finding')
})

test('an empty window is said to be empty, not clean', () => {
  const empty = reportOf({
    findings: [],
    candidates: [],
    cannotJudge: [],
    coverage: { spans: 0, traces: 0, incompleteTraces: 0, spansOfUnknownWeight: 0, services: [] },
  })
  for (const output of [renderText(empty), renderMarkdown(empty), renderHtml(empty)]) {
    expect(output).toContain('nothing to judge: the window holds no spans')
    expect(output).toContain('hotspan dev -- COMMAND')
  }
})
