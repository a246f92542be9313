import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { describe, expect, test } from 'vitest'
import { lintDashboard, panelsOf } from './lint.ts'
import { serviceDashboard } from './service-dashboard.ts'

/** A dashboard with one thing changed: `panel` is the first time series. */
function broken(change: (board: Dashboard, panel: Panel) => void): string[] {
  const board = serviceDashboard()
  change(board, panelsOf(board).find(({ type }) => type === 'timeseries')!)
  return lintDashboard(board)
}

describe('the service dashboard', () => {
  test('has no lint problem and every panel of the plan', () => {
    expect(lintDashboard(serviceDashboard())).toEqual([])
    expect(
      lintDashboard(serviceDashboard({ traceUrl: 'http://127.0.0.1:4319/traces/$' + '{__value.raw}' })),
    ).toEqual([])
    expect(panelsOf(serviceDashboard()).map(({ title }) => title)).toEqual([
      'Latest findings',
      'Request rate by route',
      'Error ratio',
      'Latency p50, p95, p99',
      'Latency p95 by route',
      'Routes by total time',
      'Statements by total time',
      'Statements per request',
      'Event loop blocked',
      'Functions that block the event loop',
      'Web vitals p75',
      'Layout shift p75 (CLS)',
    ])
  })

  test('is the same every time and holds no function', () => {
    const text = JSON.stringify(serviceDashboard())
    expect(JSON.stringify(serviceDashboard())).toBe(text)
    expect(text).not.toContain('_implements')
  })

  test('links trace ids when it is told where', () => {
    const url = 'http://127.0.0.1:4319/traces/$' + '{__value.raw}'
    expect(JSON.stringify(serviceDashboard({ traceUrl: url }))).toContain(url)
    expect(JSON.stringify(serviceDashboard())).not.toContain('__value.raw')
  })
})

describe('the lint sees', () => {
  test.each<[string, (board: Dashboard, panel: Panel) => void, RegExp]>([
    ['a missing title', (_, panel) => (panel.title = ''), /has no title/],
    ['a missing description', (_, panel) => (panel.description = 'Rate'), /no description of a sentence/],
    ['a missing unit', (_, panel) => delete panel.fieldConfig!.defaults.unit, /has no unit/],
    [
      'a hidden legend',
      (_, panel) => (panel.options.legend.showLegend = false),
      /no legend with calculations/,
    ],
    ['overlapping panels', (_, panel) => (panel.gridPos!.y -= 1), /overlaps/],
    ['a panel off the grid', (_, panel) => (panel.gridPos!.x = 20), /does not fit the grid/],
    ['two panels of one id', (board) => (board.panels![2]!.id = board.panels![1]!.id), /no id of its own/],
    [
      'an orphan variable',
      (board) => (board.templating.list![1]!.name = 'db'),
      /\$db is defined but not used/,
    ],
    ['an undefined variable', (board) => board.templating.list!.pop(), /\$frontend is used but not defined/],
    [
      'an unbounded query',
      (_, panel) => ((panel.targets![0] as unknown as { rawSql: string }).rawSql = 'SELECT 1'),
      /no time range/,
    ],
    ['a useless uid', (board) => (board.uid = 'x'), /uid is not 8 to 40/],
  ])('%s', (_, change, problem) => {
    expect(broken(change).join('\n')).toMatch(problem)
  })
})
