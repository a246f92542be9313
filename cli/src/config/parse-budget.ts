/** A bound on one figure of a run. */
export interface BudgetText {
  /** As it was written. */
  readonly text: string
  /** Name in the run's metrics, with `/endpoint` behind it when one was named: `latency.p95/GET /products`. */
  readonly metric: string
  readonly direction: 'at-most' | 'at-least'
  /** In `unit`. */
  readonly limit: number
  /** `ms`, `By` or `1`. */
  readonly unit: string
}

export const budgetExpected =
  "a budget such as p95<=250ms, 'GET /products p99<=400ms', error_rate<=1%, lcp<=2500ms or score>=0.9"

/** Short names; every other name is taken as the run's own (`largest-contentful-paint`, `transfer-size/script`). */
const shortNames: Readonly<Record<string, string>> = {
  p10: 'latency.p10',
  p50: 'latency.p50',
  median: 'latency.p50',
  p90: 'latency.p90',
  p95: 'latency.p95',
  p99: 'latency.p99',
  mean: 'latency.mean',
  max: 'latency.max',
  error_rate: 'error.ratio',
  errors: 'error.ratio',
  fcp: 'first-contentful-paint',
  lcp: 'largest-contentful-paint',
  tbt: 'total-blocking-time',
  cls: 'cumulative-layout-shift',
  si: 'speed-index',
  score: 'performance.score',
  bytes: 'total-byte-weight',
}

const units: Readonly<Record<string, readonly [string, number]>> = {
  '': ['1', 1],
  '%': ['1', 0.01],
  us: ['ms', 1e-3],
  ms: ['ms', 1],
  s: ['ms', 1e3],
  B: ['By', 1],
  kB: ['By', 1e3],
  MB: ['By', 1e6],
}

const isTime = (metric: string): boolean =>
  /^latency\./.test(metric) ||
  ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'speed-index'].includes(
    metric,
  )

/** `[METHOD /path ]METRIC<=VALUE[UNIT]` or `>=`. A time without a unit is refused: 250 of what? */
export const parseBudget = (text: string): BudgetText | undefined => {
  const match =
    /^(?:([A-Z]{3,10} \/\S*) +)?([A-Za-z][\w./-]*) *(<=|>=) *(\d+(?:\.\d+)?) *(%|[a-zA-Z]*)$/.exec(
      text.trim(),
    )
  if (!match) return undefined
  const [, endpoint, name = '', operator, number, unitText = ''] = match
  const unit = Object.hasOwn(units, unitText) ? units[unitText] : undefined
  if (unit === undefined) return undefined
  const figure = Object.hasOwn(shortNames, name) ? shortNames[name]! : name
  const [unitName, factor] = unit
  if (isTime(figure) !== (unitName === 'ms') && (isTime(figure) || Object.hasOwn(shortNames, name))) {
    const bytes = figure === 'total-byte-weight' && unitName !== 'ms'
    if (!bytes) return undefined
  }
  return {
    text: text.trim(),
    metric: endpoint === undefined ? figure : `${figure}/${endpoint}`,
    direction: operator === '<=' ? 'at-most' : 'at-least',
    limit: Number((Number(number) * factor).toPrecision(15)),
    unit: figure === 'total-byte-weight' ? 'By' : unitName,
  }
}
