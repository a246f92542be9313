import type { BudgetVerdict } from '@hotspan/analyzers'
import type { BudgetText } from '../config/parse-budget.ts'
import { cellCode, escapeMarkdown } from './markdown.ts'
import { count, formatNumber, formatQuantity } from './numbers.ts'
import { type Colors, colors, wrap } from './terminal.ts'
import { visibleLine } from './visible-text.ts'

/** A judged budget with the words that it was written in. */
export interface JudgedBudget {
  readonly budget: BudgetText
  readonly verdict: BudgetVerdict['verdict']
  /** Absent when no judged run has the figure. */
  readonly value?: number
  /** Of the figure; `''` when no judged run has it. */
  readonly unit: string
  readonly n: number
  readonly reason: string
  readonly runIds: readonly string[]
}

export interface CheckDocument {
  readonly schemaVersion: 1
  readonly verdict: BudgetVerdict['verdict']
  readonly budgets: readonly JudgedBudget[]
  readonly runs: readonly {
    readonly id: string
    readonly kind: string
    readonly scenario: string
    readonly url: string
    readonly commit: string
  }[]
}

const valueText = (one: JudgedBudget): string =>
  one.value === undefined ? '-' : formatQuantity(Number(one.value.toPrecision(4)), one.unit)

const summary = (document: CheckDocument): string => {
  const kept = document.budgets.filter((one) => one.verdict === 'pass').length
  return `${document.verdict}: ${kept} of ${count(document.budgets.length, 'budget')} kept`
}

const word = (color: Colors, verdict: JudgedBudget['verdict']): string => {
  const text = verdict.padEnd(12)
  return verdict === 'pass' ? color.green(text) : verdict === 'fail' ? color.red(text) : color.yellow(text)
}

/** A line per budget, the reason below it where it was not kept. */
export const renderVerdictText = (
  document: CheckDocument,
  options: { readonly color?: boolean; readonly width?: number } = {},
): string => {
  const { width = 80 } = options
  const color = colors(options.color ?? false)
  const names = document.budgets.map((one) => visibleLine(one.budget.text))
  const nameWidth = Math.min(44, Math.max(...names.map((name) => name.length), 6))
  const lines = document.budgets.flatMap((one, index) => [
    `${word(color, one.verdict)} ${names[index]!.padEnd(nameWidth)}  ${valueText(one).padStart(10)}  n ${formatNumber(one.n)}`,
    ...(one.reason === ''
      ? []
      : wrap(visibleLine(one.reason), width - 13).map((line) => `${' '.repeat(13)}${line}`)),
  ])
  const runs = document.runs.map(
    (run) => `run ${visibleLine(run.id)}  ${visibleLine(run.kind)} ${visibleLine(run.url)}`,
  )
  return `${[color.bold(summary(document)), ...lines, ...runs].join('\n')}\n`
}

/** The same for a step summary. */
export const renderVerdictMarkdown = (document: CheckDocument): string => {
  const rows = document.budgets.map(
    (one) =>
      `| ${one.verdict} | ${cellCode(one.budget.text)} | ${valueText(one)} | ${formatNumber(one.n)} | ${escapeMarkdown(one.reason)} |`,
  )
  const runs = document.runs.map(
    (run) => `- run ${cellCode(run.id)}, ${escapeMarkdown(run.kind)} of ${cellCode(run.url)}`,
  )
  return [
    `## Hotspan: ${summary(document)}`,
    '',
    '| verdict | budget | value | n | reason |',
    '| --- | --- | ---: | ---: | --- |',
    ...rows,
    '',
    ...runs,
    '',
  ].join('\n')
}
