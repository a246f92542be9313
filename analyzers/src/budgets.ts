import type { Run } from '@hotspan/loadtests'

/**
 * Requests beyond a quantile without which it is not judged: 25, so p50 needs 50 values, p90 250, p95 500 and p99 2,500.
 */
const minBeyondQuantile = 25

/** Bounds of one figure of a run, in the figure's own unit. At least one of the two is set. */
export interface Bounds {
  readonly max?: number
  readonly min?: number
}

/** Bounds by name of the figure, as in `Run.metrics`: `latency.p95/GET /products`, `largest-contentful-paint`. */
export type Budgets = Readonly<Record<string, Bounds>>

export interface BudgetLine {
  readonly metric: string
  readonly verdict: 'pass' | 'fail' | 'inconclusive'
  /** Of the judged runs; NaN never: absent when no run has the figure. */
  readonly value?: number
  readonly unit: string
  /** Values behind the figure, over all judged runs. */
  readonly n: number
  readonly bounds: Bounds
  /** Why it could not be judged, or what was exceeded and by how much. */
  readonly reason: string
  readonly runIds: readonly string[]
}

export interface BudgetVerdict {
  readonly verdict: 'pass' | 'fail' | 'inconclusive'
  readonly lines: readonly BudgetLine[]
}

/** A budget that no figure can meet or miss. */
export class BudgetError extends Error {
  readonly code = 'HS_BUDGET'
}

/**
 * Judges recorded runs against absolute budgets. Several runs of one figure are judged by the median of their values. One
 * exceeded budget fails; else one that could not be judged makes the whole inconclusive; no budget at all is inconclusive too.
 *
 * @throws BudgetError naming a budget without a bound, or with a bound that is no finite number.
 */
export function judgeBudgets(runs: readonly Run[], budgets: Budgets): BudgetVerdict {
  const lines = Object.entries(budgets).map(([metric, bounds]) => judgeLine(runs, metric, bounds))
  const has = (verdict: BudgetLine['verdict']) => lines.some((line) => line.verdict === verdict)
  const verdict = has('fail') ? 'fail' : has('inconclusive') || lines.length === 0 ? 'inconclusive' : 'pass'
  return { verdict, lines }
}

function judgeLine(runs: readonly Run[], metric: string, bounds: Bounds): BudgetLine {
  checkBounds(metric, bounds)
  const void_ = runs.filter((run) => run.health.voidReason !== '' && run.metrics[metric] !== undefined)
  const judged = runs.filter((run) => run.health.voidReason === '' && run.metrics[metric] !== undefined)
  const figures = judged.map((run) => run.metrics[metric]!)
  const base = {
    metric,
    bounds,
    runIds: judged.map((run) => run.id),
    n: figures.reduce((sum, { n }) => sum + n, 0),
  }
  if (figures.length === 0) {
    const reason =
      void_.length > 0
        ? `every run with ${metric} is void: ${void_[0]!.health.voidReason}`
        : `no run has the figure ${metric}; there are ${namesOf(runs)}`
    return { ...base, verdict: 'inconclusive', unit: '', reason }
  }
  const { unit } = figures[0]!
  const value = medianOf(figures.map((figure) => figure.value))
  const needed = minValues(metric)
  const fewest = Math.min(...figures.map((figure) => figure.n))
  if (fewest < needed) {
    const reason = `${fewest} values, ${metric} needs ${needed}: raise the rate or the length`
    return { ...base, verdict: 'inconclusive', value, unit, reason }
  }
  const over = bounds.max !== undefined && value > bounds.max
  const under = bounds.min !== undefined && value < bounds.min
  if (over)
    return {
      ...base,
      verdict: 'fail',
      value,
      unit,
      reason: `${show(value)} ${unit} is above ${bounds.max} ${unit}`,
    }
  if (under)
    return {
      ...base,
      verdict: 'fail',
      value,
      unit,
      reason: `${show(value)} ${unit} is below ${bounds.min} ${unit}`,
    }
  return { ...base, verdict: 'pass', value, unit, reason: '' }
}

function checkBounds(metric: string, { min, max }: Bounds): void {
  const given = [min, max].filter((bound) => bound !== undefined)
  if (given.length === 0) throw new BudgetError(`budget ${metric} has no bound; expected max, min or both`)
  for (const bound of given)
    if (!Number.isFinite(bound))
      throw new BudgetError(`budget ${metric} is ${bound}; expected a finite number`)
  if (min !== undefined && max !== undefined && min > max)
    throw new BudgetError(`budget ${metric} has min ${min} above max ${max}`)
}

/** Values that a figure needs, from the quantile in its name: `latency.p95/...` is the 0.95 quantile. */
export function minValues(metric: string): number {
  const digits = /(?:^|[._])p(\d{2,4})(?=$|[._/])/.exec(metric)?.[1]
  if (digits === undefined) return 1
  const quantile = Number(digits) / 10 ** digits.length
  return Math.round(minBeyondQuantile / Math.min(quantile, 1 - quantile))
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const show = (value: number) => Number(value.toPrecision(4)).toString()

function namesOf(runs: readonly Run[]): string {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].sort()
  if (names.length === 0) return 'no figures at all'
  return names.length > 20
    ? `${names.slice(0, 20).join(', ')} and ${names.length - 20} more`
    : names.join(', ')
}
