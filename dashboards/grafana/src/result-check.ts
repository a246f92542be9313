import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'

/** A column of an answer, with ClickHouse's type. */
export interface ResultColumn {
  readonly name: string
  readonly type: string
}

const isTime = (type: string): boolean => /^(Nullable\()?Date(Time)?(32|64)?\b/.test(type)
const isNumber = (type: string): boolean => /^(Nullable\()?(U?Int\d+|Float\d+|Decimal\b)/.test(type)
const isText = (type: string): boolean => /^(Nullable\(|LowCardinality\()*String/.test(type)

/** Why a panel could not draw an answer of these columns, one sentence each; empty when it can. */
export function checkColumns(panel: Panel, columns: readonly ResultColumn[]): string[] {
  const problems = panel.type === 'timeseries' ? checkSeries(panel, columns) : checkTable(panel, columns)
  const names = new Set(columns.map(({ name }) => name))
  for (const { matcher } of panel.fieldConfig?.overrides ?? []) {
    if (matcher.id === 'byName' && !names.has(matcher.options)) {
      problems.push(`an override is for column "${matcher.options}", which the query does not give`)
    }
  }
  return problems.map((problem) => `panel "${panel.title}": ${problem}`)
}

function checkSeries(panel: Panel, columns: readonly ResultColumn[]): string[] {
  const problems: string[] = []
  const [first, ...rest] = columns
  if (first === undefined || first.name !== 'time' || !isTime(first.type))
    problems.push('the first column is not a time named "time"')
  const labels = rest.filter(({ type }) => isText(type))
  const values = rest.filter(({ type }) => isNumber(type))
  if (values.length === 0) problems.push('there is no numeric column')
  if (labels.length + values.length !== rest.length) problems.push('a column is neither text nor a number')
  const label = /__field\.labels\.(\w+)/.exec(panel.fieldConfig?.defaults.displayName ?? '')?.[1]
  if (labels.length > 0 && !labels.some(({ name }) => name === label)) {
    problems.push('series have labels, but their name does not come from one')
  }
  if (labels.length === 0 && label !== undefined)
    problems.push(`series are named after label "${label}", which is not there`)
  return problems
}

function checkTable(panel: Panel, columns: readonly ResultColumn[]): string[] {
  const problems: string[] = []
  const units = new Set(
    (panel.fieldConfig?.overrides ?? [])
      .filter(({ properties }) => properties.some(({ id }) => id === 'unit'))
      .map(({ matcher }) => matcher.options as string),
  )
  for (const { name, type } of columns) {
    if (!isTime(type) && !isNumber(type) && !isText(type))
      problems.push(`column "${name}" is a ${type}, which a table cannot show`)
    if (isNumber(type) && !units.has(name)) problems.push(`the numeric column "${name}" has no unit`)
  }
  return problems
}
