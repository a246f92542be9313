import type { Metric, Run } from '@hotspan/loadtests'
import { count, formatNumber, formatQuantity, formatShare, formatTime } from './numbers.ts'
import { colors, wrap } from './terminal.ts'
import { cut, visibleLine } from './visible-text.ts'

const quantiles = ['p10', 'p50', 'p90', 'p95', 'p99', 'max'] as const

const cellOf = (metric: Metric | undefined): string =>
  metric === undefined ? '-' : formatNumber(metric.value)

/** One line per endpoint, the whole run first: latency quantiles in ms from raw samples, and the errors. */
const loadTable = (run: Run, width: number): string[] => {
  const endpoints = Object.keys(run.metrics)
    .filter((name) => name.startsWith('requests/'))
    .map((name) => name.slice('requests/'.length))
  const suffixes = ['', ...(endpoints.length > 1 ? endpoints.map((name) => `/${name}`) : [])]
  const cells = suffixes.map((suffix) => [
    formatNumber(run.metrics[`requests${suffix}`]?.value ?? 0),
    ...quantiles.map((name) => cellOf(run.metrics[`latency.${name}${suffix}`])),
    formatShare(run.metrics[`error.ratio${suffix}`]?.value ?? 0),
  ])
  const head = ['requests', ...quantiles.map((name) => name), 'errors']
  const widths = head.map(
    (name, column) => Math.max(name.length, ...cells.map((row) => row[column]!.length)) + 2,
  )
  const rest = widths.reduce((sum, one) => sum + one, 0)
  const names = suffixes.map((suffix) => (suffix === '' ? 'all' : visibleLine(suffix.slice(1))))
  const nameWidth = Math.max(12, Math.min(width - rest, Math.max(...names.map((name) => name.length))))
  const line = (name: string, row: readonly string[]): string =>
    `${cut(name, nameWidth).padEnd(nameWidth)}${row.map((text, column) => text.padStart(widths[column]!)).join('')}`
  return [line('latency, ms', head), ...cells.map((row, index) => line(names[index]!, row))]
}

const pageNames: readonly [string, string][] = [
  ['first-contentful-paint', 'first contentful paint'],
  ['largest-contentful-paint', 'largest contentful paint'],
  ['speed-index', 'speed index'],
  ['total-blocking-time', 'total blocking time'],
  ['cumulative-layout-shift', 'cumulative layout shift'],
  ['total-byte-weight', 'bytes sent'],
  ['requests', 'requests'],
  ['performance.score', 'performance score'],
]

const pageTable = (run: Run): string[] =>
  pageNames.flatMap(([name, label]) => {
    const metric = run.metrics[name]
    return metric === undefined
      ? []
      : [`${label.padEnd(28)}${formatQuantity(metric.value, metric.unit).padStart(14)}`]
  })

/** Above this share of late requests the generator's own delay colours the quantiles of a run. */
const lateShareBound = 0.05

/** A recorded run in 80 columns: what was measured, under which load, and whether the generator kept up. */
export const renderRunText = (
  run: Run,
  options: { readonly color?: boolean; readonly width?: number; readonly folder?: string } = {},
): string => {
  const { width = 80 } = options
  const color = colors(options.color ?? false)
  const lines = [
    `${color.bold(visibleLine(run.scenario))}  ${visibleLine(run.url)}  ${formatTime(run.startedAtUnixMs)}`,
  ]
  if (run.kind === 'load') {
    const { health } = run
    lines.push(
      `open model, ${run.arrivals} arrivals, ${formatNumber(run.arrivalsPerSec)} requests/s for ${formatNumber(run.measuredMs / 1000)} s after ${formatNumber(run.warmUpMs / 1000)} s of warm-up, seed ${run.seed}`,
      '',
      ...loadTable(run, width),
      '',
      `${count(health.sent, 'request')} sent, ${formatNumber(health.failed)} failed, ${formatNumber(health.refused)} refused, ${formatShare(health.lateShareRatio)} sent late`,
    )
  } else lines.push('', ...pageTable(run), '')
  if (run.kind === 'load' && run.health.lateShareRatio > lateShareBound) {
    const late = 'sent late: this machine could not keep the schedule; latencies include its own delay'
    lines.push(color.yellow(late))
  }
  if (run.health.voidReason !== '') {
    lines.push(
      ...wrap(`VOID: ${visibleLine(run.health.voidReason)}; do not judge by this run`, width).map((line) =>
        color.red(line),
      ),
    )
  }
  lines.push(`run ${visibleLine(run.id)}`)
  if (options.folder !== undefined) lines.push(`folder ${visibleLine(options.folder)}`)
  return `${lines.join('\n')}\n`
}
