import type { Result } from 'lighthouse'

export interface PageFigure {
  /** Lighthouse's audit id, a dot and the part of it (`cache-insight.wasted`), and `/` with the resource type or path it is about. */
  readonly metric: string
  readonly value: number
  readonly unit: string
  /** True for figures of one script, sheet or file; those stay out of the run's named metrics. */
  readonly perResource: boolean
}

type Audit = Result['audits'][string]
type Item = Readonly<Record<string, unknown>>

/** Files with figures of their own, per audit; Lighthouse lists the worst first. */
const maxResources = 50

/**
 * Every number of a Lighthouse result that a budget, a chart or a lab finding can use. Audits are taken by what they carry, not from
 * a list, so that insights of later versions are kept under their own names.
 *
 * | metric | unit | meaning |
 * | --- | --- | --- |
 * | `<audit>` | of the audit | its number: `first-contentful-paint`, `total-blocking-time` in ms, `total-byte-weight` in By |
 * | `<audit>.score` | 1 | score from 0 to 1 where there is one |
 * | `<audit>.saving/LCP` | ms, CLS 1 | what Lighthouse says the metric would gain |
 * | `<audit>.wasted` | By | bytes that need not be sent; `<audit>.wasted/<path>` for one file, `.size/<path>` its size |
 * | `unused-javascript.ratio` | 1 | unused bytes of the listed scripts over the bytes of all scripts |
 * | `cache-insight.lifetime/<path>` | ms | how long the file may be kept |
 * | `render-blocking-insight.wasted-time/<path>` | ms | time a file holds up the first paint |
 * | `requests`, `transfer-size` | {request}, By | whole page; `requests/script` and so on by resource type |
 * | `long-tasks` | {task} | main-thread tasks over 50 ms |
 * | `performance.score`, `benchmark-index` | 1 | of the whole page; speed of the machine at that moment |
 */
export function pageFigures(lhr: Result): PageFigure[] {
  const figures: PageFigure[] = []
  const add = (metric: string, value: unknown, unit: string, perResource = false) => {
    if (typeof value === 'number' && Number.isFinite(value))
      figures.push({ metric, value, unit, perResource })
  }
  add('performance.score', lhr.categories.performance?.score, '1')
  add('benchmark-index', lhr.environment.benchmarkIndex, '1')
  const pageOrigin = URL.canParse(lhr.finalDisplayedUrl) ? new URL(lhr.finalDisplayedUrl).origin : ''
  for (const audit of Object.values(lhr.audits)) auditFigures(audit, pageOrigin, add)
  const summary = itemsOf(lhr.audits['resource-summary'])
  for (const item of summary) {
    const suffix = item.resourceType === 'total' ? '' : `/${String(item.resourceType)}`
    add(`requests${suffix}`, item.requestCount, '{request}')
    add(`transfer-size${suffix}`, item.transferSize, 'By')
  }
  const scriptBytes = summary.find((item) => item.resourceType === 'script')?.transferSize
  if (typeof scriptBytes === 'number' && scriptBytes > 0 && lhr.audits['unused-javascript']) {
    add(
      'unused-javascript.ratio',
      Math.min(1, sumOf(lhr.audits['unused-javascript'], 'wastedBytes') / scriptBytes),
      '1',
    )
  }
  add('long-tasks', itemsOf(lhr.audits.diagnostics)[0]?.numTasksOver50ms, '{task}')
  for (const part of lcpParts(lhr.audits['lcp-breakdown-insight'])) {
    add(`lcp-breakdown-insight.duration/${String(part.subpart)}`, part.duration, 'ms')
  }
  return figures
}

type Add = (metric: string, value: unknown, unit: string, perResource?: boolean) => void

const units: Readonly<Record<string, string>> = { millisecond: 'ms', second: 's', byte: 'By', unitless: '1' }

function auditFigures(audit: Audit, pageOrigin: string, add: Add): void {
  if (audit.scoreDisplayMode === 'error' || audit.scoreDisplayMode === 'notApplicable') return
  add(audit.id, audit.numericValue, units[audit.numericUnit ?? 'unitless'] ?? `{${audit.numericUnit}}`)
  add(`${audit.id}.score`, audit.score, '1')
  for (const [metric, saving] of Object.entries(audit.metricSavings ?? {})) {
    if (saving !== 0) add(`${audit.id}.saving/${metric}`, saving, metric === 'CLS' ? '1' : 'ms')
  }
  const items = itemsOf(audit).filter((item) => typeof item.url === 'string')
  const hasBytes = items.some((item) => typeof item.wastedBytes === 'number')
  const debugBytes = (audit.details as { debugData?: Item } | undefined)?.debugData?.wastedBytes
  if (typeof debugBytes === 'number' || hasBytes) {
    add(`${audit.id}.wasted`, debugBytes ?? sumOf(audit, 'wastedBytes'), 'By')
  } else if (audit.details?.type === 'opportunity' && items.length === 0) {
    add(`${audit.id}.wasted`, audit.details.overallSavingsBytes, 'By')
  }
  for (const item of items.slice(0, maxResources)) {
    if (item.wastedBytes === undefined && item.wastedMs === undefined && item.cacheLifetimeMs === undefined)
      continue
    const name = resourceName(item.url as string, pageOrigin)
    add(`${audit.id}.wasted/${name}`, item.wastedBytes, 'By', true)
    add(`${audit.id}.size/${name}`, item.totalBytes, 'By', true)
    add(`${audit.id}.wasted-time/${name}`, item.wastedMs, 'ms', true)
    add(`${audit.id}.lifetime/${name}`, item.cacheLifetimeMs, 'ms', true)
  }
}

/** The path without its query, which may hold ids or tokens; with the host when it is another one than the page's. */
function resourceName(url: string, pageOrigin: string): string {
  if (!URL.canParse(url)) return url.slice(0, 200)
  const parsed = new URL(url)
  return `${parsed.origin === pageOrigin ? '' : parsed.host}${parsed.pathname}`.slice(0, 200)
}

function itemsOf(audit: Audit | undefined): readonly Item[] {
  const items = (audit?.details as { items?: unknown } | undefined)?.items
  return Array.isArray(items) ? items : []
}

function sumOf(audit: Audit, key: string): number {
  return itemsOf(audit).reduce((sum, item) => sum + (typeof item[key] === 'number' ? item[key] : 0), 0)
}

/** The insight is a list of tables; the one with subparts has time to first byte, load delay, load duration and render delay. */
function lcpParts(audit: Audit | undefined): readonly Item[] {
  return itemsOf(audit)
    .flatMap((table) => (Array.isArray(table.items) ? (table.items as Item[]) : []))
    .filter((item) => typeof item.subpart === 'string')
}
