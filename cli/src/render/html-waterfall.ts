import type { StoredException } from '@hotspan/collector'
import type { Waterfall, WaterfallRow } from '../trace/waterfall.ts'
import { escapeHtml } from './escape-html.ts'
import { exceptionsHtml } from './exceptions.ts'
import { htmlPage } from './html-page.ts'
import { count, formatMs, formatTime } from './numbers.ts'

const percent = (part: number, whole: number): number =>
  whole <= 0 ? 0 : Math.min(100, Math.max(0, Math.round((part / whole) * 10000) / 100))

const rowHtml = (row: WaterfallRow, waterfall: Waterfall, several: boolean): string => {
  const x = percent(row.startMs, waterfall.durationMs)
  const width = Math.max(0.3, Math.min(100 - x, percent(row.durationMs, waterfall.durationMs)))
  const name = row.folded > 0 ? `${row.folded} more x ${row.name}` : row.name
  const marks = `${row.critical ? '<span class="crit-mark" title="on the critical path">*</span> ' : ''}${row.error ? '<span class="err" title="error">!</span> ' : ''}`
  const service = several ? ` <span class="soft">${escapeHtml(row.service)}</span>` : ''
  const below = [row.codePlace, row.folded > 0 ? '' : row.detail].filter((text) => text !== '').join('  ')
  const statement =
    below === '' ? '' : `<span class="stmt mono" title="${escapeHtml(below)}">${escapeHtml(below)}</span>`
  const bar = `<svg role="img" aria-label="from ${formatMs(row.startMs)}, ${formatMs(row.durationMs)}"><rect class="bar${row.critical ? ' crit' : ''}${row.folded > 0 ? ' fold' : ''}" x="${x}%" y="3" width="${width}%" height="10" rx="1.5"/></svg>`
  return `<tr><td><div class="name d${Math.min(8, row.depth)}" title="${escapeHtml(name)}">${marks}${escapeHtml(name)}${service}${statement}</div></td><td class="n">${formatMs(row.durationMs)}</td><td>${bar}</td></tr>`
}

/** The spans of one trace as table rows with bars. */
export const waterfallHtml = (waterfall: Waterfall): string => {
  const several = waterfall.services.length > 1
  const facts = [
    formatMs(waterfall.durationMs),
    count(waterfall.spans, 'span'),
    waterfall.services.map(escapeHtml).join(', '),
    formatTime(waterfall.startUnixMs),
  ]
  if (waterfall.errors > 0) facts.push(count(waterfall.errors, 'error'))
  if (waterfall.orphans > 0) facts.push(`incomplete: ${count(waterfall.orphans, 'span')} without a parent`)
  if (waterfall.leftOut > 0) facts.push(`${count(waterfall.leftOut, 'span')} left out`)
  return `<p class="soft">${facts.join(', ')}. <span class="crit-mark">*</span> critical path</p>
<div class="wf"><table><colgroup><col class="c1"><col class="c2"><col></colgroup><tbody>
${waterfall.rows.map((row) => rowHtml(row, waterfall, several)).join('\n')}
</tbody></table></div>`
}

/** A page of its own for one trace, as `hotspan dev` serves it. */
export const renderTraceHtml = (waterfall: Waterfall, exceptions: readonly StoredException[] = []): string =>
  htmlPage({
    title: `${waterfall.name} - trace ${waterfall.traceId}`,
    header: `<h1>${escapeHtml(waterfall.name)}</h1><p class="soft">trace <code>${escapeHtml(waterfall.traceId)}</code> <a href="/">all findings</a></p>`,
    main: `<section class="card">${waterfallHtml(waterfall)}</section>${exceptionsHtml(exceptions)}`,
    footer: 'Hotspan',
  })
