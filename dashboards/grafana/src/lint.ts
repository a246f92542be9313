import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard'
import { isClickHouseQuery } from './clickhouse-query.ts'
import { variablesIn } from './macros.ts'
import { GRID_WIDTH } from './panel-defaults.ts'

/** What is wrong with a dashboard, one sentence each; empty when nothing is. */
export function lintDashboard(board: Dashboard): string[] {
  const panels = panelsOf(board)
  return [
    ...panels.flatMap(lintPanel),
    ...lintLayout(board.panels ?? []),
    ...lintVariables(board, panels),
    ...(board.uid !== undefined && /^[a-zA-Z0-9_-]{8,40}$/.test(board.uid)
      ? []
      : ['the uid is not 8 to 40 letters, digits, - or _']),
  ]
}

/** Panels that draw something, rows left out. */
export function panelsOf(board: Dashboard): Panel[] {
  return (board.panels ?? []).flatMap((panel) => (isRow(panel) ? panel.panels : [panel]))
}

function isRow(panel: Panel | RowPanel): panel is RowPanel {
  return panel.type === 'row'
}

function lintPanel(panel: Panel): string[] {
  const name = `panel "${panel.title ?? panel.id}"`
  const problems: string[] = []
  const want = (holds: boolean, what: string): void => {
    if (!holds) problems.push(`${name} has no ${what}`)
  }
  want((panel.title ?? '') !== '', 'title')
  want((panel.description ?? '').length > 20, 'description of a sentence')
  want((panel.fieldConfig?.defaults.unit ?? '') !== '', 'unit')
  want(panel.datasource?.uid !== undefined, 'data source')
  want((panel.targets ?? []).length > 0, 'query')
  if (panel.type === 'timeseries') {
    const legend = panel.options?.legend
    want(legend?.showLegend === true && legend.calcs.length > 0, 'legend with calculations')
  }
  for (const target of panel.targets ?? []) {
    if (!isClickHouseQuery(target)) continue
    want(/\$__(timeFilter|fromTime)/.test(target.rawSql), 'time range in its query')
    if (panel.type === 'timeseries') {
      want(/\$__timeInterval(_ms)?\(/.test(target.rawSql), 'time interval in its query')
      want(target.format === 0, 'time-series format')
    } else want(target.format === 1, 'table format')
  }
  return problems
}

function lintLayout(panels: readonly (Panel | RowPanel)[]): string[] {
  const problems: string[] = []
  const ids = new Set<number | undefined>()
  for (const [index, panel] of panels.entries()) {
    const { x, y, w, h } = panel.gridPos ?? { x: 0, y: 0, w: 0, h: 0 }
    if (w <= 0 || h <= 0 || x < 0 || x + w > GRID_WIDTH)
      problems.push(`"${panel.title}" does not fit the grid`)
    if (panel.id === undefined || ids.has(panel.id)) problems.push(`"${panel.title}" has no id of its own`)
    ids.add(panel.id)
    for (const other of panels.slice(index + 1)) {
      const o = other.gridPos ?? { x: 0, y: 0, w: 0, h: 0 }
      const apart = x + w <= o.x || o.x + o.w <= x || y + h <= o.y || o.y + o.h <= y
      if (!apart) problems.push(`"${panel.title}" overlaps "${other.title}"`)
    }
  }
  return problems
}

function lintVariables(board: Dashboard, panels: readonly Panel[]): string[] {
  const variables = board.templating.list ?? []
  const defined = new Set(variables.map(({ name }) => name))
  const used = new Set<string>()
  for (const panel of panels) for (const name of variablesIn(JSON.stringify(panel))) used.add(name)
  for (const { query, datasource } of variables) {
    for (const name of variablesIn(JSON.stringify([query, datasource]))) used.add(name)
  }
  return [
    ...[...used]
      .filter((name) => !defined.has(name))
      .map((name) => `variable $${name} is used but not defined`),
    ...[...defined]
      .filter((name) => !used.has(name))
      .map((name) => `variable $${name} is defined but not used`),
  ]
}
