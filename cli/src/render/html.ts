import type { Candidate, Finding, Report } from '@hotspan/analyzers'
import { criticalSpanIds } from '../trace/critical-spans.ts'
import { requestOfFinding } from '../trace/request-of-finding.ts'
import { buildWaterfall, type WaterfallSpan } from '../trace/waterfall.ts'
import { type Cause, causesOf } from './causes.ts'
import { escapeHtml, escapeHtmlLines, escapeHtmlPath } from './escape-html.ts'
import * as facts from './finding-facts.ts'
import { htmlPage } from './html-page.ts'
import { waterfallHtml } from './html-waterfall.ts'
import { count, formatInterval, formatMs, formatNumber, formatShare, formatTime } from './numbers.ts'

export interface HtmlOptions {
  /** Of a live page: what the store takes and how it is. */
  readonly storeLine?: string
  /** Spans of the example traces, of all of them in one list (`exampleTraceIds(report)` names the traces). */
  readonly traces?: readonly WaterfallSpan[]
  /** Digest of the content when the page is served live and refreshes itself; trace ids are then links. */
  readonly liveDigest?: string
}

type Traces = ReadonlyMap<string, readonly WaterfallSpan[]>

const byTrace = (spans: readonly WaterfallSpan[]): Traces => {
  const traces = new Map<string, WaterfallSpan[]>()
  for (const span of spans) {
    const known = traces.get(span.traceId)
    if (known) known.push(span)
    else traces.set(span.traceId, [span])
  }
  return traces
}

const tag = (finding: Finding): string =>
  `<span class="tag ${finding.severity}">${finding.severity.toUpperCase()}</span>`

const savingHtml = (finding: Finding): string => {
  const { saving } = finding
  if (saving === null) return `<p class="soft">${facts.savingHeadline(null)}</p>`
  const { value, low, high } = saving.perRequestMs
  return `<p class="saving">saves <strong>${formatMs(value)}</strong> (${formatInterval(low, high)}), ${formatShare(saving.shareRatio)} of the time <span class="soft">per affected request, 95 % interval</span></p>
<p class="soft">${facts.savingDetail(saving)}</p>`
}

const codeBlock = (text: string): string =>
  `<div class="fix"><pre>${escapeHtmlLines(text)}</pre><button type="button" data-copy>copy</button></div>`

const evidenceTable = (finding: Finding): string => {
  if (finding.evidence.length === 0) return ''
  const rows = finding.evidence.map(
    (one) =>
      `<tr><td>${escapeHtml(one.label)}</td><td class="n">${escapeHtml(facts.evidenceValue(one))}</td><td class="n">${formatNumber(one.n)}</td></tr>`,
  )
  return `<h4>Evidence</h4><table><thead><tr><th>what</th><th class="n">value (95 % interval)</th><th class="n">n</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
}

const traceLink = (id: string, live: boolean): string =>
  live && /^[0-9a-f]{32}$/.test(id)
    ? `<a href="/traces/${id}"><code>${id}</code></a>`
    : `<code>${escapeHtml(id)}</code>`

/** The card of a cause; what its lines cost in other operations stands folded in it. */
const causeHtml = ({ lead, alike }: Cause, place: number, traces: Traces, live: boolean): string => {
  const also = alike.map(
    (finding) =>
      `<details class="also" data-id="a-${escapeHtml(finding.id)}"><summary>${escapeHtml(facts.alsoIn(finding))}</summary>${findingHtml(finding, false, traces, live)}</details>`,
  )
  return `<article class="card" id="f${place}">${findingHtml(lead, place === 0, traces, live)}${also.join('')}</article>`
}

const findingHtml = (finding: Finding, open: boolean, traces: Traces, live: boolean): string => {
  const parts = [
    ['service', finding.service],
    ['operation', finding.operation],
    ...facts.locationParts(finding.location),
  ].map(([name = '', text = '']) => `<dt>${name}</dt><dd><code>${escapeHtml(text)}</code></dd>`)
  const example = finding.traceIds.find((id) => traces.has(id))
  const trace = example === undefined ? [] : (traces.get(example) ?? [])
  const spans = requestOfFinding(trace, finding)
  const part =
    spans.length < trace.length ? `, the request in its trace of ${count(trace.length, 'span')}` : ''
  const waterfall =
    spans.length === 0
      ? ''
      : `<details${open ? ' open' : ''} data-id="w-${escapeHtml(finding.id)}"><summary>Example ${escapeHtml(example ?? '')}${part}</summary>${waterfallHtml(buildWaterfall(spans, { criticalSpanIds: criticalSpanIds(spans), maxRows: 120 }))}</details>`
  const guards = finding.guards.map((guard) => `<li>${escapeHtml(guard)}</li>`).join('')
  const ids = [
    finding.traceIds.length === 0
      ? ''
      : `<h4>Traces</h4><p>${finding.traceIds.map((id) => traceLink(id, live)).join(' ')}</p>`,
    finding.runIds.length === 0
      ? ''
      : `<h4>Runs</h4><p>${finding.runIds.map((id) => `<code>${escapeHtml(id)}</code>`).join(' ')}</p>`,
  ].join('')
  return `<div class="head">${tag(finding)}<h3>${escapeHtml(finding.title)}</h3><span class="soft">${finding.confidence}</span></div>
${savingHtml(finding)}
<dl>${parts.join('')}</dl>
<h4>Fix</h4>${codeBlock(finding.fix)}
${evidenceTable(finding)}
${guards === '' ? '' : `<h4>Checked</h4><ul>${guards}</ul>`}
${ids}
${waterfall}
<p class="soft">${escapeHtml(finding.id)}, ${escapeHtml(finding.detector)}</p>`
}

const overview = (causes: readonly Cause[]): string => {
  const rows = causes.flatMap(({ lead, alike }, index) =>
    [lead, ...alike].map(({ operation, saving, title }, nth) => {
      const what = `<td>${tag(lead)}</td><td><a href="#f${index}">${escapeHtml(title)}</a></td>`
      const saves =
        saving === null
          ? '-'
          : `${formatMs(saving.perRequestMs.value)} (${formatInterval(saving.perRequestMs.low, saving.perRequestMs.high)})`
      return `<tr${nth === 0 ? '' : ' class="alike"'}>${nth === 0 ? what : '<td></td><td class="soft">the same lines</td>'}<td><code>${escapeHtmlPath(operation)}</code></td><td class="n">${saves}</td></tr>`
    }),
  )
  const more = rows.length > 1 ? `<p class="soft">${facts.ranking}</p>` : ''
  return `<section class="card"><table class="overview"><thead><tr><th>severity</th><th>what</th><th>where</th><th class="n">saves per request</th></tr></thead><tbody>${rows.join('')}</tbody></table>${more}</section>`
}

const candidateHtml = (one: Candidate): string =>
  `<tr><td>${escapeHtml(one.title)}<br><span class="soft">${escapeHtml(one.detector)}</span></td><td><code>${escapeHtml(one.operation)}</code><br><span class="soft">${escapeHtml(one.service)}</span></td><td>${facts.notConfirmed(one.traces, one.minutes)}<br><span class="soft">${escapeHtml(one.reason)}</span></td></tr>`

const cannotJudgeHtml = (one: Finding): string => {
  const more = [...one.guards, ...one.evidence.map(facts.evidenceSentence)].map(
    (text) => `<li>${escapeHtml(text)}</li>`,
  )
  return `<div class="card"><strong>${escapeHtml(one.title)}</strong> <span class="soft">${escapeHtml(one.service)} ${escapeHtml(one.operation)}, ${escapeHtml(one.detector)}</span><p>${escapeHtml(one.fix)}</p>${more.length === 0 ? '' : `<ul>${more.join('')}</ul>`}</div>`
}

/** The report as one file that loads nothing: open it from disk, mail it, print it. */
export const renderHtml = (report: Report, options: HtmlOptions = {}): string => {
  const traces = byTrace(options.traces ?? [])
  const live = options.liveDigest !== undefined
  const shown = facts.shownFindings(report, false)
  const possible = report.findings.filter((finding) => finding.confidence === 'possible')
  const sections: string[] = []
  if (report.coverage.spans === 0) {
    sections.push(
      `<section class="card">${facts.emptyAdvice.map((line) => `<p>${escapeHtml(line)}</p>`).join('')}</section>`,
    )
  }
  const causes = causesOf(shown)
  if (shown.length > 0) sections.push(`<h2>Ranked findings</h2>${overview(causes)}`)
  sections.push(...causes.map((cause, index) => causeHtml(cause, index, traces, live)))
  if (possible.length > 0) {
    const cards = causesOf(possible)
      .map((cause, index) => causeHtml(cause, causes.length + index, traces, live))
      .join('\n')
    sections.push(
      `<details data-id="possible"><summary>${count(possible.length, 'possible finding')} (pattern only)</summary>${cards}</details>`,
    )
  }
  if (report.candidates.length > 0) {
    sections.push(
      `<h2>Seen, not confirmed</h2><section class="card"><table><tbody>${report.candidates.map(candidateHtml).join('')}</tbody></table></section>`,
    )
  }
  if (report.cannotJudge.length > 0) {
    sections.push(`<h2>Cannot judge</h2>${report.cannotJudge.map(cannotJudgeHtml).join('\n')}`)
  }
  sections.push(
    `<h2>Coverage</h2><section class="card"><ul>${facts
      .coverageLines(report)
      .map((line) => `<li>${escapeHtml(line)}</li>`)
      .join('')}</ul></section>`,
    `<h2>Settings</h2><section class="card"><p>${escapeHtml(facts.settingsLine(report))}</p></section>`,
  )
  return htmlPage({
    title: `Hotspan: ${facts.verdictLine(report)}`,
    header: `<h1>${escapeHtml(facts.verdictLine(report))}</h1><p class="soft">project ${escapeHtml(report.project)}, ${facts.windowLine(report)}${live ? ', <span id="live" role="status">live</span>' : ''}</p>`,
    main: sections.join('\n'),
    footer: `Hotspan, generated ${formatTime(report.generatedAtUnixMs)} in ${formatMs(report.tookMs)}${options.storeLine === undefined ? '' : `; ${escapeHtml(options.storeLine)}`}`,
    ...(options.liveDigest === undefined ? {} : { liveDigest: options.liveDigest }),
  })
}
